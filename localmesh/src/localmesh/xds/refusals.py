"""What Envoy refused, by its counters, and why, by its log: it gives file subscriptions' reasons nowhere else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from localmesh.envoy import Admin

_PATTERN = "update_(rejected|failure)$"
_REASON = re.compile(r"Filesystem config update (?:rejected|failure): (.*?)(?=^\[\d{4}-|\Z)", re.DOTALL | re.MULTILINE)
_LOG_SECONDS = 1.0


class Rejected(RuntimeError):
    """Envoy refused a configuration. `reasons`: Envoy's own words, empty when its log is not known."""

    def __init__(self, subscriptions: Sequence[str], reasons: Sequence[str]) -> None:
        self.subscriptions = tuple(subscriptions)
        self.reasons = tuple(reasons)
        super().__init__(f"Envoy refused {', '.join(subscriptions)}: {'; '.join(reasons) or 'its log says why'}")


class Refusals:
    """Counts of refusals, and where the log ended, at one moment: what comes later is news."""

    def __init__(self, admin: Admin, log: Path | None, counts: dict[str, int], end: int) -> None:
        self._admin = admin
        self._log = log
        self._counts = counts
        self._end = end

    @classmethod
    async def since_now(cls, admin: Admin, log: Path | None) -> Refusals:
        """From this moment on."""
        return cls(admin, log, await admin.counted(_PATTERN), _size(log))

    @classmethod
    def since_start(cls, admin: Admin, log: Path | None) -> Refusals:
        """All since Envoy started."""
        return cls(admin, log, {}, 0)

    async def check(self) -> None:
        """Raise Rejected when something was refused."""
        counts = await self._admin.counted(_PATTERN)
        refused = [name.rpartition(".")[0] for name, count in counts.items() if count > self._counts.get(name, 0)]
        if refused:
            raise Rejected(refused, await self._reasons())

    async def _reasons(self) -> list[str]:
        """Envoy writes its log with a delay."""
        for _ in range(20):
            if reasons := self._logged():
                return reasons
            await asyncio.sleep(_LOG_SECONDS / 20)
        return []

    def _logged(self) -> list[str]:
        if self._log is None or not self._log.exists():
            return []
        with self._log.open("rb") as file:
            file.seek(self._end)
            text = file.read().decode(errors="replace")
        return list(dict.fromkeys(_short(reason) for reason in _REASON.findall(text)))


def _short(reason: str) -> str:
    """Without the dump of the whole resource that Envoy puts before some reasons."""
    name = re.search(r'^name: "(.*)"$', reason, re.MULTILINE)
    _, brace, rest = reason.rpartition("\n}\n: ")
    text = rest if brace else reason
    return " ".join(f"{name.group(1)}: {text}".split()) if brace and name else " ".join(text.split())


def _size(log: Path | None) -> int:
    return log.stat().st_size if log is not None and log.exists() else 0
