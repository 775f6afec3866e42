"""The HTTP side of every service: one FastAPI with problem+json, wrapped in one pure ASGI layer.

The layer gives each request its Call, bounds its body, counts, logs, and names who served it. It stands outside of
FastAPI so that a service may take a hot call before the router (`hot`) and still have all of this.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime import problems, propagation
from runtime.errors import Fault
from runtime.faults import SickSwitch
from runtime.health import Health
from runtime.logging import RequestLog
from runtime.propagation import PATH_HEADER, Hop
from runtime.settings import ServerSettings
from runtime.telemetry import Telemetry

HotCall = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger()

_PATH = PATH_HEADER.encode()
_READ = {name.encode(): name for name in ("content-length", *propagation.CARRIED)}
_QUIET = ("/healthz/", "/metrics", "/faults")


@dataclass
class Service:
    """What a process is, for every layer that reports on it."""

    name: str
    settings: ServerSettings
    telemetry: Telemetry
    health: Health
    sick: SickSwitch = field(default_factory=SickSwitch)

    def __post_init__(self) -> None:
        self.requests = RequestLog(self.name, self.settings)
        self._alone: dict[int, tuple[str, bytes]] = {}  # this process's hop by attempt, as text and as a header

    def hop(self, attempt: int) -> Hop:
        """This process as a hop of the path."""
        return Hop(self.name, self.settings.version, self.settings.replica, attempt)

    def path(self, call: propagation.Call) -> str:
        """`x-inkmesh-path` of an answer: this process, then whom it asked."""
        here, _ = self._here(call.attempt)
        return ", ".join([here, *map(str, call.hops)]) if call.hops else here

    def path_header(self, call: propagation.Call) -> bytes:
        """The same, as HTTP's bytes."""
        return self.path(call).encode("latin-1", "replace") if call.hops else self._here(call.attempt)[1]

    def _here(self, attempt: int) -> tuple[str, bytes]:
        found = self._alone.get(attempt)
        if found is None:
            here = str(self.hop(attempt))
            found = self._alone[attempt] = (here, here.encode("latin-1", "replace"))
        return found


def create_app(
    service: Service,
    title: str,
    description: str,
    *,
    factory: Callable[..., FastAPI] = FastAPI,
    **options: Any,  # noqa: ANN401 (FastAPI's own)
) -> FastAPI:
    """Make a FastAPI with health, metrics, problem+json, and the sick switch where the settings allow it."""
    app = factory(title=title, description=description, redirect_slashes=False, **options)
    problems.install(app)
    app.include_router(service.health.router())
    app.include_router(service.telemetry.router())
    if service.settings.faults:
        app.include_router(service.sick.router())
    return app


class TooLarge(HTTPException):
    """A body that went over its limit while it was read; FastAPI lets only its own kind of exception through."""

    def __init__(self) -> None:
        super().__init__(413)


class Edge:
    """The ASGI layer. `hot` maps (method, path) to calls that skip FastAPI; their path is their route template."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        *,
        body_limit: int = 1 << 20,
        hot: Mapping[tuple[str, str], HotCall] | None = None,
    ) -> None:
        self._app = app
        self._service = service
        self._limit = body_limit
        self._hot = dict(hot or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method, path = scope["method"], scope["path"]
        hot = self._hot.get((method, path))
        quiet = hot is None and path.startswith(_QUIET)
        headers = _carried(scope["headers"])
        call = propagation.arriving(headers.get)
        token = propagation.enter(call)
        exchange = _Exchange(self._service, call, receive, send, self._limit)
        try:
            declared = headers.get("content-length", "")
            if not declared.isdecimal():
                receive = exchange.receive
            elif int(declared) > self._limit:
                raise TooLarge
            if self._service.sick.on and not quiet:
                await self._service.sick.suffer()
            await (hot or self._app)(scope, receive, exchange.send)
        except TooLarge:
            await exchange.fail(scope, problems.response(413, "too-large", "The body is too large."))
        except Fault as fault:
            await exchange.fail(scope, problems.of_fault(fault))
        except Exception:
            log.exception("unexpected error", method=scope["method"])
            await exchange.fail(scope, problems.response(500, "internal", "Something went wrong here."))
        finally:
            if not quiet:
                route = f"{method} {path if hot else getattr(scope.get('route'), 'path', 'unmatched')}"
                seconds = time.perf_counter() - started
                self._service.telemetry.served(call, "http", route, str(exchange.status), seconds)
                self._service.requests.write(call, route, exchange.status, seconds)
            propagation.leave(token)


class _Exchange:
    """One request's receive and send: the answer's headers are added, and a body is counted whose length nobody said.

    (Where it was said, the server passes on no more.)
    """

    def __init__(self, service: Service, call: propagation.Call, receive: Receive, send: Send, limit: int) -> None:
        self._service = service
        self._call = call
        self._receive = receive
        self._send = send
        self._left = limit
        self.status = 499  # as long as no answer began: the caller went away

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooLarge
        return message

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", self._call.request_id.encode()),
                (_PATH, self._service.path_header(self._call)),
            ]
        return self._send(message)

    async def fail(self, scope: Scope, response: ASGIApp) -> None:
        if self.status == 499:
            await response(scope, self.receive, self.send)


def _carried(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """The first value of each header that this layer reads."""
    found: dict[str, str] = {}
    for name, value in headers:
        if (known := _READ.get(name)) and known not in found:
            found[known] = value.decode("latin-1")
    return found
