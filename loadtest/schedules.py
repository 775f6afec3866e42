"""How many users at which second: the shapes as plain functions of time, with nothing of Locust in them."""

from __future__ import annotations

import math


def steps(second: float, *, peak: int, seconds: float, count: int, base: float, rest: float) -> int | None:
    """`count` equal steps up to `peak`, equally long, over `seconds`; then a share of it, `base`, for `rest`."""
    if second >= seconds + rest:
        return None
    if second >= seconds:
        return max(1, round(peak * base))
    return math.ceil(peak * (int(second * count / seconds) + 1) / count)


def spike(second: float, *, peak: int, seconds: float, base: float, rest: float) -> int | None:
    """A tenth, say (`base`), of `peak` for a quarter of the time, `peak` for the next half, then the base again."""
    if second >= seconds + rest:
        return None
    return peak if seconds / 4 <= second < seconds * 3 / 4 else max(1, round(peak * base))


def overload(second: float, *, peak: int, seconds: float) -> int | None:
    """A third of `peak` for a quarter of the time, `peak` for the next half, a third of it again."""
    return spike(second, peak=peak, seconds=seconds, base=1 / 3, rest=0)


def soak(second: float, *, peak: int, seconds: float) -> int | None:
    """`peak` all the time."""
    return peak if second < seconds else None


def breakpoint_(second: float, *, peak: int, seconds: float) -> int | None:
    """From nothing up to `peak`, evenly: somewhere on the way it breaks."""
    return max(1, round(peak * second / seconds)) if second < seconds else None
