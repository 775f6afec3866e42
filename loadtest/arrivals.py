"""Load with little cost to the machine that makes it: HTTP/1.1, kept alive, at a rate or as fast as it goes.

At a rate (`constant`), a request's time counts from when it was due, so that a slow server cannot hide by slowing its
clients down. As fast as it goes (`saturate`), each of N callers sends its next request when it has its answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httptools


@dataclass(slots=True)
class Answer:
    """One answer, or what happened instead (status 0)."""

    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float = 0.0


@dataclass(slots=True)
class Request:
    """What to send."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.closed = False
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def send(self, data: bytes) -> asyncio.Future[Answer]:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), b"".join(self._body), self._headers))
        if not self._parser.should_keep_alive():
            self.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        self.lost.set_result(None)
        if hasattr(self, "_answer") and not self._answer.done():
            self._answer.set_result(Answer(0, b"connection lost", {}))

    def close(self) -> None:
        self.closed = True
        self.transport.close()


class Client:
    """Connections to one address, made as they are needed and used again."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._idle: list[_Connection] = []
        self._all: list[_Connection] = []

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._all:
            connection.close()
        await asyncio.gather(*(connection.lost for connection in self._all))

    async def send(self, request: Request, deadline: float = 30.0) -> Answer:
        """Send one request. Status 0 when no answer came within the deadline (seconds), or the connection broke."""
        started = time.perf_counter()
        connection = None
        while self._idle and (connection is None or connection.closed):
            connection = self._idle.pop()
        try:
            if connection is None or connection.closed:
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(_Connection, self._host, self._port)
                self._all.append(connection)
            async with asyncio.timeout(deadline):
                answer = await connection.send(self._encoded(request))
        except (OSError, TimeoutError) as error:
            if connection is not None:
                connection.close()
            answer = Answer(0, repr(error).encode(), {})
        else:
            if not connection.closed:
                self._idle.append(connection)
        answer.seconds = time.perf_counter() - started
        return answer

    def _encoded(self, request: Request) -> bytes:
        lines = [f"{request.method} {request.path} HTTP/1.1", f"host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        lines.append(f"content-length: {len(request.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


Send = Callable[[], Awaitable[Answer]]


async def constant(send: Send, rate: float, seconds: float) -> list[Answer]:
    """`rate` arrivals a second for `seconds`, whether or not earlier ones were answered."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(due: float) -> Answer:
        answer = await send()
        answer.seconds = loop.time() - due
        return answer

    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            tasks.append(group.create_task(one(due)))
    return [task.result() for task in tasks]


async def saturate(send: Send, callers: int, seconds: float) -> list[Answer]:
    """`callers` at once, each with its next request as soon as it has its answer, for `seconds`."""
    end = time.perf_counter() + seconds
    answers: list[Answer] = []

    async def one() -> None:
        while time.perf_counter() < end:
            answers.append(await send())

    await asyncio.gather(*(one() for _ in range(callers)))
    return answers


def quantile(answers: list[Answer], share: float) -> float:
    """The time (seconds) that `share` of the answers did not exceed."""
    ordered = sorted(answer.seconds for answer in answers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
