"""A closed loop of kept-alive connections, thin enough that the server is what is measured; with a rate, no faster.

A process, so that it can have a core of its own: prints {"rate", "p50", "p99", "calls"} as JSON; milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

import uvloop


class Connection(asyncio.Protocol):
    """Sends the same request again as soon as its answer is whole."""

    def __init__(self, request: bytes, times: list[float], failed: asyncio.Future[None], interval: float) -> None:
        self._request, self._times, self._failed, self._interval = request, times, failed, interval
        self._left = -1
        self._head = b""
        self.running = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if self.running:
            self._fail(f"the connection was closed: {error}")

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = self._head[:end].lower(), self._head[end + 4 :]
            if not head.startswith(b"http/1.1 200"):
                self._fail(f"{head.splitlines()[0].decode()}: {data[:300].decode('latin-1')}")
                return
            self._left = int(head.split(b"\r\ncontent-length:", 1)[1].split(b"\r\n", 1)[0])
        self._left -= len(data)
        if self._left == 0:
            took = time.perf_counter() - self._sent
            self._times.append(took)
            if took < self._interval:
                asyncio.get_running_loop().call_later(self._interval - took, self._send)
            else:
                self._send()

    def _send(self) -> None:
        if self.running:
            self._left, self._head = -1, b""
            self._sent = time.perf_counter()
            self._transport.write(self._request)

    def _fail(self, why: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(SystemExit(why))


async def http(
    port: int, path: str, body: bytes, headers: list[str], connections: int, seconds: float, interval: float
) -> list[float]:
    """Times of all calls, in seconds. A connection waits `interval` seconds from one request to the next, at least."""
    lines = [f"POST {path} HTTP/1.1", "host: inference", f"content-length: {len(body)}", *headers]
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    loop = asyncio.get_running_loop()
    times: list[float] = []
    failed: asyncio.Future[None] = loop.create_future()
    made = [
        (await loop.create_connection(lambda: Connection(request, times, failed, interval), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait({failed}, timeout=seconds)
    for connection in made:
        connection.running = False
    if failed.done():
        failed.result()
    return times


async def grpc(port: int, method: str, body: bytes, connections: int, seconds: float, interval: float) -> list[float]:
    """The same over gRPC: `connections` callers share one channel."""
    import grpc.aio

    times: list[float] = []
    end = time.perf_counter() + seconds
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(method)

        async def caller() -> None:
            while (started := time.perf_counter()) < end:
                await call(body, timeout=600)
                took = time.perf_counter() - started
                times.append(took)
                if took < interval:
                    await asyncio.sleep(interval - took)

        await asyncio.gather(*(caller() for _ in range(connections)))
    return times


def main() -> None:
    """Load, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocol", choices=["http", "grpc"])
    parser.add_argument("port", type=int)
    parser.add_argument("path", help="HTTP's path, or gRPC's full method")
    parser.add_argument("body", type=Path, help="file with the request's body")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rate", type=float, default=0, help="the most calls a second; 0: as fast as it goes")
    given = parser.parse_args()
    body = given.body.read_bytes()
    interval = given.connections / given.rate if given.rate else 0.0
    if given.protocol == "http":
        load = http(given.port, given.path, body, given.header, given.connections, given.seconds, interval)
    else:
        load = grpc(given.port, given.path, body, given.connections, given.seconds, interval)
    times = sorted(uvloop.run(load))
    if not times:
        sys.exit("no call was answered")
    print(
        json.dumps(
            {
                "rate": len(times) / given.seconds,
                "p50": times[len(times) // 2] * 1000,
                "p99": times[int(len(times) * 0.99)] * 1000,
                "calls": len(times),
            }
        )
    )


if __name__ == "__main__":
    main()
