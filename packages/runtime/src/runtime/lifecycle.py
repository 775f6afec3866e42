"""One owner of a process's life: listen, serve, and on SIGTERM or SIGINT leave in order.

Leaving: not ready → wait `drain_seconds` for the endpoint to be taken away → stop listening → finish what is in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import threading
from collections.abc import Iterator

import structlog
import uvicorn
from grpc.aio import Server
from starlette.types import ASGIApp

from runtime import memory
from runtime.connections import Connection
from runtime.http import Service

GRACE_SECONDS = 20.0
"""How long requests in flight may take to finish once listening stopped."""

# Longer than any proxy keeps an idle connection (Envoy: an hour), so that it is the proxy that closes: a server that
# closes first loses the request that was already on its way.
_KEEP_ALIVE_SECONDS = 3700

_FLUSH_SECONDS = 0.2

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: this module owns them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class CannotListen(Exception):
    """An address could not be listened on; the message names it."""


async def serve(app: ASGIApp, service: Service, grpc: tuple[Server, int] | None = None) -> None:
    """Serve HTTP, and `grpc` (a server and its port), until a signal; then drain.

    Raises CannotListen when a port cannot be had.
    """
    settings = service.settings
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    if grpc is not None:
        server, port = grpc
        await _listen(server, f"{settings.host}:{port}")
    http = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.http_port,
            loop="uvloop",
            http=Connection,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(GRACE_SECONDS),
        )
    )
    serving = asyncio.create_task(_run(http, f"{settings.host}:{settings.http_port}"))
    stopping = asyncio.create_task(stop.wait())
    flushing = asyncio.create_task(_flush_logs(service))
    _let_loop_finish()
    memory.give_back()
    # What start-up allocated stays; scanning it again and again is where a Python server's p99 goes.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    log.info("serving", host=settings.host, http_port=settings.http_port, grpc=grpc is not None)

    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        service.health.drain()
        log.info("draining", seconds=settings.drain_seconds)
        await asyncio.sleep(settings.drain_seconds)
        http.should_exit = True
    if grpc is not None:
        await server.stop(GRACE_SECONDS)
    stopping.cancel()
    await serving
    flushing.cancel()
    service.requests.flush()
    log.info("stopped")


def _let_loop_finish() -> None:
    """Have gRPC's polling thread not push the loop's thread aside at each of a call's events, where both share a core.

    It takes up what has come when the loop's thread pauses: 2 switches a call instead of 13, and a sixth of its cost.
    """
    if not hasattr(os, "SCHED_BATCH") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    for thread in threading.enumerate():
        if "_poll_wrapper" in thread.name and thread.native_id is not None:
            with contextlib.suppress(OSError):  # a sandbox may forbid it
                os.sched_setscheduler(thread.native_id, os.SCHED_BATCH, os.sched_param(0))


async def _listen(server: Server, address: str) -> None:
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise CannotListen(f"cannot listen for gRPC on {address}: is it in use?") from error
    await server.start()


async def _flush_logs(service: Service) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        service.requests.flush()


async def _run(server: _Server, address: str) -> None:
    try:
        await server.serve()
    except SystemExit as error:  # uvicorn's way to say that the port is taken
        raise CannotListen(f"cannot listen for HTTP on {address}: is it in use?") from error
