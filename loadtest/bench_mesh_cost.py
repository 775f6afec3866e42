"""What the laptop mesh costs: at rest, in memory, to translate 1,000 routes, and for one hop. Prints a table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import bench_mesh_hop
from envoys.bench import free_port, routes, rule
from parity import registry

from localmesh.mesh import Address
from localmesh.translate import translate

SHOP = Path(__file__).resolve().parent.parent / "localmesh" / "examples" / "shop"
_REST_SECONDS = 30.0
_MIB = 1024 * 1024


def resting() -> dict[str, tuple[float, float]]:
    """`control` and `envoy` → percent of one core at rest, and MiB resident, while localmesh runs its example."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "localmesh", "--root", str(SHOP), "--home", home]
        subprocess.run([*command, "up", "--detach", "--port", str(free_port())], check=True, stdout=subprocess.DEVNULL)
        try:
            state = json.loads((Path(home) / "state.json").read_text())
            status = json.loads(subprocess.run([*command, "status", "--json"], check=True, capture_output=True).stdout)
            processes = {
                "control": psutil.Process(state["pid"]),
                "envoy": psutil.Process(status["envoy"]["pid"]),
            }
            time.sleep(5)
            before = {name: sum(one.cpu_times()[:2]) for name, one in processes.items()}
            time.sleep(_REST_SECONDS)
            return {
                name: (
                    100 * (sum(one.cpu_times()[:2]) - before[name]) / _REST_SECONDS,
                    one.memory_info().rss / _MIB,
                )
                for name, one in processes.items()
            }
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


def main() -> None:
    """Measure one after the other, and print."""
    print(f"{os.cpu_count()} cores")
    for name, (percent, memory) in resting().items():
        print(f"{name} at rest: {percent:.2f} % of a core, {memory:.0f} MiB resident")
    print(f"1,000 routes translated in {translating():.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        hops = bench_mesh_hop.compare(Path(folder))
    for name, (milliseconds, rate) in hops.items():
        print(f"one hop, {name}: {milliseconds:.3f} ms alone, {rate:.0f} requests/s of 32 callers")


if __name__ == "__main__":
    main()
