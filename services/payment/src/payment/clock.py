"""The time, as something that is handed in: tests move it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Whole milliseconds since 1970 (UTC). Wall time, because leases must outlive the process that gave them."""

    def now(self) -> int:
        """Tell the time."""


class SystemClock:
    """The machine's own."""

    def now(self) -> int:
        """Tell the time."""
        return time.time_ns() // 1_000_000
