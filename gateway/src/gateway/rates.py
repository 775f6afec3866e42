"""How often an account may read, and how many sessions may begin: counted in this process, refused with 429."""

from __future__ import annotations

import math
from functools import lru_cache

from throttled import MemoryStore, RateLimiterType, Throttled
from throttled.rate_limiter import per_sec

from gateway.errors import too_many
from gateway.settings import LiveSettings
from runtime.live import Live

ACCOUNTS = 65_536
"""So many of those who were last here are remembered; the longest away is forgotten first."""


class Rates:
    """The generic cell rate algorithm: a burst at once, and from then on what the rate gives back.

    `limits` counts in memory too, with a new thread every 10 ms to forget: a fifth of this process' time under load.
    """

    def __init__(self, live: Live[LiveSettings]) -> None:
        self._live = live
        self._limiter = lru_cache(maxsize=16)(self._make)
        self._store = MemoryStore(options={"MAX_SIZE": ACCOUNTS})

    def reading(self, account_id: str) -> None:
        """Count a reading of this account. Raises Fault(TOO_MANY)."""
        now = self._live.value
        self._count("reading", account_id, now.readings_per_second, now.readings_burst)

    def session(self) -> None:
        """Count a new session. Raises Fault(TOO_MANY)."""
        now = self._live.value
        self._count("session", "all", now.sessions_per_second, now.sessions_burst)

    def _count(self, what: str, who: str, per_second: int, burst: int) -> None:
        result = self._limiter(what, per_second, burst).limit(who)
        if result.limited:
            raise too_many(what, max(1, math.ceil(result.state.retry_after)))

    def _make(self, what: str, per_second: int, burst: int) -> Throttled:
        return Throttled(
            using=RateLimiterType.GCRA.value,
            quota=per_sec(per_second, burst=burst),
            store=self._store,
            key_prefix=f"{what}-{per_second}-{burst}",  # a new limit counts anew
        )
