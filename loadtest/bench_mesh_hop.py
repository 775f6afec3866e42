"""One hop through localmesh's Envoy beside one through an Envoy configured by hand: same binary, caller and service.

By hand is what a manual would have: a listener, a route for all paths, the router, a cluster. The two are loaded in
turns, so that a noisy machine is noisy for both; neither logs requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import uvloop

from arrivals import Client, Request, saturate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from envoys.bench import free_port, replica, started
from envoys.http1 import Backend

from localmesh import envoy
from localmesh.mesh import Address

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_TYPES = "type.googleapis.com/envoy.extensions.filters"
_GET = Request("GET", "/")
OURS, BY_HAND = "localmesh", "by hand"


class _Service(asyncio.Protocol):
    """Answers at once: what is measured is the way there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


def by_hand(listen: int, admin: int, service: int) -> dict[str, Any]:
    """Envoy's static configuration."""

    def socket(port: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "service"}}]
    connections = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"}}
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}]
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": socket(service)}}]}]
    cluster = {
        "name": "service",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "service", "endpoints": endpoints},
    }
    return {
        "admin": {"address": socket(admin)},
        "static_resources": {
            "listeners": [{"name": "in", "address": socket(listen), "filter_chains": [{"filters": filters}]}],
            "clusters": [cluster],
        },
    }


@contextlib.contextmanager
def handmade(folder: Path, service: int) -> Iterator[tuple[int, Address, int]]:
    """That Envoy at work: its port, its admin interface, its process."""
    listen, admin = free_port(), free_port()
    file = folder / "by-hand.json"
    file.write_text(json.dumps(by_hand(listen, admin, service)))
    with subprocess.Popen(envoy.command(envoy.binary(), file, log=folder / "by-hand.log")) as process:
        try:
            yield listen, Address("127.0.0.1", admin), process.pid
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """The service's port."""
    server = await asyncio.get_running_loop().create_server(_Service, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@dataclass(frozen=True)
class Turn:
    """One caller's request in milliseconds (median); of 32 callers requests a second, and Envoy's CPU for one in µs."""

    alone: float
    rate: float
    cpu: float


async def _turn(port: int, pid: int, seconds: float) -> Turn:
    async with Client("127.0.0.1", port) as client:
        lone = await saturate(lambda: client.send(_GET), 1, seconds)
        began, used = time.perf_counter(), _cpu_seconds(pid)
        many = await saturate(lambda: client.send(_GET), 32, seconds)
        took, used = time.perf_counter() - began, _cpu_seconds(pid) - used
    assert all(one.status == 200 for one in (*lone, *many))
    return Turn(1000 * statistics.median(one.seconds for one in lone), len(many) / took, 1e6 * used / len(many))


def _cpu_seconds(pid: int) -> float:
    """To the nanosecond, where psutil knows hundredths of a second."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


async def _compare(folder: Path, turns: int, seconds: float) -> dict[str, list[Turn]]:
    with started(folder) as bench:
        bench.logs = False
        async with serving() as service:
            with handmade(folder, service) as (listen, admin, pid):
                while not await envoy.Admin(admin).ready():  # noqa: ASYNC110 (another process's state)
                    await asyncio.sleep(0.05)
                async with bench.running([replica(Backend("service", port=service))]):
                    ways = {OURS: (bench.callers["web"], bench.pid), BY_HAND: (listen, pid)}
                    found: dict[str, list[Turn]] = {name: [] for name in ways}
                    for turn in range(turns + 2):
                        # Now the one is first, now the other.
                        for name in sorted(ways, reverse=bool(turn % 2)):
                            result = await _turn(*ways[name], seconds)
                            # The first turns warm up.
                            found[name] += [result] if turn > 1 else []
    return found


def rows(turns: int = 60, seconds: float = 0.25) -> Iterator[tuple[str, str]]:
    """Each way's medians, and the median of the turns' ratios."""
    with tempfile.TemporaryDirectory() as folder:
        found = uvloop.run(_compare(Path(folder), turns, seconds))
    for name, results in found.items():
        alone, rate, cpu = (statistics.median(column) for column in zip(*map(astuple, results), strict=True))
        yield (
            f"one hop, {name}",
            f"{alone:.3f} ms alone; of 32 callers {rate:.0f} requests/s, {cpu:.1f} µs of Envoy's CPU",
        )
    pairs = list(zip(map(astuple, found[OURS]), map(astuple, found[BY_HAND]), strict=True))
    alone, rate, cpu = (statistics.median(one[i] / other[i] for one, other in pairs) for i in range(3))
    yield f"{OURS} / {BY_HAND}", f"{alone:.2f} alone; of 32 callers {rate:.2f} of the requests, {cpu:.2f} of the CPU"
