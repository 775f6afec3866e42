"""What scaling did: each time that more replicas were wanted, when they were ready, and whether it went back."""

from __future__ import annotations

from dataclasses import dataclass

from inkmesh.load.series import Series


@dataclass(frozen=True)
class Rise:
    """From the first decision to have more until the most that were wanted were ready; seconds since the run began."""

    workload: str
    before: int
    most: int
    decided: float
    ready: float | None
    """None: they never were."""

    @property
    def took(self) -> float | None:
        """Seconds from the first decision to the last ready replica."""
        return None if self.ready is None else self.ready - self.decided

    def __str__(self) -> str:
        took = "never all ready" if self.took is None else f"ready in {self.took:.0f} s"
        return f"{self.workload} {self.before} → {self.most}, {took}"


def rises(series: Series) -> list[Rise]:
    """One for each workload that was scaled up."""
    found = []
    for name in series.scaled():
        desired = series.of_workload(name, "desired").known()
        first, most = int(desired[0][1]), int(max(y for _, y in desired))
        if most <= first:
            continue
        decided = next(x for x, y in desired if y > first)
        wanted_at = next(x for x, y in desired if y == most)
        ready = (x for x, y in series.of_workload(name, "ready").known() if x >= wanted_at and y >= most)
        found.append(Rise(name, first, most, decided, next(ready, None)))
    return found


def fell_back(series: Series) -> dict[str, bool]:
    """Workload that was scaled up → whether at the end as few replicas are wanted as at the beginning, or fewer."""
    found = {}
    for rise in rises(series):
        at_last = series.of_workload(rise.workload, "desired").last()
        found[rise.workload] = at_last is not None and at_last <= rise.before
    return found
