"""Fuzz localmesh's translation against a real istiod: `python tests/fuzz/run.py --oracle PATH [--documents N]`.

Fresh documents unless `--first` says where to begin. Each fault goes to standard output, how far it is to standard
error, and the exit code says whether there was a fault; Ctrl-C ends it with what was seen so far. With `--record` the
documents and answers become the corpus of `test_fuzz.py`, which needs no istiod.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import corpus, documents, oracle
from fuzz.judging import fault
from fuzz.translation import Answers, Translation, translated

RECORDED = 200


def judged(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Translation, Answers | str | None, str]]:
    """Number, localmesh's translation, istiod's answers, and what is wrong.

    istiod is asked only what localmesh translates: a refusal is right whatever istiod says.
    """
    ours = {number: translated(documents.folder(number), documents.callers(number)) for number in numbers}
    theirs = oracle.ask(path, {number: documents.folder(number) for number, one in ours.items() if one.answers})
    for number, one in ours.items():
        yield number, one, theirs.get(number), fault(one, theirs.get(number))


def report(number: int, problem: str) -> None:
    """Say what is wrong with a document."""
    sys.stdout.write(f"{number}: {json.dumps(documents.folder(number))}\n{problem}\n\n")
    sys.stdout.flush()


@dataclass
class Seen:
    """What became of the documents so far."""

    first: int
    found: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """Of those that are the same."""

    def add(self, number: int, ours: Translation, problem: str) -> None:
        """Count one."""
        what = "wrong" if problem else "refused" if ours.refusal else "the same"
        self.found[what] += 1
        if what == "the same":
            self.kinds[documents.folder(number)[-1]["kind"]] += 1

    def __str__(self) -> str:
        total = self.found.total()
        share = f" ({self.found['the same'] / total:.0%})" if total else ""
        words = (
            f"{self.found['the same']} the same{share}, {self.found['refused']} refused, {self.found['wrong']} wrong"
        )
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))
        return f"{total} documents from number {self.first}: {words}; the same by kind: {kinds or 'none'}"


def fuzz(path: Path, first: int, count: int) -> Seen:
    """Judge `count` documents, or as many as there is time for until Ctrl-C."""
    seen, began = Seen(first), time.monotonic()
    try:
        for start in range(first, first + count, oracle.BATCH):
            numbers = range(start, min(start + oracle.BATCH, first + count))
            for number, ours, _, problem in judged(path, numbers):
                seen.add(number, ours, problem)
                if problem:
                    report(number, problem)
            done, wrong = seen.found.total(), seen.found["wrong"]
            sys.stderr.write(f"{done} of {count} documents in {time.monotonic() - began:.0f} s, {wrong} wrong\n")
    except KeyboardInterrupt:
        sys.stderr.write("cut short\n")
    finally:
        sys.stdout.write(f"{seen}\n")
    return seen


def record(path: Path) -> None:
    """Make the corpus of the first documents that are right; the others are reported."""
    entries: list[tuple[int, list[documents.Document], Answers | str | None]] = []
    starts = itertools.count(0, oracle.BATCH)
    while len(entries) < RECORDED:
        start = next(starts)
        for number, _, theirs, problem in judged(path, range(start, start + oracle.BATCH)):
            if problem:
                report(number, problem)
            else:
                entries.append((number, documents.folder(number), theirs))
    corpus.record(entries[:RECORDED])


def main() -> None:
    """Read the arguments, ask, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", type=Path, default=os.environ.get("ORACLE"))
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--first", type=int, default=int(time.time()) * 10)
    parser.add_argument("--record", action="store_true", help="make the corpus anew")
    arguments = parser.parse_args()
    if arguments.oracle is None:
        parser.error("name the program that asks istiod: --oracle PATH, or ORACLE")
    if arguments.record:
        record(arguments.oracle)
    else:
        seen = fuzz(arguments.oracle, arguments.first, arguments.documents)
        sys.exit(bool(seen.found["wrong"] or seen.found.total() < arguments.documents))


if __name__ == "__main__":
    main()
