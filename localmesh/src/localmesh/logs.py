"""Showing logs: of one workload or of all, with who says it before each line, and on as they grow."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from localmesh.errors import LocalmeshError
from localmesh.state import StateFolder

_POLL_SECONDS = 0.2


def files_of(state: StateFolder, workload: str | None) -> list[Path]:
    """The logs of a workload's replicas, or of everything. Raises LocalmeshError that lists the names."""
    every = sorted(state.logs.glob("*.log"))
    if workload is None:
        return every
    found = [file for file in every if file.stem == workload or file.stem.rpartition("-")[0] == workload]
    if not found:
        names = sorted({file.stem for file in every})
        raise LocalmeshError(f"there is no log of `{workload}`", f"There is: {', '.join(names) or 'none yet'}.")
    return found


def show(state: StateFolder, workload: str | None, count: int, *, follow: bool) -> None:
    """Print the last `count` lines of each log, then, when asked to, what comes."""
    files = files_of(state, workload)
    for file in files:
        _print(file, _tail(file, count), prefix=len(files) > 1)
    if follow:
        _follow(state, workload)


def _tail(file: Path, count: int) -> list[str]:
    with file.open("rb") as reader:
        size = reader.seek(0, 2)
        reader.seek(max(0, size - 200 * 1024))
        return reader.read().decode(errors="replace").splitlines()[-count:]


def _follow(state: StateFolder, workload: str | None) -> None:
    ends = {file: file.stat().st_size for file in files_of(state, workload)}
    while True:
        time.sleep(_POLL_SECONDS)
        for file in files_of(state, workload):
            lines, ends[file] = _grown(file, ends.get(file, 0))
            _print(file, lines, prefix=len(ends) > 1)


def _grown(file: Path, end: int) -> tuple[list[str], int]:
    size = file.stat().st_size
    if size < end:
        end = 0
    with file.open("rb") as reader:
        reader.seek(end)
        text = reader.read()
    whole = text.rpartition(b"\n")[0]
    return (whole.decode(errors="replace").splitlines(), end + len(whole) + 1) if whole else ([], end)


def _print(file: Path, lines: list[str] | Iterator[str], *, prefix: bool) -> None:
    name = f"{file.stem:<16} | " if prefix else ""
    sys.stdout.write("".join(f"{name}{line}\n" for line in lines))
    sys.stdout.flush()
