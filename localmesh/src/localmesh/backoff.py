"""When a process that ended is started again."""

from __future__ import annotations

_DELAYS = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STABLE_SECONDS = 3.0
"""Who was ready for so long did not fail at its start: its end is the first of a new row."""


class Backoff:
    """At once the first time, then later and later up to 30 s, while the process does not stay up."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """The next end is the first."""
        self._failures = 0

    def next(self, ready_for: float) -> float:
        """Seconds to wait, after an end of a process that was ready for `ready_for` seconds."""
        if ready_for >= STABLE_SECONDS:
            self._failures = 0
        delay = _DELAYS[min(self._failures, len(_DELAYS) - 1)]
        self._failures += 1
        return delay
