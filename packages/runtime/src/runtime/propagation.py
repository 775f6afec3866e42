"""What a call carries from hop to hop: request id, W3C trace context, cohort, and who served it.

Headers in and out: `x-request-id`, `traceparent`, `tracestate`, `x-cohort`, the cookie `cohort`, and Envoy's
`x-envoy-attempt-count` (in only). Provenance goes the other way, as a structured field (RFC 9651) in `x-inkmesh-path`:

    gateway;version="v1";replica="gateway-0";attempt=1, inference;version="v2";replica="inference-v2-0";attempt=1
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

PATH_HEADER = "x-inkmesh-path"

CARRIED = ("x-request-id", "traceparent", "tracestate", "x-cohort", "cookie", "x-envoy-attempt-count")
"""The headers that `arriving` asks for."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})\Z")
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}\Z")
_COHORT = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_COHORT_COOKIE = re.compile(r"(?:^|;)\s*cohort=([A-Za-z0-9_-]{1,32})(?=;|\s*$)")
_HOP = re.compile(r'([a-z][a-z0-9-]*);version="([^"\\]*)";replica="([^"\\]*)";attempt=(\d{1,4})\Z')


@dataclass(frozen=True, slots=True)
class Hop:
    """Who served one call: the service, its version, the replica, and which attempt reached it (1 = the first)."""

    service: str
    version: str
    replica: str
    attempt: int

    def __str__(self) -> str:
        return f'{self.service};version="{self.version}";replica="{self.replica}";attempt={self.attempt}'


def parse_path(value: str) -> list[Hop]:
    """Read `x-inkmesh-path`; what is not a hop is left out."""
    hops = []
    for part in value.split(","):
        if found := _HOP.match(part.strip()):
            service, version, replica, attempt = found.groups()
            hops.append(Hop(service, version, replica, int(attempt)))
    return hops


@dataclass(slots=True)
class Call:
    """One request as it passes through this process. `hops` grows as upstream calls answer."""

    request_id: str
    trace_id: str
    span_id: str
    trace_flags: str = "01"
    parent_span_id: str = ""
    tracestate: str = ""
    cohort: str = ""
    cohort_cookie: str = ""
    attempt: int = 1
    hops: list[Hop] = field(default_factory=list)

    def outgoing(self) -> list[tuple[str, str]]:
        """What the next hop is told, as pairs that suit both httpx and gRPC's metadata."""
        pairs = [
            ("x-request-id", self.request_id),
            ("traceparent", f"00-{self.trace_id}-{self.span_id}-{self.trace_flags}"),
        ]
        if self.tracestate:
            pairs.append(("tracestate", self.tracestate))
        if self.cohort:
            pairs.append(("x-cohort", self.cohort))
        if self.cohort_cookie:
            pairs.append(("cookie", f"cohort={self.cohort_cookie}"))
        return pairs


def arriving(header: Callable[[str], str | None]) -> Call:
    """Make the Call of a request from its headers. Values that are not well formed are replaced, never carried on."""
    # A span id, and a trace id and a request id if none came: names and no secrets, so they are worth no system call.
    fresh = f"{random.getrandbits(320):080x}"
    call = Call(_well_formed(_REQUEST_ID, header("x-request-id")) or fresh[48:], fresh[16:48], fresh[:16])
    parent = header("traceparent")
    if parent and (found := _TRACEPARENT.match(parent)):
        call.trace_id, call.parent_span_id, call.trace_flags = found.groups()
        call.tracestate = _well_formed(_TRACESTATE, header("tracestate"))
    call.cohort = _well_formed(_COHORT, header("x-cohort"))
    cookie = header("cookie")
    if cookie and (found := _COHORT_COOKIE.search(cookie)):
        call.cohort_cookie = found.group(1)
    attempt = header("x-envoy-attempt-count")
    if attempt and attempt.isascii() and attempt.isdecimal() and len(attempt) < 5:
        call.attempt = int(attempt)
    return call


def _well_formed(pattern: re.Pattern[str], value: str | None) -> str:
    return value if value and pattern.match(value) else ""


_current: ContextVar[Call] = ContextVar("inkmesh_call")


def current() -> Call:
    """The call being served, or a new one outside of any (a sweeper, a command)."""
    found = _current.get(None)
    return found if found is not None else arriving(lambda _: None)


def outgoing_headers() -> dict[str, str]:
    """`current().outgoing()` as headers for httpx."""
    return dict(current().outgoing())


enter = _current.set
leave = _current.reset
