"""How many readings are under way at once: what comes on top is refused while the rest is still answered in time.

Without it every arrival beyond what the services can do waits behind all before it, until deadlines pass and the work
that was done for them is lost. How many that are no count says for all machines: it is known by how long readings take.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.errors import overloaded
from gateway.settings import LiveSettings
from runtime.live import Live

LEAST = 16
"""So many are always let in: what makes readings slow may be something else than too many of them."""
SMOOTHING = 0.1
"""The weight of the newest reading in the mean of how long they take: a few slow ones are no overload."""
GROWTH = 0.1
"""More places for each reading that came back while the mean is in time."""


class Admission:
    """`began = enter()`, and `leave(began)` for each that was let in. One event loop's own; `clock` in seconds."""

    def __init__(self, live: Live[LiveSettings], clock: Callable[[], float] = time.perf_counter) -> None:
        self._live = live
        self._clock = clock
        self._inside = 0
        self._places = float(live.value.readings_at_once)
        self._took = 0.0
        self._bounded_at = 0.0

    def enter(self) -> float:
        """Let one reading in. Raises Fault(UNAVAILABLE), 503 with Retry-After."""
        if self._inside >= min(self._places, self._live.value.readings_at_once):
            raise overloaded()
        self._inside += 1
        return self._clock()

    def leave(self, began: float) -> None:
        """It is answered, with a reading or a fault."""
        now, settings = self._clock(), self._live.value
        self._took += SMOOTHING * (now - began - self._took)
        if self._took <= settings.reading_seconds:
            self._places = min(self._places + GROWTH, settings.readings_at_once)
        elif began > self._bounded_at:  # who came before was let in by the bound before
            # Little's law: as many as are answered within the time at the rate of now.
            self._places = max(LEAST, self._inside * settings.reading_seconds / self._took)
            self._bounded_at = now
        self._inside -= 1
