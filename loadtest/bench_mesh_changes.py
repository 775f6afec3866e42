"""Random valid changes of a loaded mesh: requests that failed, and how long until each change was in force.

Two versions of two replicas behind mTLS in one Envoy, eight callers without a pause between their requests; weights,
rules, endpoints and certificates change one after the other. In force is when Envoy itself says that it has all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from envoys.bench import started
from envoys.changes import changing
from envoys.http1 import Answer, Backend, load

from localmesh.certificates import Certificates


async def measured(folder: Path, changes: int, seed: int) -> tuple[list[Answer], list[float], dict[str, int]]:
    """All answers, the seconds of each change, and how many there were of each kind."""
    with started(folder) as bench:
        async with contextlib.AsyncExitStack() as stack:
            backends = [await stack.enter_async_context(Backend(name)) for name in "abcd"]
            authority = Certificates(bench.directory.path)
            mesh = await stack.enter_async_context(changing(bench, authority, backends, seed))
            took: list[float] = []

            async def go() -> None:
                for _ in range(changes):
                    took.append(await mesh.change())
                    await asyncio.sleep(0.02)

            return await load(bench.callers["web"], go, pause=0), took, mesh.counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        answers, took, counts = asyncio.run(measured(Path(folder), arguments.changes, arguments.seed))
    cuts = [1000 * one for one in statistics.quantiles(took, n=100)]
    failed = {status: count for status, count in Counter(one.status for one in answers).items() if status != 200}
    print(f"{sum(counts.values())} changes: {', '.join(f'{count} {kind}' for kind, count in counts.items())}")
    print(f"{len(answers)} requests, failed: {failed or 0}")
    print(f"in force after (ms): p50 {cuts[49]:.0f}, p99 {cuts[98]:.0f}, most {1000 * max(took):.0f}")


if __name__ == "__main__":
    main()
