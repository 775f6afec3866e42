"""Edits of the YAML in force and of the state folder's secrets, seen by looking at the files' times once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from localmesh.errors import LocalmeshError
from localmesh.supervisor import Supervisor

_PERIOD_SECONDS = 1.0


async def follow_edits(supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """Put each edit in force until cancelled; one that is wrong is refused in one line, and the last good stays."""
    seen = _looks(supervisor.plan.sources)
    secrets = _secrets(supervisor)
    refused = ""
    while True:
        await asyncio.sleep(_PERIOD_SECONDS)
        now, secrets_before, secrets = _looks(seen), secrets, _secrets(supervisor)
        edits = {path for path in seen if now[path] != seen[path]}
        edits |= {path for path, _ in secrets.items() ^ secrets_before.items()}
        changed = ", ".join(sorted(path.name for path in edits))
        # A file that was missing is not among those that are looked at, so what was refused is tried again.
        if changed or refused:
            refused = await _apply(supervisor, changed, refused, say)
        # What was edited while the edit before was put in force is still to be seen: `now` was taken before it.
        seen = _looks(supervisor.plan.sources) | {path: now[path] for path in supervisor.plan.sources if path in now}


async def _apply(supervisor: Supervisor, changed: str, refused: str, say: Callable[[str], None]) -> str:
    """Gives why it was refused, empty when it is in force."""
    try:
        await supervisor.change(supervisor.plan.scenario)
    except LocalmeshError as error:
        if error.what != refused:
            say(f"refused the edit of {changed or 'a file'}: {error.what}")
        return error.what
    say(f"the edit of {changed or 'a file'} is in force")
    return ""


def _secrets(supervisor: Supervisor) -> dict[Path, tuple[int, int]]:
    files = supervisor.state.secrets.glob("*/*")
    return _looks(file for file in files if not file.name.startswith("."))


def _looks(sources: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in sources:
        try:
            stat = path.stat()
            found[path] = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            found[path] = (0, 0)
    return found
