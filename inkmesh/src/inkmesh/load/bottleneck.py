"""Whether the load generator itself was what limited a run."""

from __future__ import annotations

from dataclasses import dataclass

from inkmesh.load.series import Series

BUSY_CORES = 0.9
"""It is one process of one thread: with this much of a core it has no time left."""
LATE_SECONDS = 0.1
SHARE = 0.1
"""Of the seconds that may be so."""


@dataclass(frozen=True)
class Own:
    """The load generator's part: its most CPU (cores), its worst lag (seconds), requests that it could not send."""

    cores: float
    late: float
    not_sent: int
    limited: bool

    @property
    def starved(self) -> bool:
        """Late without being busy: others on its machine took its time."""
        return self.limited and self.cores <= BUSY_CORES and not self.not_sent

    def __str__(self) -> str:
        said = f"{self.cores:.1f} of a core at most, {self.late * 1000:.0f} ms late at worst"
        if self.not_sent:
            said += f", {self.not_sent} requests not sent"
        return said


def own_part(series: Series) -> Own:
    """Too busy or too late in more than a tenth of the seconds, or with requests that it did not send."""
    cpu, lag = series.own("cpu"), series.own("lag")
    slow = sum((busy or 0) > BUSY_CORES or (late or 0) > LATE_SECONDS for busy, late in zip(cpu.y, lag.y, strict=True))
    not_sent = series.totals("errors")["not sent"]
    limited = slow > SHARE * max(1, len(cpu.y)) or not_sent > 0
    return Own(cpu.highest(), lag.highest(), not_sent, limited)
