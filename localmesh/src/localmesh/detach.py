"""`up --detach`: the same `up` in a session of its own, watched until it is ready; and `down`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from localmesh.errors import LocalmeshError
from localmesh.foreground import Asked, words
from localmesh.session import Session

_READY_SECONDS = 150.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


def start_detached(session: Session, asked: Asked) -> Any:  # noqa: ANN401 (JSON)
    """Start it and show its progress until it is ready; gives its status. Raises LocalmeshError."""
    state, product = session.state, session.product
    state.create()
    log = state.log(product.name)
    with log.open("wb") as out:
        child = subprocess.Popen(
            words(session, asked),
            cwd=session.root,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    with log.open("rb") as reader:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            ended = child.poll() is not None
            lines = reader.read().decode(errors="replace")
            if ended:
                raise _failed(session, log)
            sys.stdout.write("".join(line for line in lines.splitlines(keepends=True) if " s  " in line[:12]))
            sys.stdout.flush()
            if status := _ready(session, child.pid):
                return status
            time.sleep(_POLL_SECONDS)
    raise LocalmeshError(
        f"{product.name} runs, and not all of it is ready after {_READY_SECONDS:g} s",
        f"`{product.name} status` shows what, `{product.name} logs` why, `{product.name} down` stops it.",
    )


def _ready(session: Session, pid: int) -> Any:  # noqa: ANN401 (JSON)
    running = session.state.read_json(session.state.summary)
    if not running or running.get("pid") != pid:
        return None
    try:
        status = session.ask("status")
    except LocalmeshError:
        return None
    return status if status["ready"] else None


def _failed(session: Session, log: Path) -> LocalmeshError:
    """What the child said last, as it would have said it here."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    what = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    step = [line.removeprefix("next:  ") for line in lines if line.startswith("next:  ")]
    return LocalmeshError(what[-1] if what else f"{session.product.name} ended", step[-1] if step else f"See {log}.")


def stop_running(session: Session) -> bool:
    """Stop the running copy and wait until it is gone; False when none runs. Raises LocalmeshError."""
    running = session.state.running()
    if running is None:
        return False
    pid = running.get("pid")
    try:
        session.ask("down")
    except LocalmeshError:
        # It may be about to start, and not listen yet.
        if pid is None:
            raise
        os.kill(int(pid), signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if session.state.running() is None and not (pid and _alive(int(pid))):
            return True
        time.sleep(_POLL_SECONDS)
    raise LocalmeshError(f"it has not stopped within {_STOP_SECONDS:g} s", f"Its process is {pid}; see its log.")


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
