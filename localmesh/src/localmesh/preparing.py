"""Preparations at work: processes that make what some workloads need, while the others start."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from localmesh.environment import machine_variables
from localmesh.errors import LocalmeshError
from localmesh.manifests.model import Deployment
from localmesh.orphans import Records
from localmesh.process import Command, Process, last_line
from localmesh.product import Preparation
from localmesh.state import StateFolder


class Preparations:
    """Runs each, once a start. A workload that needs one waits in `wait_for`."""

    def __init__(
        self, state: StateFolder, root: Path, preparations: Iterable[Preparation], say: Callable[[str], None]
    ) -> None:
        self._state = state
        self._root = root
        self._say = say
        self._all = tuple(preparations)
        self._tasks: list[tuple[Preparation, asyncio.Task[None]]] = []

    def start(self, records: Records) -> None:
        """Begin all of them."""
        self._tasks = [(one, asyncio.create_task(self._run(one, records))) for one in self._all]

    async def wait_for(self, deployment: Deployment) -> None:
        """Return when nothing holds this workload up; never, when what it needs could not be made."""
        for preparation, task in self._tasks:
            if preparation.holds_up(deployment):
                await asyncio.wait([task])
                if task.cancelled() or task.exception() is not None:
                    await asyncio.Event().wait()

    async def finished(self) -> None:
        """Return when all are done. Raises LocalmeshError when one could not be done."""
        for _, task in self._tasks:
            await asyncio.shield(task)

    async def stop(self) -> None:
        """End what is under way."""
        for _, task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, LocalmeshError):
                await task

    async def _run(self, preparation: Preparation, records: Records) -> None:
        began = time.monotonic()
        self._say(f"{preparation.title} …")
        log = self._state.log("prepare")
        env = {**machine_variables(), "LOCALMESH_STATE": str(self._state.path)}
        process = await Process.start(Command(preparation.command(self._state), env, self._root, log))
        records.add(process.pid, preparation.title)
        try:
            code = await process.wait()
        finally:
            await process.stop(0)
            records.remove(process.pid)
        if code != 0:
            raise LocalmeshError(f"{preparation.title} failed: {last_line(log)}", f"See {log}.")
        self._say(f"{preparation.title}: done in {time.monotonic() - began:.1f} s")
