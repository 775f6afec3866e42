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
        self._alone: dict[int, str] = {}  # this process's hop by attempt

    def hop(self, attempt: int) -> Hop:
        """This process as a hop of the path."""
        return Hop(self.name, self.settings.version, self.settings.replica, attempt)

    def path(self, call: propagation.Call) -> str:
        """`x-inkmesh-path` of an answer: this process, then whom it asked."""
        here = self._alone.get(call.attempt)
        if here is None:
            here = self._alone[call.attempt] = str(self.hop(call.attempt))
        return ", ".join([here, *map(str, call.hops)]) if call.hops else here


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
        headers = _carried(scope["headers"])
        call = propagation.arriving(headers.get)
        token = propagation.enter(call)
        exchange = _Exchange(self._service, call, receive, send, self._limit)
        try:
            if _declared(headers) > self._limit:
                raise TooLarge
            if not scope["path"].startswith(_QUIET):
                await self._service.sick.suffer()
            app = self._hot.get((scope["method"], scope["path"]), self._app)
            await app(scope, exchange.receive, exchange.send)
        except TooLarge:
            await exchange.fail(scope, problems.response(413, "too-large", "The body is too large."))
        except Fault as fault:
            await exchange.fail(scope, problems.of_fault(fault))
        except Exception:
            log.exception("unexpected error", method=scope["method"])
            await exchange.fail(scope, problems.response(500, "internal", "Something went wrong here."))
        finally:
            self._report(scope, call, exchange.status, time.perf_counter() - started)
            propagation.leave(token)

    def _report(self, scope: Scope, call: propagation.Call, status: int, seconds: float) -> None:
        path = scope["path"]
        if path.startswith(_QUIET):
            return
        method = scope["method"]
        route = path if (method, path) in self._hot else getattr(scope.get("route"), "path", "unmatched")
        self._service.telemetry.served(call, "http", f"{method} {route}", str(status), seconds)
        self._service.requests.write(call, f"{method} {route}", status, seconds)


class _Exchange:
    """One request's receive and send, with the body counted and the answer's headers added."""

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

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", self._call.request_id.encode()),
                (_PATH, self._service.path(self._call).encode("latin-1", "replace")),
            ]
        await self._send(message)

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


def _declared(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0
