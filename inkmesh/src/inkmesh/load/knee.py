"""Where it is full: the load up to which answers come in time, and what is left of them when there is more."""

from __future__ import annotations

from dataclasses import dataclass

from inkmesh.load.series import KNEE_SECONDS, Series

FULL = 0.95
"""Of the peak: the users of the time when there are most."""
FAILING = 0.01
"""Of the requests: what is refused is not answered in time either."""


@dataclass(frozen=True)
class Knee:
    """`load` in users or arrivals a second; `good` answers a second up to there; `passed`: whether it was passed."""

    load: float
    good: float
    passed: bool


def knee(series: Series, p95_ms: float) -> Knee:
    """The most load before the p95 was above `p95_ms`, or more than 1 % failed, for five seconds; all when never."""
    users, end = dict(series.users().known()), series.x[-1] if series.x else 0.0
    failing = dict(series.failing().known())
    late, passed = 0, False
    for x, y in series.latency(0.95).known():
        late = late + 1 if y > p95_ms or failing.get(x, 0) > FAILING else 0
        if late == KNEE_SECONDS:
            end, passed = x - KNEE_SECONDS, True
            break
    good = max((y for x, y in series.steady_good().known() if x <= end), default=0.0)
    return Knee(max((y for x, y in users.items() if x <= end), default=0.0), good, passed)


@dataclass(frozen=True)
class Overload:
    """Good answers a second: the most before there was too much to do, and the mean while there was."""

    before: float
    during: float

    @property
    def share(self) -> float:
        """What is left."""
        return self.during / self.before if self.before else 0.0


def overload(series: Series) -> Overload:
    """Of a run of the shape `overload`."""
    users = series.users()
    full = [x for x, y in users.known() if y >= FULL * users.highest()]
    begin = next((x for x, y in users.known() if y > 1.05 * users.highest() / 3), 0.0)
    good = series.good()
    before = [y for x, y in series.steady_good().known() if x < begin]
    during = [y for x, y in good.known() if full and full[0] <= x <= full[-1]]
    return Overload(max(before, default=0.0), sum(during) / len(during) if during else 0.0)
