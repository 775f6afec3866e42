"""What each policy of the mesh costs: the same calls with no hop, a plain hop, and one policy more each time.

The call is `GET /predict`: the cheapest answer of the product, so that the hop weighs most, and from one replica.
Each variant is loaded in turns, so that a noisy machine is noisy for all. Copies of the product run beside each other
only where a policy is chosen at its start. Prints a table of ratios; requests/s do not carry over to other machines.
`inkmesh load price` runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import secrets
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from price_copies import RETRIES, Copy, copies

from arrivals import Answer, Client, Request, constant, quantile, saturate

WARM_SECONDS = 0.5
PATH = "/predict?feature_1=0&feature_2=1&feature_3=2"


@dataclass
class Variant:
    """One way to the same answer, and what was measured of it: a turn each."""

    name: str
    copy: Copy
    host: str
    port: int
    sampled: bool = False
    """Whether each request asks to be traced."""
    scenario: str | None = None
    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """CPU microseconds a request, of the whole copy."""

    def turn(self, callers: int, rate: float, seconds: float) -> None:
        """As fast as it goes for the rate and the CPU, then at `rate` a second, the same for all, for the times."""
        self.copy.apply(self.scenario)
        self._run(lambda send: saturate(send, callers, WARM_SECONDS))
        before = self.copy.cpu_seconds()
        answers = self._run(lambda send: saturate(send, callers, seconds))
        self.cpu.append(1e6 * (self.copy.cpu_seconds() - before) / len(answers))
        self.rates.append(len(answers) / seconds)
        calm = self._run(lambda send: constant(send, rate, seconds))
        self.p50.append(1000 * quantile(calm, 0.5))
        self.p99.append(1000 * quantile(calm, 0.99))

    def _run(self, load) -> list[Answer]:  # noqa: ANN001 (arrivals' own two)
        async def run() -> list[Answer]:
            async with Client(self.host, self.port) as client:
                return await load(lambda: client.send(Request("GET", PATH, self._headers())))

        answers = uvloop.run(run())
        failed = [answer for answer in answers if answer.status != 200]
        if failed:
            sys.exit(f"{self.name}: {len(failed)} of {len(answers)} calls failed, the first with {failed[0]}")
        return answers

    def _headers(self) -> dict[str, str]:
        if not self.sampled:
            return {}
        return {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}


@contextlib.contextmanager
def variants(root: Path, models: Path | None) -> Iterator[list[Variant]]:
    """Every variant, ready to be loaded."""
    with tempfile.TemporaryDirectory() as folder, copies(root, Path(folder), models) as start:
        plain = start("plain")
        logged = start("access-log", "--access-log")
        traced = start("tracing", traced=True)
        encrypted = start("mtls", mtls=True)
        yield [
            Variant("no hop: the replica itself", plain, *plain.replica("inference-v1")),
            Variant("plain hop", plain, "127.0.0.1", plain.port),
            Variant("+ mTLS", encrypted, "127.0.0.1", encrypted.port),
            Variant("+ retries", plain, "127.0.0.1", plain.port, scenario=RETRIES),
            Variant("+ access log", logged, "127.0.0.1", logged.port),
            Variant("+ tracing, every request", traced, "127.0.0.1", traced.port, sampled=True),
        ]


def table(found: list[Variant]) -> str:
    """Ratios to the plain hop, as the medians of all turns."""

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    base = next(one for one in found if one.name == "plain hop")
    lines = [f"{'':28}{'requests/s':>16}{'p50':>16}{'p99':>16}{'CPU a request':>18}"]
    for one in found:
        cells = [
            f"{middle(mine):.{digits}f} {unit} ({middle(mine) / middle(its):.2f})"
            for mine, its, digits, unit in (
                (one.rates, base.rates, 0, "/s"), (one.p50, base.p50, 1, "ms"),
                (one.p99, base.p99, 1, "ms"), (one.cpu, base.cpu, 0, "µs"),
            )
        ]  # fmt: skip
        lines.append(f"{one.name:28}{cells[0]:>16}{cells[1]:>16}{cells[2]:>16}{cells[3]:>18}")
    return (
        "\n".join(lines)
        + "\nIn brackets: the ratio to the plain hop. Times are at a low, constant rate, the same for all."
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=16, help="how many at once (default 16)")
    parser.add_argument("--rate", type=float, default=100, help="requests a second while times are taken (default 100)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each variant (default 3)")
    parser.add_argument("--seconds", type=float, default=3, help="length of each half of a turn (default 3)")
    parser.add_argument("--models", type=Path, help="a folder of trained models, so that they need not be made again")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    args = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    with variants(root, args.models) as found:
        for number, one in itertools.product(range(args.rounds), found):
            one.turn(args.callers, args.rate, args.seconds)
            print(
                f"  turn {number + 1}/{args.rounds}: {one.name:26} {one.rates[-1]:6.0f}/s", file=sys.stderr, flush=True
            )
        text = table(found)
        if args.json:
            numbers = [
                {"name": one.name, "rates": one.rates, "p50": one.p50, "p99": one.p99, "cpu": one.cpu} for one in found
            ]
            args.json.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
