"""One process with its group: started so that it dies with us, logged to a file, stopped politely and then not."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localmesh.errors import LocalmeshError

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run, and where its output goes (appended)."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path


class Process:
    """A process that was started; the leader of its own session and group."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.pid = child.pid
        self.started = time.monotonic()

    @classmethod
    async def start(cls, command: Command) -> Process:
        """Raises LocalmeshError when the program is not there or cannot be run."""
        program = shutil.which(command.argv[0], path=command.env.get("PATH"))
        if program is None:
            raise LocalmeshError(f"there is no program `{command.argv[0]}`", "Install it, or put its folder on PATH.")
        command.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        rotate(command.log)
        with command.log.open("ab") as log:
            starting = asyncio.create_task(
                asyncio.create_subprocess_exec(
                    program,
                    *command.argv[1:],
                    env=dict(command.env),
                    cwd=command.cwd,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=_die_with_parent(),
                )
            )
            try:
                child = await asyncio.shield(starting)
            except OSError as error:
                raise LocalmeshError(f"cannot start `{program}`: {error.strerror}", "Look at its command.") from None
            except asyncio.CancelledError:
                # Nobody will know this process: it must not stay.
                await cls(await starting).stop(0)
                raise
        return cls(child)

    @property
    def running(self) -> bool:
        return self._child.returncode is None

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        return await self._child.wait()

    async def stop(self, grace: float) -> None:
        """SIGTERM, up to `grace` seconds, then SIGKILL for the whole group; returns when it is gone."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.wait()
        # Also after a polite end: what it started in its group must not stay.
        self.signal(signal.SIGKILL)
        await self.wait()

    def kill(self) -> None:
        """SIGKILL the group; whoever waits sees it end."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def rotate(log: Path) -> None:
    """Keep a log below its limit: the old part goes to `.1`. Writers append, so cutting the file is safe for them."""
    try:
        if log.stat().st_size < _LOG_LIMIT:
            return
    except FileNotFoundError:
        return
    shutil.copyfile(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)


@functools.cache
def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the system kills the child when we end, however we end; elsewhere the next start cleans up."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    us = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != us:
            os._exit(1)

    return prepare


def last_line(log: Path) -> str:
    """The last line of a log that is not empty; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def exit_reason(code: int) -> str:
    """How a process ended, for a person."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
