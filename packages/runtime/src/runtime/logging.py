"""JSON lines on standard output: one object a line, with the request's and the trace's id where there is a request."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from runtime import propagation
from runtime.settings import ServerSettings

_ours = logging.getLogger("inkmesh")
"""Its level is what is in force for our own lines; libraries' are the root's."""


def _call_ids(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    call = propagation._current.get(None)
    if call is not None:
        event["request_id"] = call.request_id
        event["trace_id"] = call.trace_id
    return event


def _dumps(value: Any, **_: Any) -> bytes:  # noqa: ANN401 (whatever a log line holds)
    return orjson.dumps(value, default=repr)


def _filter(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    # structlog's own filter is compiled into loggers and cached: it could not switch.
    if _ours.isEnabledFor(_NUMBERS.get(method, logging.ERROR)):
        return event
    raise structlog.DropEvent


_NUMBERS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


class RequestLog:
    """One line a request, as structlog would write it, at a tenth of its cost: it is on the way of every call.

    Lines wait here until `flush`, which `lifecycle.serve` calls several times a second: with PYTHONUNBUFFERED, as
    images have it, each write to standard output is a system call of its own. They wait as one run of bytes: a thousand
    small ones are scattered over memory that is not in the processor's cache.
    """

    def __init__(self, service: str, settings: ServerSettings) -> None:
        self._identity = {"service": service, "version": settings.version, "replica": settings.replica}
        self._tails: dict[tuple[str, int | str], str] = {}
        self._waiting = bytearray()
        self._second = -1.0
        self._date = ""

    def write(self, call: propagation.Call, route: str, status: int | str, seconds: float) -> None:
        """Note a finished request, when the level says so. A Call's ids need no escaping: `arriving` saw to it."""
        if not _ours.isEnabledFor(logging.INFO):
            return
        tail = self._tails.get((route, status)) or self._tail(route, status)
        second, part = divmod(time.time(), 1)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._waiting += (
            f'{{"event":"request","level":"info","time":"{self._date}.{int(part * 1e6):06d}Z",'
            f'"request_id":"{call.request_id}","trace_id":"{call.trace_id}",{tail}{seconds * 1000:.2f}}}\n'
        ).encode()

    def _tail(self, route: str, status: int | str) -> str:
        fields = orjson.dumps(self._identity | {"route": route, "status": status}).decode()
        tail = self._tails[route, status] = f'{fields[1:-1]},"ms":'
        return tail

    def flush(self) -> None:
        """Write what waits, in one go."""
        lines, self._waiting = self._waiting, bytearray()
        if lines:
            with contextlib.suppress(OSError):  # a full disk must not turn what was done into an error
                sys.stdout.buffer.write(lines)
                sys.stdout.flush()


def configure(service: str, settings: ServerSettings) -> None:
    """Set up structlog and, through it, the standard library's loggers, at `info`. Called once, by `__main__`."""
    identity = {"service": service, "version": settings.version, "replica": settings.replica}

    def _identity(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.update(identity)
        return event

    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _call_ids,
        _identity,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[_filter, *processors, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=lambda value, **_: _dumps(value).decode()),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], force=True)
    set_level("info")


def set_level(name: str) -> None:
    """Switch the least severe level that is logged, at once; of libraries only warnings and worse are."""
    number = logging.getLevelNamesMapping()[name.upper()]
    _ours.setLevel(number)
    logging.getLogger().setLevel(max(number, logging.WARNING))
