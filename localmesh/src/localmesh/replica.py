"""One replica of a workload: a process that is started, probed, restarted when it ends, and drained when it must go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from localmesh.addresses import Addresses
from localmesh.backoff import Backoff
from localmesh.errors import LocalmeshError
from localmesh.launch import Launcher
from localmesh.manifests.model import Deployment
from localmesh.mesh import Address
from localmesh.orphans import Records
from localmesh.probes import Prober, Unhealthy
from localmesh.process import Process, exit_reason, last_line

DRAIN_SECONDS = 0.05
"""From Envoy's word that an endpoint is gone to the last request that was on its way there."""


@dataclass(frozen=True)
class Host:
    """What replicas need of the copy they are part of."""

    launcher: Launcher
    addresses: Addresses
    records: Records
    changed: Callable[[], None]
    """Called at once when a replica becomes ready or stops being so."""
    say: Callable[[str], None]
    settled: Callable[[], Awaitable[None]]
    """Returns when Envoy has what `changed` told."""
    gate: Callable[[Deployment], Awaitable[None]]
    """Returns when processes of this workload may start."""
    before_replicas: Callable[[], bool] = lambda: False
    """Whether Envoy stands before replicas now, so that the manifest's ports are Envoy's."""


class Replica:
    """Lives from `start` to `stop`, through any number of processes, at one address."""

    def __init__(self, host: Host, deployment: Deployment, slot: int) -> None:
        self.deployment = deployment
        self.slot = slot
        self.name = f"{deployment.name}-{slot}"
        self.ip = host.addresses.replica()
        self.ports: Mapping[str, Address] = {}
        """Where the process listens, by the port's name and by its number."""
        self.inbound: dict[str, Address] = {}
        """Where Envoy listens before it, by the port's name; kept once it was given out."""
        self.ready = False
        self.restarts = 0
        self.started = self.ready_changed = time.monotonic()
        self.process: Process | None = None
        self._host = host
        self._task: asyncio.Task[None] | None = None
        self._became_ready = asyncio.Event()
        self._ready_since = 0.0
        self._backoff = Backoff()

    def start(self) -> None:
        """Begin; `wait_ready` says when it serves."""
        self._task = asyncio.create_task(self._live(), name=self.name)

    async def wait_ready(self) -> None:
        """Return when it is ready."""
        await self._became_ready.wait()

    def kill(self) -> int | None:
        """SIGKILL its process, as if it had crashed; gives the pid, None when there is none now."""
        if self.process is None:
            return None
        self._backoff.reset()
        self.process.kill()
        return self.process.pid

    async def stop(self) -> None:
        """Planned: the endpoint goes, Envoy takes that in, SIGTERM, the manifest's grace, SIGKILL."""
        if self.ready:
            self._set_ready(False)
            await self._drained()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self.process is not None:
            await self._end(self.process)
        self._host.addresses.give_back(self.ip)

    async def _live(self) -> None:
        await self._host.gate(self.deployment)
        while True:
            reason = await self._once()
            ready_for = time.monotonic() - self._ready_since if self._ready_since else 0.0
            self._ready_since = 0.0
            delay = self._backoff.next(ready_for)
            soon = f"again in {delay:g} s" if delay else "starting it again"
            words = "" if ready_for else self._last_words()
            self._host.say(f"{self.name} {reason}{words}; {soon}")
            await asyncio.sleep(delay)
            self.restarts += 1

    async def _once(self) -> str:
        """One process from start to end; gives why it ended."""
        try:
            self._take_ports()
            command = self._host.launcher.command(self.deployment, self.name, self.ip, self.ports)
            process = await Process.start(command)
        except LocalmeshError as error:
            return f"cannot start: {error.what}"
        self.process = process
        self._host.records.add(process.pid, self.name)
        probing = asyncio.create_task(Prober(self.deployment.container, self.ports, self._set_ready).run())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({probing, ended}, return_when=asyncio.FIRST_COMPLETED)
            reason = f"{exit_reason(ended.result())}" if ended.done() else _why(probing)
        finally:
            probing.cancel()
            ended.cancel()
            with suppress(asyncio.CancelledError, Unhealthy):
                await probing
        self._set_ready(False)
        if process.running:
            await self._drained()
        await self._end(process)
        return reason

    async def _drained(self) -> None:
        await self._host.settled()
        await asyncio.sleep(DRAIN_SECONDS)

    async def _end(self, process: Process) -> None:
        await process.stop(self.deployment.grace)
        self._host.records.remove(process.pid)
        self.process = None

    def _last_words(self) -> str:
        """Why it could not start is mostly the last line of its log."""
        line = last_line(self._host.launcher.log(self.name))
        return f" ({line[:200]})" if line else ""

    def take_inbound(self) -> Mapping[str, Address]:
        """Where Envoy listens before the process: the manifest's ports, unless the process was there first."""
        for port in self.deployment.container.ports:
            if port.name not in self.inbound:
                self.inbound[port.name] = self._host.addresses.address(self.ip, port.number)
        return self.inbound

    def _take_ports(self) -> None:
        """The manifest's ports where they are free, and not Envoy's; kept over restarts."""
        found = {}
        fronted = self._host.before_replicas()
        if fronted and not self.ports:
            self.take_inbound()
        for port in self.deployment.container.ports:
            wanted = 0 if fronted else port.number
            address = self.ports.get(port.name) or self._host.addresses.address(self.ip, wanted)
            found[port.name] = found[str(port.number)] = address
        self.ports = found
        if fronted:
            # Envoy is to be there before the process is ready.
            self._host.changed()

    def _set_ready(self, ready: bool) -> None:
        if ready == self.ready:
            return
        self.ready = ready
        self.ready_changed = time.monotonic()
        if ready:
            self._ready_since = time.monotonic()
            self._became_ready.set()
        else:
            self._became_ready.clear()
        self._host.changed()


def _why(probing: asyncio.Task[None]) -> str:
    error = probing.exception()
    return f"is unhealthy: {error}" if isinstance(error, Unhealthy) else f"cannot be probed: {error!r}"
