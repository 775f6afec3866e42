"""`up`: one copy in the foreground, from the lock to the last process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from localmesh import dataplane
from localmesh.addresses import LOOPBACK, Addresses, can_bind, holder
from localmesh.autoscaling.controller import SYNC_SECONDS
from localmesh.control import ControlServer
from localmesh.copies import Copy
from localmesh.errors import LocalmeshError
from localmesh.orphans import end_leftovers
from localmesh.preparing import Preparations
from localmesh.process import rotate
from localmesh.state import Lock
from localmesh.status import url
from localmesh.supervisor import Supervisor
from localmesh.verbs import Verbs
from localmesh.watch import follow_edits

READY_SECONDS = 120.0
_ROTATE_SECONDS = 10.0
_LOCK_SECONDS = 0.1
SINGLE_ADDRESS = "LOCALMESH_SINGLE_ADDRESS"
"""Set to 1, it makes Linux behave as a system that has 127.0.0.1 only."""
AUTOSCALING_PERIOD = "LOCALMESH_HPA_SYNC_SECONDS"
"""Seconds between two looks at each HorizontalPodAutoscaler; kube-controller-manager's 15 by default."""


async def up(
    copy: Copy, scenario: str | None, say: Callable[[str], None], on_ready: Callable[[Supervisor, str], None]
) -> None:
    """Run until SIGINT, SIGTERM or `down`; nothing is left when this returns. Raises LocalmeshError."""
    _watch_children_without_threads()
    state = copy.state
    state.create()
    lock = Lock(state)
    if not lock.acquire():
        # Somebody who only looked whether it is taken lets go at once.
        await asyncio.sleep(_LOCK_SECONDS)
        if not lock.acquire():
            raise _runs_already(copy)
    async with AsyncExitStack() as stack:
        stack.callback(lock.release)
        for name in end_leftovers(state):
            say(f"ended {name}, left behind by an earlier run")
        _check_port(copy)
        addresses = Addresses.claim(str(state.path), single=os.environ.get(SINGLE_ADDRESS) == "1")
        stack.callback(addresses.close)
        copy.product.make_secrets(state)
        preparations = Preparations(state, copy.root, copy.product.preparations, say)
        supervisor = Supervisor(copy, addresses, preparations, say, _autoscaling_period())
        stack.push_async_callback(_stop, supervisor, say)
        stopping = _stop_on_signals(supervisor.kill)
        say(f"starting {copy.product.name}, with its state in {state.path}")
        await supervisor.start(scenario)
        version = await dataplane.version()
        control = ControlServer(state.socket, Verbs(supervisor, version, stopping).table())
        await control.start()
        stack.push_async_callback(control.stop)
        state.write_json(
            state.summary,
            {
                "pid": os.getpid(),
                "url": url(supervisor),
                "port": copy.port,
                "socket": str(state.socket),
                "root": str(copy.root),
            },
        )
        stack.callback(state.summary.unlink, missing_ok=True)
        await _serve(supervisor, stopping, say, lambda: on_ready(supervisor, version))


async def _serve(
    supervisor: Supervisor, stopping: asyncio.Event, say: Callable[[str], None], on_ready: Callable[[], None]
) -> None:
    stop = asyncio.create_task(stopping.wait())
    becoming = asyncio.create_task(_become_ready(supervisor, on_ready, say))
    helpers = [
        asyncio.create_task(follow_edits(supervisor, say)),
        asyncio.create_task(_keep_logs_small(supervisor)),
        asyncio.create_task(supervisor.autoscaling.run()),
        asyncio.create_task(supervisor.security.run()),
    ]
    try:
        await asyncio.wait({stop, becoming}, return_when=asyncio.FIRST_COMPLETED)
        if becoming.done():
            becoming.result()
        await stop
    finally:
        for task in (stop, becoming, *helpers):
            task.cancel()
        await asyncio.gather(stop, becoming, *helpers, return_exceptions=True)


async def _become_ready(supervisor: Supervisor, on_ready: Callable[[], None], say: Callable[[str], None]) -> None:
    reporter = asyncio.create_task(_report_progress(supervisor, say))
    try:
        await supervisor.wait_base()
        try:
            await supervisor.wait_workloads(READY_SECONDS)
            await reporter
        except LocalmeshError as error:
            # What does not start is looked at and mended best while the rest runs.
            say(f"{error.what}. {error.next_step}")
    finally:
        reporter.cancel()
    on_ready()


async def _report_progress(supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """A line for each workload, and for Envoy, when it is ready."""

    async def one(name: str, ready: Awaitable[None]) -> None:
        with suppress(LocalmeshError):
            await ready
            say(f"{name} is ready")

    waits = [one("envoy", supervisor.dataplane.wait_ready())]
    waits += [one(name, workload.wait_ready(READY_SECONDS)) for name, workload in supervisor.workloads.items()]
    await asyncio.gather(*waits)


async def _keep_logs_small(supervisor: Supervisor) -> None:
    while True:
        await asyncio.sleep(_ROTATE_SECONDS)
        for log in supervisor.state.logs.glob("*.log"):
            rotate(log)


async def _stop(supervisor: Supervisor, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    await supervisor.stop()
    say(f"all stopped in {time.monotonic() - began:.1f} s")


def _watch_children_without_threads() -> None:
    """Python 3.11 would keep a thread for each process; later versions do this by themselves on Linux."""
    if sys.version_info < (3, 12) and hasattr(os, "pidfd_open"):
        watcher = asyncio.PidfdChildWatcher()
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)


def _stop_on_signals(kill: Callable[[], None]) -> asyncio.Event:
    """Set at the first signal; the second one ends the waiting for processes that drain."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard() -> None:
        if stopping.is_set():
            kill()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Who starts us by nohup wants us to stay.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, heard)
    return stopping


def _check_port(copy: Copy) -> None:
    if can_bind(LOOPBACK, copy.port):
        return
    who = holder(copy.port)
    by = f" by {who}" if who else ""
    raise LocalmeshError(
        f"port {copy.port} is in use{by}",
        f"Stop that, or take another port: `{copy.product.name} up --port {copy.port + 1}` "
        f"or {copy.product.env_prefix}_PORT={copy.port + 1}.",
    )


def _autoscaling_period() -> float:
    text = os.environ.get(AUTOSCALING_PERIOD, str(SYNC_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise LocalmeshError(f"{AUTOSCALING_PERIOD} is `{text}`", "Take a number of seconds from 0.1 to 3600.")
    return seconds


def _runs_already(copy: Copy) -> LocalmeshError:
    name, running = copy.product.name, copy.state.running() or {}
    at = f" at {running['url']}" if "url" in running else ", and is about to start or to stop"
    at += f" (pid {running['pid']})" if "pid" in running else ""
    return LocalmeshError(
        f"{name} runs already{at}, with its state in {copy.state.path}",
        f"`{name} down` stops it; a second copy beside it needs {copy.product.env_prefix}_HOME and --port.",
    )
