"""A run as it goes: one line that changes in a terminal, a line every few seconds in a pipe."""

from __future__ import annotations

import sys
from typing import TextIO

from inkmesh.load.recording import Recording
from inkmesh.load.series import quantile

_PIPE_SECONDS = 5


class Progress:
    """Call it each second with what there is."""

    def __init__(self, total: float, out: TextIO | None = None) -> None:
        """`total`: seconds that the run is meant to take."""
        self._total = total
        self._out = out or sys.stdout
        self._count = 0

    def __call__(self, recording: Recording) -> None:
        """Say where it stands."""
        self._count += 1
        if self._out.isatty():
            self._out.write(f"\r\x1b[K{self._line(recording)}")
        elif self._count % _PIPE_SECONDS == 0:
            self._out.write(f"{self._line(recording)}\n")
        self._out.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._out.isatty():
            self._out.write("\n")

    def _line(self, recording: Recording) -> str:
        sample = recording.samples[-1] if recording.samples else {}
        last = recording.seconds[-1] if recording.seconds else {"requests": {}, "errors": {}, "times": {}}
        passed = (sample.get("t") or recording.began) - recording.began
        p95 = quantile(last["times"], 0.95)
        scaled = {one["workload"] for one in sample.get("autoscalers", [])}
        replicas = ", ".join(
            f"{name} {its['ready']}/{its['desired']}"
            for name, its in sample.get("workloads", {}).items()
            if name in scaled and its["desired"]
        )
        unit = "arrivals/s" if recording.plan["arrivals"] == "open" else "users"
        return (
            f"{passed:4.0f}/{self._total:.0f} s  {last.get('users', 0):4d} {unit}  "
            f"{sum(last['requests'].values()):5d}/s  p95 {'-' if p95 is None else f'{p95:.0f}'} ms  "
            f"{sum(last['errors'].values())} failed  {replicas}"
        )
