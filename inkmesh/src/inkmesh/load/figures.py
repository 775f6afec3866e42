"""A run in a few numbers: the report's tiles, and what `compare` sets side by side."""

from __future__ import annotations

from dataclasses import dataclass

from inkmesh.load.scaling import rises
from inkmesh.load.series import Series


@dataclass(frozen=True)
class Figure:
    """A number with its name; `raw` is None where there is none."""

    name: str
    value: str
    raw: float | None
    less_is_better: bool | None = None
    """None: neither."""


def figures(series: Series) -> list[Figure]:
    """In the order in which they are read."""
    requests, failed = series.totals("requests").total(), series.totals("errors").total()
    seconds = max(len(series.x), 1)
    found = [
        _figure("requests a second, on average", requests / seconds, "{:.0f}"),
        _figure("good answers a second, best 5 s", series.steady_good().highest(), "{:.0f}", less=False),
        _figure("p50, ms", series.overall(0.5), "{:.0f}", less=True),
        _figure("p95, ms", series.overall(0.95), "{:.0f}", less=True),
        _figure("p99, ms", series.overall(0.99), "{:.0f}", less=True),
        _figure("failed, %", 100 * failed / requests if requests else None, "{:.2f}", less=True),
        _figure("most replicas wanted", max((rise.most for rise in rises(series)), default=None), "{:.0f}"),
        _figure("seconds to scale up", _slowest(series), "{:.0f}", less=True),
        _figure("CPU seconds per 1000 requests", _cost(series, requests), "{:.1f}", less=True),
    ]
    return [one for one in found if one.raw is not None]


def _figure(name: str, raw: float | None, form: str, *, less: bool | None = None) -> Figure:
    return Figure(name, "-" if raw is None else form.format(raw), raw, less)


def _slowest(series: Series) -> float | None:
    return max((rise.took for rise in rises(series) if rise.took is not None), default=None)


def _cost(series: Series, requests: int) -> float | None:
    used = [y for _, y in series.cpu().known()]
    if not used or not requests:
        return None
    return float(1000 * sum(used) * (series.x[-1] / len(used)) / requests)
