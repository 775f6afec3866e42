"""Durable ledger transactions a second, beside what limits them and what people write instead, in one run.

A transaction is a hold or a capture: checked, booked twice, with its idempotency key and answer, on the disk before
anyone is told. Everybody has turns, so that a noisy machine is noisy for all; the table has the medians.

    python loadtest/bench_payment.py [--rounds 5] [--seconds 2] [--sizes 1000 10000 100000 1000000] [--folder DISK]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bench_payment_ledger as ledger
from bench_payment_ledger import Seen

from inference_bench.peers import Server

HERE = Path(__file__).parent
ENVIRON = {"GRPC_EXPERIMENTS": "-event_engine_client,-event_engine_listener"}
COPIED = 100_000
"""Ledgers up to this size begin each turn as they were made; a turn adds less than that to a larger one."""


@dataclass(frozen=True)
class Row:
    """One candidate: what a turn of it gives, and the one whose rate is compared with it."""

    title: str
    turn: Callable[[], Seen]
    against: str = ""
    reach: float = 0.0


def turns(rows: list[Row], rounds: int) -> dict[str, Seen]:
    """Medians of each, after a round to warm up."""
    seen: dict[str, list[Seen]] = defaultdict(list)
    for number in range(rounds + 1):
        for row in rows:
            found = row.turn()
            print(f"  turn {number}/{rounds}: {row.title}: {found.rate:,.0f}/s", file=sys.stderr)
            if number:
                seen[row.title].append(found)
    return {
        title: Seen(*(statistics.median(getattr(one, name) for one in each) for name in ("rate", "p50", "p99")))
        for title, each in seen.items()
    }


def table(rows: list[Row], seen: dict[str, Seen]) -> str:
    """Markdown; the ratio is our rate to the row's."""
    lines = ["| | transactions/s | p50 ms | p99 ms | ours : this | to reach |", "|---|---|---|---|---|---|"]
    for row in rows:
        one = seen[row.title]
        times = f"{one.p50:.1f} | {one.p99:.1f}" if one.p50 else "|"
        ratio = f"{seen[row.against].rate / one.rate:.2f} | {row.reach:g}" if row.against else "|"
        lines.append(f"| {row.title} | {one.rate:,.0f} | {times} | {ratio} |")
    return "\n".join(lines)


def in_process(work: Path, clients: int, seconds: float, slow: float) -> list[Row]:
    """The ledger on this disk and on a slow one, with what each is compared with."""

    def bare(delay: float) -> Callable[[], Seen]:
        return lambda: Seen(ledger.bare_loop(work / "bare", seconds, delay), 0, 0)

    def ours(delay: float) -> Callable[[], Seen]:
        return lambda: ledger.load(work / f"ledger-{delay}", clients, seconds=seconds, delay=delay)

    def orm() -> Seen:
        uv, script = Path(sys.executable).with_name("uv"), HERE / "bench_payment_orm.py"
        words = [uv, "run", "--quiet", "--python", sys.executable, "--script", script, work / "orm"]
        return Seen(float(output(*words, clients, seconds)), 0, 0)

    return [
        Row(f"the ledger, {clients} clients", ours(0)),
        Row("write + fsync in a loop", bare(0), f"the ledger, {clients} clients", 1.3),
        Row("SQLAlchemy's async ORM", orm, f"the ledger, {clients} clients", 15),
        Row(f"the ledger, fsync {slow * 1000:g} ms slower", ours(slow)),
        Row("write + fsync in a loop, the same", bare(slow), f"the ledger, fsync {slow * 1000:g} ms slower", 15),
    ]


def over_grpc(servers: list[Server], clients: int, seconds: float, core: int | None) -> list[Row]:
    """Both servers, from the same client."""
    pin = ["taskset", "-c", core] if core is not None else []

    def load(server: Server) -> Callable[[], Seen]:
        words = [*pin, sys.executable, HERE / "bench_payment_wire.py", "load", server.grpc_port]
        return lambda: Seen(**json.loads(output(*words, "--clients", clients, "--seconds", seconds)))

    ours, constant = servers
    return [Row(ours.name, load(ours)), Row(constant.name, load(constant), ours.name, 0.6)]


def by_size(work: Path, sizes: list[int], clients: int, transactions: int) -> list[Row]:
    """The ledger as it grows."""

    def ours(size: int) -> Callable[[], Seen]:
        made, used = work / f"made-{size}", work / f"used-{size}"
        ledger.make(made, size)

        def turn() -> Seen:
            if size <= COPIED or not used.exists():
                shutil.copyfile(made, used)
            return ledger.load(used, clients, transactions=transactions)

        return turn

    return [Row(f"{size:,} transfers", ours(size)) for size in sizes]


def output(*words: object) -> str:
    """What a program prints. Ends the bench when it fails."""
    done = subprocess.run([str(word) for word in words], env=os.environ | ENVIRON, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{words} failed")
    return done.stdout


def served(work: Path) -> list[Server]:
    """Payment as the manifests run it, metrics and request log on; and a server that does nothing."""
    environ = ENVIRON | {
        "PAYMENT_DATABASE": str(work / "served"),
        "PAYMENT_HTTP_PORT": "{0.http_port}",
        "PAYMENT_GRPC_PORT": "{0.grpc_port}",
    }
    constant = [sys.executable, HERE / "bench_payment_wire.py", "serve"]
    return [
        Server("payment over gRPC", lambda _, __: [sys.executable, "-m", "payment"], "/healthz/ready", environ),
        Server("a constant answer over gRPC", lambda http, grpc: [*constant, str(http), str(grpc)], "", ENVIRON),
    ]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind, default, does in (
        ("rounds", int, 5, "turns of each"),
        ("seconds", float, 2.0, "of each turn"),
        ("clients", int, 64, "at once"),
        ("slow", float, 1.0, "milliseconds that each fsync takes longer on the slow disk"),
        ("transactions", int, 20_000, "of a turn at each size"),
        ("folder", Path, HERE.parent / ".inkmesh", "on the disk to use"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"{does} (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10**n for n in (3, 4, 5, 6)], help="transfers")
    given = parser.parse_args()
    given.folder.mkdir(exist_ok=True)
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as whoever serves has it
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    server_core, client_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="bench-") as folder:
        work = Path(folder)
        rows = in_process(work, given.clients, given.seconds, given.slow / 1000)
        seen = turns(rows, given.rounds)
        servers = served(work)
        try:
            for server in servers:
                server.start(work / f"{server.name}.log", server_core)
            wire = over_grpc(servers, given.clients, given.seconds, client_core)
            seen |= turns(wire, given.rounds)
        finally:
            for server in servers:
                server.stop()
        print(table(rows + wire, seen))
        sizes = by_size(work, given.sizes, given.clients, given.transactions)
        print("\n" + table(sizes, turns(sizes, given.rounds)))
        for size in given.sizes[-1:]:
            found, seconds = ledger.proved(work / f"used-{size}")
            print(f"\nAudit of {found.transfers:,} transfers: {len(found.findings)} findings, {seconds:.1f} s.")


if __name__ == "__main__":
    main()
