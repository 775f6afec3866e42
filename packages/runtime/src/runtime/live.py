"""Settings and secrets that change without a restart: folders that are followed.

A folder is read at start and looked at once a second, by content: inotify's instances run out on small machines, and a
look is a few reads from memory. What is wrong with one file refuses the whole change: the last good stays in force, one
log line says which file and why, and `inkmesh_config_refused` is 1 until the folder is right again. At start nothing
was good before, so the process refuses to start.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import ValidationError

from runtime import logging
from runtime.folder import Files, Refused, read
from runtime.settings import LiveSettings

if TYPE_CHECKING:
    from runtime.telemetry import Telemetry

LOOK_SECONDS = 1.0

T = TypeVar("T")
Settings = TypeVar("Settings", bound=LiveSettings)

log = structlog.get_logger()


class Live(Generic[T]):
    """What is in force: ask for `value` each time it is needed."""

    def __init__(self, value: T) -> None:
        self.value = value


class Reloads:
    """The metrics of all that a process follows; `source` says which folder it is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "inkmesh_config_reloads",
            "Changes of live configuration, by what became of them",
            ["source", "result"],
            registry=registry,
        )
        self._refused = Gauge(
            "inkmesh_config_refused",
            "1 while the folder holds something refused, and the last good is in force",
            ["source"],
            registry=registry,
        )
        self._applied = Gauge(
            "inkmesh_config_applied_timestamp_seconds",
            "When what is in force came into force",
            ["source"],
            registry=registry,
        )

    def started(self, source: str) -> None:
        """The first content is in force."""
        for result in ("applied", "refused"):
            self._count.labels(source, result)
        self._in_force(source)

    def applied(self, source: str) -> None:
        """A change is in force."""
        self._count.labels(source, "applied").inc()
        self._in_force(source)

    def refused(self, source: str) -> None:
        """A change is not in force."""
        self._count.labels(source, "refused").inc()
        self._refused.labels(source).set(1)

    def _in_force(self, source: str) -> None:
        self._refused.labels(source).set(0)
        self._applied.labels(source).set(time.time())


@asynccontextmanager
async def follow(
    source: str, folder: Path, parse: Callable[[Files], T], reloads: Reloads, tell: Callable[[T], None] | None = None
) -> AsyncIterator[Live[T]]:
    """Keep what `parse` makes of the folder in force; `tell` gets each value, the first one too.

    `parse` raises Refused; so does this when the folder is wrong at start.
    """
    try:
        files = read(folder)
        live = Live(parse(files))
    except Refused as error:
        raise Refused(str(folder / error.key), error.why) from None
    follower = _Follower(source, folder, parse, reloads, tell, live, files)
    following = asyncio.create_task(follower.run())
    try:
        yield live
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


class _Follower(Generic[T]):
    def __init__(
        self,
        source: str,
        folder: Path,
        parse: Callable[[Files], T],
        reloads: Reloads,
        tell: Callable[[T], None] | None,
        live: Live[T],
        files: Files,
    ) -> None:
        self._source = source
        self._folder = folder
        self._parse = parse
        self._reloads = reloads
        self._tell = tell
        self._live = live
        self._seen: Files | Refused = files
        reloads.started(source)
        if tell is not None:
            tell(live.value)

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            found = await asyncio.to_thread(_glance, self._folder)
            if found != self._seen:
                self._seen = found
                self._change(found)

    def _change(self, found: Files | Refused) -> None:
        try:
            if isinstance(found, Refused):
                raise found
            value = self._parse(found)
        except Refused as error:
            self._refuse(error)
            return
        except Exception:  # a bug in `parse` must not end the following
            log.exception("unexpected error", source=self._source)
            self._refuse(Refused("", "cannot be understood"))
            return
        self._live.value = value
        if self._tell is not None:
            self._tell(value)
        self._reloads.applied(self._source)
        log.info("configuration applied", source=self._source, folder=str(self._folder))

    def _refuse(self, error: Refused) -> None:
        self._reloads.refused(self._source)
        log.error("configuration refused", source=self._source, file=str(self._folder / error.key), why=error.why)


def _glance(folder: Path) -> Files | Refused:
    try:
        return read(folder)
    except Refused as error:
        return error


@asynccontextmanager
async def follow_settings(folder: str, model: type[Settings], telemetry: Telemetry) -> AsyncIterator[Live[Settings]]:
    """A service's live settings; the log level switches with them. No folder (empty, missing): the defaults.

    Raises Refused when the folder is wrong at start.
    """
    parse = partial(parse_settings, model)
    if not folder:
        yield Live(parse({}))
        return
    async with follow("settings", Path(folder), parse, telemetry.reloads, _switch_level) as live:
        yield live


def _switch_level(settings: LiveSettings) -> None:
    logging.set_level(settings.log_level)


def parse_settings(model: type[Settings], files: Files) -> Settings:
    """The model from text, a file a field. Raises Refused."""
    values = {}
    for key, content in files.items():
        try:
            values[key] = content.decode().strip()
        except UnicodeDecodeError:
            raise Refused(key, "is not UTF-8 text") from None
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        (key, why), *more = ((".".join(map(str, item["loc"])), _why(item["type"], item["msg"])) for item in found)
        raise Refused(key, "; ".join([why, *(f"{key}: {why}" for key, why in more)])) from None


def _why(kind: str, told: str) -> str:
    return "is not a live setting" if kind == "extra_forbidden" else told.removeprefix("Value error, ")
