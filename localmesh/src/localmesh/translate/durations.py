"""Durations as Istio writes them (Go's: `500ms`, `1h30m`) into Envoy's (`0.500s`)."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


@lru_cache(4096)
def nanoseconds(text: str) -> int:
    """How long `text` is. Raises ValueError when it is no Go duration."""
    rest = text.removeprefix("-").removeprefix("+")
    total = Fraction(0)
    parts = _PART.findall(rest)
    if rest != "0" and (not parts or "".join(number + unit for number, unit in parts) != rest):
        raise ValueError(f"{text!r} is no duration; write it as 500ms, 5s or 1m30s")
    for number, unit in parts:
        total += Fraction(number) * _UNITS[unit]
    return -int(total) if text.startswith("-") else int(total)


def envoy(text: str) -> str:
    """The same duration in proto3 JSON: whole seconds, or 3, 6 or 9 decimals."""
    sign = "-" if text.startswith("-") else ""
    seconds, rest = divmod(abs(nanoseconds(text)), 1_000_000_000)
    if not rest:
        return f"{sign}{seconds}s"
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{sign}{seconds}.{digits}s"


def whole_seconds(text: str) -> int:
    """Seconds, the fraction dropped, as istiod does where Envoy wants a number."""
    return int(nanoseconds(text) / 1_000_000_000)
