"""The load generator: Locust as a process of its own, so that its work is not ours."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localmesh.environment import machine_variables
from localmesh.errors import LocalmeshError
from localmesh.process import Command, Process

GRACE_SECONDS = 20.0
"""How long it may take to end after its shape did: visitors leave, and compare their books."""

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Plan:
    """What to load with. `peak` is users, or arrivals a second where `arrivals` is open; times in seconds."""

    shape: str
    arrivals: str
    peak: int
    seconds: float
    rest: float = 0.0
    steps: int = 4
    drift: str = ""
    """How digits go bad (loadtest/drift.py) after a third of the shape; empty: they do not."""
    more: tuple[str, ...] = ()
    """Further words for Locust."""

    @property
    def total(self) -> float:
        """How long it takes, the rest included."""
        return self.seconds + self.rest

    def as_dict(self) -> dict[str, Any]:
        """For the recording."""
        found = {"shape": self.shape, "arrivals": self.arrivals, "peak": self.peak}
        found |= {"seconds": self.seconds, "rest": self.rest, "steps": self.steps}
        return found | ({"drift": self.drift, "drift_after": self.seconds / 3} if self.drift else {})

    def words(self, locustfile: Path, host: str, journal: Path) -> list[str]:
        """The command line."""
        return [
            sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--host", host, "--only-summary",
            "--exit-code-on-error", "0", "--loglevel", "WARNING", "--journal", str(journal),
            "--shape", self.shape, "--users", str(self.peak), "--run-time", f"{self.seconds:g}",
            "--arrivals", self.arrivals, "--shape-rest", f"{self.rest:g}", "--shape-steps", str(self.steps),
            "--drift", self.drift, "--drift-after", f"{self.seconds / 3:g}",
            *self.more,
        ]  # fmt: skip


def check(root: Path) -> Path:
    """The locustfile. Raises LocalmeshError when it or Locust is not there."""
    locustfile = root / "loadtest" / "locustfile.py"
    if not locustfile.is_file():
        raise LocalmeshError(f"there is no {locustfile}", "Run it in a checkout.")
    missing = [name for name in ("locust", "matplotlib") if importlib.util.find_spec(name) is None]
    if missing:
        step = f"In {root}: `.venv/bin/uv sync --frozen --inexact --no-dev --group load --group report`."
        raise LocalmeshError(f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not installed", step)
    return locustfile


class Locust:
    """One run of it. Use as an async context manager: leaving stops it."""

    def __init__(self, words: list[str], folder: Path, journal: Path) -> None:
        self._words = words
        self._log = folder / "locust.log"
        self._journal = journal
        self._read = 0
        self._process: Process | None = None

    async def __aenter__(self) -> Locust:
        folder = self._log.parent
        self._process = await Process.start(Command(tuple(self._words), machine_variables(), folder, self._log))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process:
            await self._process.stop(GRACE_SECONDS)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    async def first_lines(self) -> list[dict[str, Any]]:
        """Wait until it loads: that takes it a moment. Empty when it ended before."""
        while self.running:
            if found := self.lines():
                return found
            await asyncio.sleep(_POLL_SECONDS)
        return []

    def lines(self) -> list[dict[str, Any]]:
        """What the journal has since it was asked before."""
        try:
            with self._journal.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    async def check_end(self) -> None:
        """Raises LocalmeshError when it ended with an error; it must have ended."""
        code = await self._process.wait() if self._process else 0
        if code:
            words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            why = f": {words[-1][:200]}" if words else ""
            raise LocalmeshError(f"Locust ended with code {code}{why}", f"See {self._log}.")
