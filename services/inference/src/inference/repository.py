"""The models that this process serves: whether they are here yet, and whether their files have changed.

A folder whose files change is loaded beside the model that serves, checked, and takes its place at once; calls that run
go on with the old one, which is gone after the last of them. What is refused changes nothing.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from inference import manifest
from inference.errors import LoadRefused, NotReady, UnknownModel
from inference.manifest import Tampered
from inference.model import Model, Refused
from inference.trust import TrustedKeys

log = structlog.get_logger()

Stamp = tuple[tuple[int, int, int] | None, ...]


class Watcher(Protocol):
    """Who is told of loads; from any thread."""

    def loaded(self, model: Model) -> None:
        """It answers from now on."""

    def refused(self, name: str, version: str) -> None:
        """Its files were refused."""


@dataclass
class _Slot:
    """One served version."""

    model: Model | None = None
    unloaded: bool = False
    """By an administrator."""
    reason: str = ""
    """Why the files were refused when they were last tried; empty: they were not."""
    tried: Stamp | None = None
    seen: Stamp | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the index."""

    name: str
    version: str
    state: str
    reason: str


class Repository:
    """`look` does the work, in a thread; everything else only reads what it left."""

    def __init__(
        self, folder: Path, served: Sequence[tuple[str, str]], watcher: Watcher, keys: TrustedKeys | None = None
    ) -> None:
        self._folder = folder
        self.served = tuple(served)
        self._defaults = dict(reversed(self.served))
        self._watcher = watcher
        self._keys = keys
        self._slots = {key: _Slot() for key in self.served}
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether every served model is here, but for those that were unloaded."""
        return all(slot.model is not None or slot.unloaded for slot in self._slots.values())

    @property
    def models(self) -> list[Model]:
        """Those that are here, in the settings' order."""
        return [slot.model for slot in self._slots.values() if slot.model is not None]

    def versions(self, name: str) -> list[str]:
        """Versions served under a name, the default first. Raises UnknownModel."""
        found = [version for served, version in self.served if served == name]
        if not found:
            raise UnknownModel
        return found

    def get(self, name: str, version: str = "") -> Model:
        """A model; without a version, the name's default. Raises UnknownModel or NotReady."""
        slot = self._slots.get((name, version or self._defaults.get(name, "")))
        if slot is None:
            raise UnknownModel
        if slot.model is None:
            raise NotReady
        return slot.model

    def index(self) -> list[Entry]:
        """Every served version with its state: READY, LOADING (its files are missing or refused) or UNAVAILABLE."""
        return [
            Entry(name, version, _state(slot), "unloaded" if slot.unloaded else slot.reason)
            for (name, version), slot in self._slots.items()
        ]

    def look(self) -> bool:
        """Try what is not here yet, and what has changed; whether all is here now."""
        with self._lock:
            for key, slot in self._slots.items():
                if not slot.unloaded and (slot.model is None or self._changed(key, slot)):
                    self._try(key, slot)
        return self.ready

    async def follow(self, look_again_seconds: float, looked: Callable[[bool], None]) -> None:
        """Look in a thread, so that all else goes on meanwhile, tell whether all is here, and look again; for ever."""
        while True:
            looked(await asyncio.to_thread(self.look))
            await asyncio.sleep(look_again_seconds)

    def load(self, name: str) -> None:
        """Load every served version of a name anew, from its files as they are. Raises UnknownModel or LoadRefused."""
        with self._lock:
            good = [self._try((name, version), self._slots[name, version]) for version in self.versions(name)]
        if not all(good):
            raise LoadRefused

    def unload(self, name: str) -> None:
        """Serve a name no more, until it is loaded again. Raises UnknownModel."""
        with self._lock:
            for version in self.versions(name):
                slot = self._slots[name, version]
                slot.model, slot.unloaded = None, True
                log.info("model unloaded", model=name, model_version=version)

    def _changed(self, key: tuple[str, str], slot: _Slot) -> bool:
        """Whether the files are others than those last tried, and as they were at the last look: copying takes time."""
        stamp = self._stamp(key)
        settled, slot.seen = stamp == slot.seen, stamp
        return settled and stamp != slot.tried and stamp[0] is not None

    def _stamp(self, key: tuple[str, str]) -> Stamp:
        return manifest.stamp(self._folder / key[0] / key[1])

    def _try(self, key: tuple[str, str], slot: _Slot) -> bool:
        name, version = key
        stamp = self._stamp(key)
        try:
            model = Model.load(self._folder, name, version, self._keys)
        except (Tampered, Refused) as refusal:
            reason = str(refusal)
            if (slot.reason, slot.tried) != (reason, stamp):
                log.error("model refused", model=name, model_version=version, reason=reason)  # noqa: TRY400
                self._watcher.refused(name, version)
            slot.reason, slot.tried = reason, stamp
            return False
        self._watcher.loaded(model)
        old, slot.model = slot.model, model
        slot.unloaded, slot.reason, slot.tried = False, "", stamp
        log.info("model ready", model=name, model_version=version, digest=model.digest)
        if old is not None:
            weakref.finalize(old, log.info, "model drained", model=name, model_version=version, digest=old.digest)
        return True


def _state(slot: _Slot) -> str:
    if slot.model is not None:
        return "READY"
    return "UNAVAILABLE" if slot.unloaded else "LOADING"
