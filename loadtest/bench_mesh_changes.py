"""Random valid changes of a loaded mesh: requests that failed, and how long until each change was in force.

Two versions of two replicas behind mTLS in one Envoy; weights, rules, endpoints and certificates change one after the
other. In force is when Envoy itself says that it has all of it, translation included. Callers and replicas are another
process: on a laptop they do not share the supervisor's time either.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from envoys.bench import Bench, free_port, started
from envoys.changes import changing
from envoys.http1 import Backend, load

from localmesh.certificates import Certificates

_CALLERS = 8
_CALLERS_PAUSE = 0.02
_PAUSE = 0.02


@dataclass
class Found:
    """What came of some changes under load. `took`: kind → the seconds of each; `statuses`: 0 for a closed one."""

    took: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: Found) -> None:
        """Those of another slice."""
        for kind, took in other.took.items():
            self.took.setdefault(kind, []).extend(took)
        self.statuses += other.statuses
        self.seconds += other.seconds

    def lines(self) -> Iterator[tuple[str, str]]:
        """What was measured, and what came of it."""
        every = sorted(one for took in self.took.values() for one in took)
        requests = sum(self.statuses.values())
        failed = {status: count for status, count in self.statuses.items() if status != 200}
        yield "changes", f"{len(every)}: {', '.join(f'{len(took)} {kind}' for kind, took in sorted(self.took.items()))}"
        yield "requests meanwhile", f"{requests} ({requests / self.seconds:.0f} a second)"
        yield "failed", str(failed or 0)
        yield "in force after", _times(every)
        for kind, took in sorted(self.took.items()):
            yield f"— {kind}", _times(took)


def _times(seconds: Sequence[float]) -> str:
    cuts = [1000 * one for one in statistics.quantiles(seconds, n=100, method="inclusive")]
    return f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, most {1000 * max(seconds):.0f} ms"


def _traffic(pipe: Connection, ports: Sequence[int]) -> None:
    """Another process: the replicas, and the callers from the port that is told until something else is."""

    async def run() -> Counter[int]:
        async with contextlib.AsyncExitStack() as stack:
            for name, port in zip("abcd", ports, strict=True):
                await stack.enter_async_context(Backend(name, port=port))
            pipe.send("listening")
            caller = await asyncio.to_thread(pipe.recv)
            stopped = asyncio.create_task(asyncio.to_thread(pipe.recv))
            answers = await load(caller, lambda: asyncio.wait([stopped]), _CALLERS, _CALLERS_PAUSE)
            return Counter(one.status for one in answers)

    pipe.send(asyncio.run(run()))


async def _changed(bench: Bench, pipe: Connection, ports: Sequence[int], changes: int, seed: int) -> Found:
    found = Found()
    backends = [Backend(name, port=port) for name, port in zip("abcd", ports, strict=True)]
    async with changing(bench, Certificates(bench.directory.path), backends, seed) as mesh:
        pipe.send(bench.callers["web"])
        began = time.monotonic()
        for _ in range(changes):
            kind, seconds = await mesh.change()
            found.took.setdefault(kind, []).append(seconds)
            await asyncio.sleep(_PAUSE)
        pipe.send("stop")
        found.statuses = await asyncio.to_thread(pipe.recv)
        found.seconds = time.monotonic() - began
    return found


def measured(changes: int, seed: int) -> Found:
    """So many changes, with an Envoy, an authority and replicas of their own."""
    ports = [free_port() for _ in range(4)]
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    traffic = processes.Process(target=_traffic, args=(theirs, ports), daemon=True)
    traffic.start()
    # Once it is closed here, a traffic that dies ends the waiting for it.
    theirs.close()
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as bench:
        assert ours.recv() == "listening"
        found = asyncio.run(_changed(bench, ours, ports, changes, seed))
    traffic.join()
    return found


def rows(changes: int, seed: int, at_once: int = 250) -> Iterator[tuple[str, str]]:
    """What was measured, and what came of it; after `at_once` changes all begins anew, with the next seed."""
    found = Found()
    for index, first in enumerate(range(0, changes, at_once)):
        found.add(measured(min(at_once, changes - first), seed + index))
        print(f"{sum(map(len, found.took.values()))} of {changes} changes", file=sys.stderr)
    return found.lines()
