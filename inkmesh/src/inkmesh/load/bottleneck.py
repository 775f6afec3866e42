"""Whether the load generator itself was what limited a run."""

from __future__ import annotations

from dataclasses import dataclass

from inkmesh.load.series import Series

BUSY_CORES = 0.9
"""It is one process of one thread: with this much of a core it has no time left."""
LATE_SECONDS = 0.1
SHARE = 0.1
"""Of the seconds that may be so."""
SENT_MS = 100.0
"""Open arrivals: 95 % must be sent within this from when they were due, or the wait is the generator's own."""
NOT_SENT = 0.001
"""Of all requests that may be dropped unsent."""


@dataclass(frozen=True)
class Own:
    """The load generator's part: its most CPU (cores), its worst lag (seconds), how late it sent, what it did not."""

    cores: float
    late: float
    sent_ms: float | None
    """95 % were sent within this from when they were due; None: arrivals were not open."""
    not_sent: int
    limited: bool

    @property
    def starved(self) -> bool:
        """Late without being busy: others on its machine took its time."""
        return self.limited and self.cores <= BUSY_CORES

    def __str__(self) -> str:
        said = f"{self.cores:.1f} of a core at most, {self.late * 1000:.0f} ms late at worst"
        if self.sent_ms is not None:
            said += f", 95 % sent within {self.sent_ms:.0f} ms of when they were due"
        if self.not_sent:
            said += f", {self.not_sent} requests not sent"
        return said


def own_part(series: Series) -> Own:
    """Too busy or too late in more than a tenth of the seconds, or with requests sent late or not at all."""
    cpu, lag, sent_ms = series.own("cpu"), series.own("lag"), series.sent_late(0.95)
    slow = sum((busy or 0) > BUSY_CORES or (late or 0) > LATE_SECONDS for busy, late in zip(cpu.y, lag.y, strict=True))
    not_sent = series.totals("errors")["not sent"]
    limited = (
        slow > SHARE * max(1, len(cpu.y))
        or not_sent > NOT_SENT * series.totals("requests").total()
        or (sent_ms or 0) > SENT_MS
    )
    return Own(cpu.highest(), lag.highest(), sent_ms, not_sent, limited)
