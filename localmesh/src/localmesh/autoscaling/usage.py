"""How much CPU each replica's process used since it was last looked at: the laptop's metrics-server."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

from localmesh.autoscaling.pods import Usage


class Meter:
    """Remembers each process's CPU time from look to look."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, float, float]] = {}
        """pid → when it was made, when we looked, its CPU seconds then."""

    def look(self, pids: Iterable[int], now: float) -> dict[int, Usage]:
        """Usage since the look before; a process that was not there then has none yet. `now` in seconds."""
        seen, found = {}, {}
        for pid in pids:
            try:
                process = psutil.Process(pid)
                times, made = process.cpu_times(), process.create_time()
            except psutil.Error:
                continue
            used = times.user + times.system
            seen[pid] = (made, now, used)
            before = self._before.get(pid)
            if before and before[0] == made and now > before[1]:
                window = now - before[1]
                found[pid] = Usage(round(1000 * (used - before[2]) / window), now, window)
        self._before = seen
        return found
