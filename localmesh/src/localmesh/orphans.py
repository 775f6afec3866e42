"""Processes of a copy whose supervisor is gone: recorded while they run, found and ended at the next start."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import psutil

from localmesh.state import StateFolder

_SAME_START_SECONDS = 1.0
_MARK = "LOCALMESH_STATE"


class Records:
    """The processes that run now, on disk: pid and start time say who is meant, also after a pid was used again."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._found: dict[int, tuple[str, float]] = {}

    def add(self, pid: int, name: str) -> None:
        """A process started."""
        with suppress(psutil.Error):
            self._found[pid] = (name, psutil.Process(pid).create_time())
            self._write()

    def remove(self, pid: int) -> None:
        """A process is gone, and with it its group."""
        if self._found.pop(pid, None):
            self._write()

    def _write(self) -> None:
        entries = [{"pid": pid, "name": name, "created": created} for pid, (name, created) in self._found.items()]
        self._state.write_json(self._state.processes, entries)


def leftovers(state: StateFolder) -> list[tuple[int, str]]:
    """(pid, name) of processes that a supervisor left behind, with all that is in their sessions."""
    found: list[tuple[int, str]] = []
    sessions = _sessions()
    for entry in state.read_json(state.processes) or []:
        leader, name = int(entry["pid"]), str(entry["name"])
        created = float(entry["created"])
        found += [(pid, name) for pid in sessions.get(leader, []) if _is_ours(pid, leader, created, state)]
    return found


def _is_ours(pid: int, leader: int, created: float, state: StateFolder) -> bool:
    try:
        process = psutil.Process(pid)
        if pid == leader:
            return abs(process.create_time() - created) < _SAME_START_SECONDS
        return process.environ().get(_MARK) == str(state.path)
    except psutil.Error:
        return False


def _sessions() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for pid in psutil.pids():
        with suppress(OSError):
            found.setdefault(os.getsid(pid), []).append(pid)
    return found


def end_leftovers(state: StateFolder, grace: float = 2.0) -> list[str]:
    """End them: SIGTERM, then SIGKILL; gives the names of those found. The state folder's lock must be ours."""
    found = leftovers(state)
    processes = []
    for pid, _ in found:
        with suppress(psutil.Error):
            processes.append(psutil.Process(pid))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with suppress(psutil.Error):
                process.send_signal(number)
        _, processes = psutil.wait_procs(processes, timeout=grace)
        if not processes:
            break
    state.processes.unlink(missing_ok=True)
    return [name for _, name in found]
