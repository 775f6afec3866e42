"""A Deployment's replicas: as many as wanted, replaced one by one when what they run changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from localmesh.errors import LocalmeshError
from localmesh.manifests.model import Deployment
from localmesh.replica import Host, Replica

READY_SECONDS = 60.0
"""How long a verb waits for a replica; a manifest's own limits act besides."""


class Workload:
    """One Deployment at work. Verbs wait for each other."""

    def __init__(self, host: Host, deployment: Deployment) -> None:
        self.deployment = deployment
        self.desired = deployment.replicas
        self._host = host
        self._slots: dict[int, Replica] = {}
        self._leaving: set[Replica] = set()
        self._arriving: set[Replica] = set()
        self._verbs = asyncio.Lock()
        self._going: set[asyncio.Task[None]] = set()

    @property
    def replicas(self) -> list[Replica]:
        """Those that count, by slot."""
        return [self._slots[slot] for slot in sorted(self._slots)]

    @property
    def all_replicas(self) -> list[Replica]:
        """With those that come to replace another and those that are about to go."""
        return [*self.replicas, *self._arriving, *self._leaving]

    @property
    def ready(self) -> bool:
        return len(self._slots) == self.desired and all(replica.ready for replica in self._slots.values())

    @property
    def busy(self) -> bool:
        """Whether a verb or a rollout is under way."""
        return self._verbs.locked()

    def start(self) -> None:
        """Start all replicas, waiting for none."""
        for slot in range(self.desired):
            self._add(slot)

    async def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when all replicas are ready. Raises LocalmeshError after so many seconds."""
        await self._wait(self.replicas, seconds)

    async def scale(self, count: int) -> None:
        """Have `count` replicas: new ones are ready, old ones drained when this returns."""
        async with self._verbs:
            self.desired = count
            added = [self._add(slot) for slot in range(count) if slot not in self._slots]
            gone = [self._slots.pop(slot) for slot in sorted(self._slots) if slot >= count]
            await asyncio.gather(*(self._retire(replica) for replica in gone), self._wait(added))

    async def resize(self, count: int) -> None:
        """Want `count` replicas from now on, waiting for none: new ones serve when ready, old ones drain."""
        async with self._verbs:
            self.desired = count
            for slot in range(count):
                if slot not in self._slots:
                    self._add(slot)
            for slot in [slot for slot in self._slots if slot >= count]:
                task = asyncio.create_task(self._retire(self._slots.pop(slot)))
                self._going.add(task)
                task.add_done_callback(self._going.discard)

    async def restart(self) -> None:
        """Replace every replica by a new one, as the Deployment's strategy says."""
        async with self._verbs:
            await self._replace_all()

    async def update(self, deployment: Deployment, *, replace: bool) -> None:
        """Follow an edited manifest; `replace`: what runs differs, not only how many."""
        async with self._verbs:
            if deployment.replicas != self.deployment.replicas:
                self.desired = deployment.replicas
            self.deployment = deployment
            gone = [self._slots.pop(slot) for slot in sorted(self._slots) if slot >= self.desired]
            await asyncio.gather(*(self._retire(replica) for replica in gone))
            if replace:
                await self._replace_all()
            await self._wait(
                [self._add(slot) for slot in range(self.desired) if slot not in self._slots], READY_SECONDS
            )

    def kill(self) -> tuple[str, int] | None:
        """SIGKILL one process, of a ready replica if there is one: (replica, pid), None when none runs."""
        for replica in sorted(self.replicas, key=lambda replica: not replica.ready):
            pid = replica.kill()
            if pid is not None:
                return replica.name, pid
        return None

    async def stop(self) -> None:
        """Stop all replicas at the same time."""
        replicas = self.all_replicas
        self._leaving.update(replicas)
        self._slots.clear()
        await asyncio.gather(*(self._retire(replica) for replica in replicas))

    def _add(self, slot: int) -> Replica:
        replica = self._slots[slot] = Replica(self._host, self.deployment, slot)
        replica.start()
        return replica

    async def _replace_all(self) -> None:
        if self.deployment.recreate:
            old = self.replicas
            self._slots.clear()
            await asyncio.gather(*(self._retire(replica) for replica in old))
            await self._wait([self._add(replica.slot) for replica in old])
            return
        for old_one in self.replicas:
            if self.deployment.surge == 0:
                await self._retire(self._slots.pop(old_one.slot))
                await self._wait([self._add(old_one.slot)])
            else:
                await self._surge(old_one)

    async def _surge(self, old: Replica) -> None:
        """The new one is ready before the old one goes; when it does not become ready the old one stays."""
        new = Replica(self._host, self.deployment, old.slot)
        self._arriving.add(new)
        new.start()
        try:
            await self._wait([new])
        except BaseException:
            self._arriving.discard(new)
            await new.stop()
            raise
        self._arriving.discard(new)
        self._slots[old.slot] = new
        await self._retire(old)

    async def _retire(self, replica: Replica) -> None:
        self._leaving.add(replica)
        try:
            await replica.stop()
        finally:
            self._leaving.discard(replica)
            self._host.changed()

    async def _wait(self, replicas: Iterable[Replica], seconds: float = READY_SECONDS) -> None:
        waiting = list(replicas)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(replica.wait_ready() for replica in waiting))
        except TimeoutError:
            late = ", ".join(replica.name for replica in waiting if not replica.ready)
            raise LocalmeshError(
                f"{late} did not become ready within {seconds:g} s", f"See the log of {late}."
            ) from None
