"""Fuzz localmesh's translation against a real istiod: `python tests/fuzz/run.py --oracle PATH [--documents N]`.

Fresh documents unless `--first` says where to begin. Each fault goes to standard output, and the exit code says whether
there was one. With `--record` the documents and answers become the corpus of `test_fuzz.py`, which needs no istiod.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
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
    sys.stdout.write(f"{number}: {json.dumps(documents.document(number))}\n{problem}\n\n")
    sys.stdout.flush()


def fuzz(path: Path, first: int, count: int) -> int:
    """Judge `count` documents; how many are wrong."""
    found = {"the same": 0, "refused": 0, "wrong": 0}
    for start in range(first, first + count, oracle.BATCH):
        numbers = range(start, min(start + oracle.BATCH, first + count))
        for number, ours, _, problem in judged(path, numbers):
            found["wrong" if problem else "refused" if ours.refusal else "the same"] += 1
            if problem:
                report(number, problem)
    words = ", ".join(f"{number} {what}" for what, number in found.items())
    sys.stdout.write(f"{count} documents from number {first}: {words}\n")
    return found["wrong"]


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
        sys.exit(bool(fuzz(arguments.oracle, arguments.first, arguments.documents)))


if __name__ == "__main__":
    main()
