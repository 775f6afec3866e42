"""The least of HTTP/1.1 that a test needs: a backend that counts, and a client that keeps its connection."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType


@dataclass(frozen=True)
class Request:
    """What a backend saw; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What a client got; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class Backend:
    """A replica: it answers its name with `status` after `delay` seconds, and remembers each request."""

    name: str
    status: int = 200
    delay: float = 0.0
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Backend:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                start, headers = await _head(reader)
                await reader.readexactly(int(headers.get("content-length", 0)))
                method, path, _ = start.split(" ", 2)
                self.requests.append(Request(method, path, headers))
                await asyncio.sleep(self.delay)
                body = self.name.encode()
                writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # The caller is gone, or the test is over.
            pass
        finally:
            writer.close()


class Client:
    """One kept-alive connection. Use as an async context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def get(self, path: str = "/", headers: Mapping[str, str] | None = None) -> Answer:
        """One request; a connection that was asked to close is opened anew for the next."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        sent = {"host": f"127.0.0.1:{self._port}", **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        start, got = await _head(reader)
        body = await reader.readexactly(int(got.get("content-length", 0)))
        if got.get("connection") == "close":
            await self.close()
        return Answer(int(start.split(" ")[1]), got, body.decode())

    async def close(self) -> None:
        """The next request opens a connection anew."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def get(port: int, path: str = "/", headers: Mapping[str, str] | None = None) -> Answer:
    """One request on a connection of its own."""
    async with Client(port) as client:
        return await client.get(path, headers)


async def load(port: int, until: Callable[[], Awaitable[None]], clients: int = 8, pause: float = 0.01) -> list[Answer]:
    """The answers to all requests that `clients` send, one after the other, while `until` runs.

    A connection that was closed instead is one with status 0.
    """
    answers: list[Answer] = []
    done = asyncio.Event()

    async def one() -> None:
        async with Client(port) as client:
            while not done.is_set():
                answers.append(await _answer(client))
                await asyncio.sleep(pause)

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(one())
        await until()
        done.set()
    return answers


async def _answer(client: Client) -> Answer:
    try:
        return await client.get()
    except (OSError, asyncio.IncompleteReadError) as error:
        await client.close()
        return Answer(0, {}, repr(error))


async def eventually(check: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Return when the check is true; TimeoutError when it never is."""
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.01)


async def _head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.rstrip("\r\n").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return start, {name.lower(): value.strip() for name, value in pairs}
