"""The models that this process serves, and whether they are here yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from inference.errors import NotReady, UnknownModel
from inference.manifest import Tampered
from inference.model import Model, Refused

log = structlog.get_logger()


class Repository:
    """Loads each served model once its files are good; until then the model is known, and not ready."""

    def __init__(self, folder: Path, served: Sequence[tuple[str, str]]) -> None:
        self._folder = folder
        self.served = tuple(served)
        self._models: dict[tuple[str, str], Model] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    @property
    def ready(self) -> bool:
        """Whether every served model is here."""
        return len(self._models) == len(self.served)

    @property
    def models(self) -> list[Model]:
        """Those that are here, in the settings' order."""
        return [self._models[key] for key in self.served if key in self._models]

    def versions(self, name: str) -> list[str]:
        """Versions served under a name, the default first. Raises UnknownModel."""
        found = [version for served, version in self.served if served == name]
        if not found:
            raise UnknownModel
        return found

    def get(self, name: str, version: str = "") -> Model:
        """A model; without a version, the name's default. Raises UnknownModel or NotReady."""
        versions = self.versions(name)
        key = (name, version or versions[0])
        if key not in self.served:
            raise UnknownModel
        model = self._models.get(key)
        if model is None:
            raise NotReady
        return model

    def load(self) -> bool:
        """Try what is not here yet, logging each new reason against it; whether all is here now."""
        for key in self.served:
            if key not in self._models:
                self._try(key)
        return self.ready

    async def load_until_ready(self, look_again_seconds: float, loaded: Callable[[], None]) -> None:
        """Load in a thread, so that liveness answers meanwhile; look again while files are missing or refused."""
        while not await asyncio.to_thread(self.load):  # noqa: ASYNC110 (files make no event)
            await asyncio.sleep(look_again_seconds)
        loaded()

    def _try(self, key: tuple[str, str]) -> None:
        name, version = key
        try:
            model = Model.load(self._folder, name, version)
        except (Tampered, Refused) as refusal:
            reason = str(refusal)
            if self._reasons.get(key) != reason:
                self._reasons[key] = reason
                log.error("model refused", model=name, model_version=version, reason=reason)  # noqa: TRY400
            return
        self._models[key] = model
        log.info("model ready", model=name, model_version=version, digest=model.digest)
