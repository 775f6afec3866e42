"""One hop through localmesh's Envoy beside one through an Envoy configured by hand: same binary, caller and service.

By hand is what a manual would have: a listener, a route for all paths, the router, a cluster. The two are loaded in
turns, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
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
def handmade(folder: Path, service: int) -> Iterator[tuple[int, Address]]:
    """That Envoy at work: its port, and its admin interface."""
    listen, admin = free_port(), free_port()
    file = folder / "by-hand.json"
    file.write_text(json.dumps(by_hand(listen, admin, service)))
    with subprocess.Popen(envoy.command(envoy.binary(), file, log=folder / "by-hand.log")) as process:
        try:
            yield listen, Address("127.0.0.1", admin)
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """The service's port."""
    server = await asyncio.get_running_loop().create_server(_Service, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _turn(port: int, seconds: float) -> tuple[float, float]:
    """Milliseconds of one caller's request (median), and requests a second of 32."""
    async with Client("127.0.0.1", port) as client:
        lone = await saturate(lambda: client.send(_GET), 1, seconds)
        began = time.perf_counter()
        many = await saturate(lambda: client.send(_GET), 32, seconds)
        rate = len(many) / (time.perf_counter() - began)
    assert all(one.status == 200 for one in (*lone, *many))
    return 1000 * statistics.median(one.seconds for one in lone), rate


async def _compare(folder: Path, turns: int, seconds: float) -> dict[str, tuple[float, float]]:
    with started(folder) as bench:
        async with serving() as service:
            with handmade(folder, service) as (listen, admin):
                async with envoy.Admin(admin) as other:
                    while not await other.ready():  # noqa: ASYNC110 (another process's state)
                        await asyncio.sleep(0.05)
                async with bench.running([replica(Backend("service", port=service))]):
                    ports = {"localmesh": bench.callers["web"], "by hand": listen}
                    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
                    for turn in range(turns + 1):
                        for name, port in ports.items():
                            result = await _turn(port, seconds)
                            # The first turn warms up.
                            found[name] += [result] if turn else []
    return {
        name: (statistics.median(one[0] for one in results), statistics.median(one[1] for one in results))
        for name, results in found.items()
    }


def compare(folder: Path, turns: int = 7, seconds: float = 2.0) -> dict[str, tuple[float, float]]:
    """`localmesh` and `by hand` → milliseconds of one caller's request, requests/s of 32; medians of the turns."""
    return uvloop.run(_compare(folder, turns, seconds))
