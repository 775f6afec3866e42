"""How often an account may read, and how many sessions may begin: counted in this process, refused with 429."""

from __future__ import annotations

import math
import time
from functools import lru_cache

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from gateway.errors import too_many
from gateway.settings import LiveSettings
from runtime.live import Live

SUSTAINED_SECONDS = 10


class Rates:
    """Two fixed windows a limit: the burst in one second, and the rate over ten.

    Fixed windows rather than moving ones: `limits` forgets a fixed window when it ends, and the account of a moving one
    never.
    """

    def __init__(self, live: Live[LiveSettings]) -> None:
        self._live = live
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def reading(self, account_id: str) -> None:
        """Count a reading of this account. Raises Fault(TOO_MANY)."""
        now = self._live.value
        self._count("reading", account_id, now.readings_per_second, now.readings_burst)

    def session(self) -> None:
        """Count a new session. Raises Fault(TOO_MANY)."""
        now = self._live.value
        self._count("session", "all", now.sessions_per_second, now.sessions_burst)

    def _count(self, what: str, who: str, per_second: int, burst: int) -> None:
        for window in _windows(per_second, burst):
            if not self._limiter.hit(window, what, who):
                left = self._limiter.get_window_stats(window, what, who).reset_time - time.time()
                raise too_many(what, max(1, math.ceil(left)))


@lru_cache(maxsize=16)
def _windows(per_second: int, burst: int) -> tuple[RateLimitItemPerSecond, RateLimitItemPerSecond]:
    return RateLimitItemPerSecond(burst, 1), RateLimitItemPerSecond(per_second * SUSTAINED_SECONDS, SUSTAINED_SECONDS)
