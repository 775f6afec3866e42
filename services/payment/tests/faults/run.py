"""The long run: what payment promises, under everything that can be done to it.

python services/payment/tests/faults/run.py [--on KIND] [NAME …]

Payment is killed 300 times while 50,000 operations are acknowledged; everything else has 50 faults. Less of it:
--kills 10 --operations 1000.

Exit code 0 when nothing was lost, nothing doubled, nothing negative, and every audit was sound.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "loadtest"))

import sagas
import scenarios
from mesh import Mesh
from postgres_server import binaries
from stage import Stage

STAGES = {"sqlite": (Stage, scenarios.ALL), "postgres": (Stage, scenarios.ALL), "mesh": (Mesh, sagas.ALL)}
NAMES = [*scenarios.ALL, *sagas.ALL]
USUAL = scenarios.Options(kills=50, clients=32, operations=2_000)
MORE = {"kills": replace(USUAL, kills=300, operations=50_000), "keys": replace(USUAL, operations=50_000)}
"""50,000 operations are 1,000 keys, each 64 times."""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(name: str, kind: str, options: scenarios.Options) -> bool:
    """Play one scenario on a stage of its own and print its line."""
    started = time.monotonic()
    try:
        make, play = STAGES[kind]
        with make(kind) as stage:
            told, good = asyncio.run(play[name](stage, options)), True
    except Exception:
        told, good = traceback.format_exc(), False
    took = time.monotonic() - started
    _say(f"{'ok  ' if good else 'FAIL'} {kind:8} {name:8} {took:6.1f} s  {told}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, help="faults in each scenario (300 kills of payment; 50 of all else)")
    parser.add_argument("--clients", type=int, help="clients at once (32)")
    parser.add_argument("--operations", type=int, help="acknowledged operations at least (50000 with kills; 2000)")
    parser.add_argument("--on", choices=STAGES, help="one database only, or the whole product")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    words = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped on the way out
    if unknown := set(words.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: {', '.join(NAMES)}")
    kinds = [words.on] if words.on else list(STAGES)
    if "postgres" in kinds and binaries() is None:
        _say("postgres is left out: its server is not installed here (Debian: apt-get install postgresql)")
        kinds.remove("postgres")
    given = {name: value for name in ("kills", "clients", "operations") if (value := getattr(words, name)) is not None}
    plays = [(name, kind) for kind in kinds for name in STAGES[kind][1] if name in (words.names or NAMES)]
    results = [run(name, kind, replace(MORE.get(name, USUAL), **given)) for name, kind in plays]
    _say(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
