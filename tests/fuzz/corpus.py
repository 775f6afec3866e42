"""The recorded part: documents by their numbers, and istiod's answers, in corpus.jsonl.xz; a JSON object a line.

`number`, `documents` (the folder), and `answers` (caller → what differs from parity's answer to no documents, with null
for what is gone), or `refused` by istiod, or neither where localmesh refused the folder when it was recorded.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fuzz.documents import Document, callers
from fuzz.translation import Answers
from parity import cases

FILE = Path(__file__).with_name("corpus.jsonl.xz")


def record(entries: Iterable[tuple[int, list[Document], Answers | str | None]]) -> None:
    """Write the corpus anew: number, folder, istiod's answers or refusal, None where it was not asked."""
    lines = []
    for number, folder, answers in entries:
        entry: dict[str, Any] = {"number": number, "documents": folder}
        if isinstance(answers, str):
            entry["refused"] = answers
        elif answers is not None:
            entry["answers"] = {caller: _difference(caller, answer) for caller, answer in answers.items()}
        lines.append(json.dumps(entry, sort_keys=True))
    FILE.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9))


def entries() -> Iterator[tuple[int, list[Document], Answers | str | None]]:
    """As they were recorded."""
    for line in lzma.decompress(FILE.read_bytes()).decode().splitlines():
        entry = json.loads(line)
        answers = entry.get("refused")
        if "answers" in entry:
            answers = {caller: _whole(caller, entry["answers"][caller]) for caller in callers(entry["number"])}
        yield entry["number"], entry["documents"], answers


def _difference(caller: str, answer: dict[str, Any]) -> dict[str, Any]:
    nothing = cases.expected(cases.BASELINE, caller)
    gone = dict.fromkeys(nothing.keys() - answer.keys())
    return gone | {key: value for key, value in answer.items() if nothing.get(key) != value}


def _whole(caller: str, difference: dict[str, Any]) -> dict[str, Any]:
    answer = cases.expected(cases.BASELINE, caller) | difference
    return {key: value for key, value in answer.items() if value is not None}
