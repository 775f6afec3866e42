"""Sheds what waited too long to be worth answering, so that an overloaded process goes on answering in time.

The loop takes all requests that have arrived, then answers them one after another: a turn. How long a turn has been
going on is how long its next request has waited already. Knowing it costs a look at the clock.
"""

from __future__ import annotations

import asyncio
import time

from inference.errors import Overloaded


class Admission:
    """One process's door. `seconds`: how long a request may have waited."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began: float | None = None

    def enter(self) -> None:
        """Let one request in. Raises Overloaded."""
        now = time.perf_counter()
        if self._began is None:
            self._began = now
            asyncio.get_running_loop().call_soon(self._turn)  # behind all that has arrived by now
        elif now - self._began > self._seconds:
            raise Overloaded

    def _turn(self) -> None:
        self._began = None
