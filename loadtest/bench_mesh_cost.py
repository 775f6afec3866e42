"""What the laptop mesh costs at rest, in memory, and to translate 1,000 routes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from envoys.bench import free_port, routes, rule
from parity import registry

from localmesh.mesh import Address
from localmesh.translate import translate

SHOP = Path(__file__).resolve().parent.parent / "localmesh" / "examples" / "shop"
_REST_SECONDS = 30.0
_SETTLE_SECONDS = 10.0
_MB = 1_000_000


def resting() -> Iterator[tuple[str, str]]:
    """What supervisor and Envoy need at rest, while localmesh runs its example: CPU of one core, memory.

    PSS counts a page that several processes share by its share, RSS in full.
    """
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "localmesh", "--root", str(SHOP), "--home", home]
        subprocess.run([*command, "up", "--detach", "--port", str(free_port())], check=True, stdout=subprocess.DEVNULL)
        try:
            state = json.loads((Path(home) / "state.json").read_text())
            status = json.loads(subprocess.run([*command, "status", "--json"], check=True, capture_output=True).stdout)
            processes = {
                "the supervisor": psutil.Process(state["pid"]),
                "Envoy": psutil.Process(status["envoy"]["pid"]),
            }
            time.sleep(_SETTLE_SECONDS)
            before = {name: sum(one.cpu_times()[:2]) for name, one in processes.items()}
            time.sleep(_REST_SECONDS)
            for name, one in processes.items():
                percent = 100 * (sum(one.cpu_times()[:2]) - before[name]) / _REST_SECONDS
                memory = one.memory_full_info()
                sizes = f"{memory.rss / _MB:.0f} MB resident (PSS {memory.pss / _MB:.0f} MB)"
                yield f"{name} at rest", f"{percent:.2f} % of a core, {sizes}"
        finally:
            subprocess.run([*command, "down"], check=True, stdout=subprocess.DEVNULL)


def translating() -> float:
    """Milliseconds to check and translate a VirtualService of 1,000 routes and its DestinationRule; median of 15."""
    to = "{host: inference, subset: v1, port: {number: 8080}}"
    one = f'{{match: [{{uri: {{prefix: "/%d/"}}}}], route: [{{destination: {to}}}]}}'
    documents = [rule(), routes(f"[{', '.join(one % number for number in range(1000))}]")]
    for document in documents:
        document["metadata"] = {"name": "inference", "namespace": "inkmesh"}
        document["spec"] |= {"host": "inference"} if "host" in document["spec"] else {"hosts": ["inference"]}
    ways = {("gateway", "inference.inkmesh.svc.cluster.local", 8080): Address("127.0.1.1", 8080)}
    mesh = replace(registry.mesh(documents), outbound=ways)
    took = []
    for _ in range(15):
        began = time.perf_counter()
        translate(mesh)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def rows() -> Iterator[tuple[str, str]]:
    """What was measured, and what came of it."""
    yield from resting()
    yield "1,000 routes translated in", f"{translating():.0f} ms"
