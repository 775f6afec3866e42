"""Inference for an hour, over both transports and in every form of a request: its memory must stay flat.

The process serves rows and batches in turns, and its metrics are read as a Prometheus does. What is resident is noted
after each round. The first third of the rounds is to warm up; the last third may be above the second by no more than
`--growth` MiB (of medians), else the exit code is 1.

    python loadtest/soak_inference.py [--minutes 60] [--rate 200] [--growth 2]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench_inference import ROOT, Case, cases, load

from inference.training.__main__ import train
from inference_bench import peers
from inference_bench.peers import Server

_TURN_SECONDS = 10

_PATIENT = {"INFERENCE_MODEL_SECONDS": "60", "INFERENCE_WAIT_SECONDS": "60"}
"""An hour on a machine that does other work has seconds without any processor: they are no fault of the server's."""


def rounds(server: Server, all_cases: list[Case], minutes: float, rate: float) -> list[float]:
    """MiB resident after each round of all cases."""
    resident: list[float] = []
    started = time.monotonic()
    while time.monotonic() - started < minutes * 60:
        calls = sum(load(server, case, _TURN_SECONDS, None, rate)["calls"] for case in all_cases)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/metrics", timeout=600) as answer:
            answer.read()
        resident.append(server.resident_mib())
        print(f"{time.monotonic() - started:5.0f} s: {calls:,.0f} calls, {resident[-1]:.1f} MiB", flush=True)
    return resident


def growth(resident: list[float]) -> float:
    """MiB by which the last third is above the second."""
    third = len(resident) // 3
    return statistics.median(resident[-third:]) - statistics.median(resident[third : 2 * third])


def main() -> None:
    """Start one process, load it, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=200, help="calls a second; 0: as fast as it goes (%(default)s)")
    parser.add_argument("--growth", type=float, default=2, help="MiB that are allowed (%(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = ROOT / ".inkmesh" / "peers" / "models"
        train(models)
        server = peers.inkmesh(models)
        server.environ |= _PATIENT
        server.start(Path(folder) / "log", None)
        try:
            resident = rounds(server, cases(Path(folder)), given.minutes, given.rate)
        finally:
            server.stop()
    if len(resident) < 6:
        sys.exit("too short: six rounds are needed")
    grown = growth(resident)
    print(f"the last third is {grown:+.1f} MiB from the second")
    sys.exit(grown > given.growth)


if __name__ == "__main__":
    main()
