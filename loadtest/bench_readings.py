"""Whole paid readings a second: the product against a FastAPI + httpx gateway that makes the same three calls.

Both use the same payment and inference, which run once; the two gateways are loaded in turns, so that a noisy
machine is noisy for both. Prints a table: ratios carry over to other machines, readings/s do not.

The knee is found with open arrivals, in steps of a quarter: the highest rate of which 99 % are read, 95 % of them
within half a second of when they were due. That is the objective of `inkmesh load` (objectives.toml); what comes above
the knee queues. Callers who wait for their answers (the table) can get more out of the product: they never queue.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import uvloop

from arrivals import Answer, Client, Request, constant, quantile, saturate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from product import ROOT, SEVEN, Guest, Product, eventually, free_port, own, running

BODY = orjson.dumps({"pixels": SEVEN})

KNEE_P95 = 0.5
"""Seconds."""
KNEE_READ = 0.99
KNEE_FROM, KNEE_STEP, KNEE_TRIES = 64.0, 1.25, 2
"""The first rate, the factor to the next, and how often one is tried: a moment's noise is not the knee."""


class Target:
    """One gateway to load: where it is, and what one reading looks like there."""

    def __init__(self, name: str, port: int, headers: list[dict[str, str]]) -> None:
        self.name = name
        self.port = port
        self._headers = itertools.cycle(headers)
        self._numbers = itertools.count()

    def _request(self) -> Request:
        key = {"idempotency-key": f"bench-{os.getpid()}-{self.name}-{next(self._numbers)}"}
        return Request("POST", "/api/v1/predictions", next(self._headers) | key, BODY)

    def saturate(self, callers: int, seconds: float) -> list[Answer]:
        """As fast as so many callers get answers."""

        async def run() -> list[Answer]:
            async with Client("127.0.0.1", self.port) as client:
                return await saturate(lambda: client.send(self._request()), callers, seconds)

        return checked(self.name, uvloop.run(run()))

    def constant(self, rate: float, seconds: float) -> list[Answer]:
        """Arrivals at a rate, whatever becomes of them."""

        async def run() -> list[Answer]:
            async with Client("127.0.0.1", self.port) as client:
                return await constant(lambda: client.send(self._request()), rate, seconds)

        return uvloop.run(run())

    def knee(self, seconds: float) -> float:
        """The highest rate that is read in time."""
        found, rate = 0.0, KNEE_FROM
        while any(in_time(self.constant(rate, seconds)) for _ in range(KNEE_TRIES)):
            print(f"  {rate:.0f} arrivals a second are read in time", file=sys.stderr)
            found, rate = rate, rate * KNEE_STEP
        return found or sys.exit(f"{self.name}: not even {rate:.0f} readings/s are in time")


def in_time(answers: list[Answer]) -> bool:
    """The objective: enough are read, and soon enough."""
    read = [answer for answer in answers if answer.status == 201]
    return len(read) >= KNEE_READ * len(answers) and quantile(read, 0.95) <= KNEE_P95


def checked(name: str, answers: list[Answer]) -> list[Answer]:
    """A bench of failures is none."""
    failed = [answer for answer in answers if answer.status != 201]
    if failed:
        sys.exit(f"{name}: {len(failed)} of {len(answers)} readings failed, the first with {failed[0]}")
    return answers


@contextmanager
def peer(product: Product) -> Iterator[int]:
    """The other gateway. It calls the replicas themselves: without Envoy on its way, which is to its advantage."""
    base = {
        "PEER_PAYMENT": own(product.replicas("payment")[0]),
        "PEER_INFERENCE": own(product.replicas("inference-v1")[0]),
    }
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "peer_gateway:create_app", "--port", str(port)]
    quiet = ["--log-level", "warning", "--no-access-log"]
    with subprocess.Popen([*command, *quiet], cwd=ROOT / "loadtest", env=os.environ | base) as process:
        try:
            eventually(lambda: reachable(port), 20)
            yield port
        finally:
            process.terminate()


def reachable(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/openapi.json").status_code == 200
    except httpx.TransportError:
        return False


def guests(product: Product, count: int, credits_: int) -> list[Guest]:
    """Visitors with enough credits for the whole run."""
    found = [product.guest() for _ in range(count)]
    for guest in found:
        while guest.account()["balance"] < credits_:
            if guest.top_up(5000)["status"] != "approved":
                found[found.index(guest)] = product.guest()
                break
    return found


def resident(product: Product) -> str:
    """What all that `inkmesh up` runs holds in memory: with shared pages counted once (PSS), and for each process."""
    processes = product.processes()
    each = sum(process.memory_info().rss for process in processes) / 2**20
    if not hasattr(processes[0].memory_full_info(), "pss"):
        return f"{each:.0f} MiB, pages that processes share counted for each"
    once = sum(process.memory_full_info().pss for process in processes) / 2**20
    return f"{once:.0f} MiB ({each:.0f} where pages that processes share are counted for each)"


def turns(targets: list[Target], callers: int, rounds: int, seconds: float) -> dict[str, float]:
    """The median rate of each target, loaded in turns."""
    rates: dict[str, list[float]] = {target.name: [] for target in targets}
    for number in range(rounds):
        for target in targets:
            rate = len(target.saturate(callers, seconds)) / seconds
            rates[target.name].append(rate)
            print(f"  {callers} callers, turn {number + 1}/{rounds}: {target.name:16} {rate:6.0f}/s", file=sys.stderr)
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, nargs="+", default=[16, 64, 256], help="how many at once (16 64 256)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each gateway (default 3)")
    parser.add_argument("--seconds", type=float, default=4, help="length of a turn (default 4)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as product, peer(product) as peer_port:
        visitors = guests(product, 32, 5000)
        json_body = {"content-type": "application/json"}
        ours = Target("Inkmesh", product.port, [json_body | {"authorization": f"Bearer {g.token}"} for g in visitors])
        theirs = Target("FastAPI + httpx", peer_port, [json_body | {"x-account": g.account_id} for g in visitors])
        turns([ours, theirs], 16, 1, 1)
        rows = [(callers, turns([ours, theirs], callers, args.rounds, args.seconds)) for callers in args.callers]
        memory = resident(product)
        knee, their_knee = ours.knee(args.seconds), theirs.knee(args.seconds)
        calm = checked(ours.name, ours.constant(knee / 2, 10))
        memory_after = resident(product)
    lines = ["| callers | Inkmesh, readings/s | FastAPI + httpx | ratio |", "|---|---|---|---|"]
    for callers, found in rows:
        mine, other = found[ours.name], found[theirs.name]
        lines.append(f"| {callers} | {mine:.0f} | {other:.0f} | {mine / other:.1f} |")
    mine, other = (max(found[target.name] for _, found in rows) for target in (ours, theirs))
    lines.append(f"| best | {mine:.0f} | {other:.0f} | {mine / other:.1f} |")
    lines.append(f"| knee, open arrivals | {knee:.0f} | {their_knee:.0f} | {knee / their_knee:.1f} |")
    p50, p99 = (quantile(calm, share) * 1000 for share in (0.5, 0.99))
    lines += [
        "",
        f"At half the knee: p50 {p50:.0f} ms, p99 {p99:.0f} ms.",
        f"Resident: {memory}; after more than it could do {memory_after}.",
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
