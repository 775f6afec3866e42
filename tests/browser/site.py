"""The real frontend and an API behind one origin, served from a thread on a free port, as the ingress does."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from frontend.bootstrap import bootstrap
from frontend.settings import Settings

START_SECONDS = 20


@contextlib.contextmanager
def served(api: ASGIApp) -> Iterator[str]:
    """The URL of a site whose /api/ and /v2/ are `api` and whose other paths are the frontend's."""
    listener = socket.create_server(("127.0.0.1", 0))
    servers: list[uvicorn.Server] = []

    async def run() -> None:
        async with bootstrap(Settings()) as frontend:

            async def ingress(scope: Scope, receive: Receive, send: Send) -> None:
                await (api if scope["path"].startswith(("/api/", "/v2/")) else frontend.app)(scope, receive, send)

            servers.append(uvicorn.Server(uvicorn.Config(ingress, log_config=None, access_log=False, lifespan="off")))
            await servers[0].serve([listener])

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not (servers and servers[0].started):
        if time.monotonic() > deadline or not thread.is_alive():
            raise TimeoutError("the site did not start")
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        servers[0].should_exit = True
        thread.join(START_SECONDS)
        listener.close()
