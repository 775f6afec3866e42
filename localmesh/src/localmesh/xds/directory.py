"""The folder: written atomically, in an order that never leaves a reference without its target."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localmesh.envoy import Admin
from localmesh.fetch import Unanswered
from localmesh.translate.resources import Resource, Resources
from localmesh.xds import files
from localmesh.xds.refusals import Refusals, Rejected

_POLL_SECONDS = 0.005
_LOOKS = 700
"""How often Envoy is asked whether it has a change: 3.5 s at least. On a busy machine looks take as much longer."""
_REPAIR_LOOKS = 100
"""After so many the files that Envoy does not have are renamed again."""
WITHIN_SECONDS = 60.0
"""For an Envoy that does not answer at all."""


@dataclass(frozen=True)
class Versions:
    """`all`: each file's `version_info`; `changed`: the files that were replaced, added or removed."""

    all: Mapping[str, str]
    changed: frozenset[str]


class XdsDirectory:
    """One folder of xDS files, read by one Envoy and written by one process."""

    def __init__(self, path: Path, log: Path | None = None) -> None:
        """`path` is made when missing. `log`, where Envoy logs, gives the reasons of what it refuses."""
        self.path = path.resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._lock = asyncio.Lock()
        self._resources = Resources()
        self._files: dict[str, bytes] = {}
        self._groups: dict[str, list[Resource]] = {}
        """What each file was made of."""
        self._expected: Counter[str] = Counter()
        """How often Envoy names each version once it has all."""

    def write(self, resources: Resources) -> Versions:
        """Put `resources` into the folder at once: for an Envoy that does not run yet.

        With a running one use `apply`, which removes nothing before its last user has gone.
        """
        changed = self._put(resources)
        return Versions(self._versions(), changed)

    async def apply(self, resources: Resources, admin: Admin, within: float = WITHIN_SECONDS) -> Versions:
        """Make `resources` Envoy's configuration without losing a request: first what is new, last what goes.

        Raises Rejected with Envoy's reasons, or TimeoutError; the configuration of before is then in force again.
        """
        async with self._lock:
            refusals = await self._refusals(admin, within)
            before = self._resources
            changed: set[str] = set()
            try:
                for step in _steps(before, resources):
                    if step == self._resources:
                        continue
                    changed |= self._put(step)
                    await self._wait(admin, within, refusals)
            except (Rejected, TimeoutError):
                await self._restore(before, admin, within)
                raise
            return Versions(self._versions(), frozenset(changed))

    async def in_force(self, admin: Admin, within: float = WITHIN_SECONDS) -> None:
        """Wait until Envoy has what was written. Raises Rejected when it ever refused something, or TimeoutError."""
        await self._wait(admin, within, Refusals.since_start(admin, self._log))

    async def taken(self, admin: Admin, within: float) -> None:
        """Wait until Envoy has what was written, whatever it refused before. Raises TimeoutError."""
        await self._wait(admin, within, None)

    async def _restore(self, before: Resources, admin: Admin, within: float) -> None:
        self._put(before)
        # What matters is why the change failed, not that an Envoy in trouble is slow to go back.
        with suppress(TimeoutError):
            await self.taken(admin, within)

    async def _refusals(self, admin: Admin, within: float) -> Refusals:
        """From now on, once Envoy answers. Raises TimeoutError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    with suppress(Unanswered):
                        return await Refusals.since_now(admin, self._log)
                    await asyncio.sleep(_POLL_SECONDS)
        raise TimeoutError("Envoy does not answer")

    async def _wait(self, admin: Admin, within: float, refusals: Refusals | None) -> None:
        """Until Envoy has all; what is expected changes while we wait, as endpoints come and go."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                for look in range(1, _LOOKS + 1):
                    # An Envoy that is too busy to answer, or that is about to be back, has not said no.
                    with suppress(Unanswered):
                        missing = self._expected - Counter((await admin.texts("version_text$")).values())
                        if not missing:
                            return
                        if refusals is not None:
                            await refusals.check()
                        if look % _REPAIR_LOOKS == 0:
                            self._write_again(missing)
                    await asyncio.sleep(_POLL_SECONDS)
        raise TimeoutError("Envoy did not take the configuration")

    def _put(self, resources: Resources) -> frozenset[str]:
        """Make the files say `resources`; gives the names of those that changed."""
        wanted = files.grouped(resources)
        changed = {
            name: found
            for name, group in wanted.items()
            if group != self._groups.get(name)
            and (found := files.content(self.path, name, group)) != self._files.get(name)
        }
        for name in sorted(changed, key=self._stage):
            self._replace(name, changed[name])
        gone = sorted(self._files.keys() - wanted.keys(), key=self._stage, reverse=True)
        for name in gone:
            (self.path / name).unlink(missing_ok=True)
            del self._files[name]
        self._resources, self._groups = resources, wanted
        versions = self._versions()
        self._expected = Counter({versions[name]: count for name, count in files.readers(resources).items()})
        return frozenset([*changed, *gone])

    def _write_again(self, missing: Container[str]) -> None:
        """Late is what an update mostly is; but what is renamed while a queue of inotify's is full is never told."""
        for name, content in list(self._files.items()):
            if files.version(content) in missing:
                self._replace(name, content)

    def _stage(self, name: str) -> tuple[int, str]:
        return files.stage(name, is_new=name not in self._files), name

    def _replace(self, name: str, content: bytes) -> None:
        target = self.path / name
        target.parent.mkdir(exist_ok=True)
        temporary = target.with_suffix(".tmp")
        temporary.write_bytes(content)
        temporary.replace(target)
        self._files[name] = content

    def _versions(self) -> dict[str, str]:
        return {name: files.version(content) for name, content in self._files.items()}


def _steps(before: Resources, after: Resources) -> list[Resources]:
    """What to put in force, one after the other: what goes is kept until no route needs it."""
    clusters = (*after.clusters, *_missing(before.clusters, after.clusters, "name"))
    endpoints = (*after.endpoints, *_missing(before.endpoints, after.endpoints, "cluster_name"))
    # Endpoints may lead to listeners of this same change, which then must be there before them.
    inbound = [one for one in after.listeners if one.get("traffic_direction") == "INBOUND"]
    listening = (*before.listeners, *_missing(inbound, before.listeners, "name"))
    fresh = _missing(after.endpoints, before.endpoints, "cluster_name")
    # Filters of listeners to come are new; those of listeners that stay change with the routes.
    added = (*before.filters, *_missing(after.filters, before.filters, "name"))
    ready = Resources(clusters, (*before.endpoints, *fresh), listening, before.routes, added)
    reachable = Resources(clusters, endpoints, listening, before.routes, added)
    routed = Resources(
        clusters,
        endpoints,
        (*after.listeners, *_missing(before.listeners, after.listeners, "name")),
        (*after.routes, *_missing(before.routes, after.routes, "name")),
        (*after.filters, *_missing(before.filters, after.filters, "name")),
    )
    return [*([ready] if len(listening) > len(before.listeners) else []), reachable, routed, after]


def _missing(before: Iterable[Resource], after: Iterable[Resource], key: str) -> list[Resource]:
    present = {resource[key] for resource in after}
    return [resource for resource in before if resource[key] not in present]
