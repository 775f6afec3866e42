"""How many readings are under way at once: what comes on top is refused while the rest is still answered in time.

Without it every arrival beyond what the services can do waits behind all before it, until deadlines pass and the work
that was done for them is lost.
"""

from __future__ import annotations

from gateway.errors import overloaded
from gateway.settings import LiveSettings
from runtime.live import Live


class Admission:
    """`with admission:` is one reading. Raises Fault(UNAVAILABLE), 503 with Retry-After."""

    def __init__(self, live: Live[LiveSettings]) -> None:
        self._live = live
        self._inside = 0

    def __enter__(self) -> None:
        if self._inside >= self._live.value.readings_at_once:
            raise overloaded()
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1
