"""More requests than inference can answer: how many are still answered, and what the others are told.

The server has one core and the client the other. First as fast as it goes, which is the peak; then at multiples of it,
whether or not answers come, over connections that are open already. An answer is good when it is 200 and no later than
the deadline, counted from when its request was due.
Requests are batches of 256 rows in JSON: of single rows a client in Python cannot send three times what is answered.

    python loadtest/overload_inference.py [--seconds 5] [--deadline 2]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import cast

import uvloop
from bench_inference import PATH, ROOT, cases, load

from inference.training.__main__ import train
from inference_bench import peers

MULTIPLES = (1, 2, 3)
CONNECTIONS = 8000


Seen = tuple[int, float, float, bool]
"""Status, when it was due, seconds it took, whether it says when to try again."""

_MEANING = {0: "connection lost", -1: "no connection left"}


class Connection(asyncio.Protocol):
    """One request at a time; its answer's status is noted, 0 when the connection was lost instead."""

    def __init__(self, idle: list[Connection]) -> None:
        self._idle = idle
        self._due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float, seen: list[Seen]) -> None:
        self._due, self._seen, self._answer = due, seen, b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if found and len(body) == int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]):
            self._told(int(head[9:12]), told_when=b"\nretry-after:" in head.lower())
            self._idle.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._told(0, told_when=False)

    def _told(self, status: int, *, told_when: bool) -> None:
        if self._due is not None:
            self._seen.append((status, self._due, time.perf_counter() - self._due, told_when))
            self._due = None


async def offer(port: int, request: bytes, rate: float, seconds: float, deadline: float) -> str:
    """Send at a rate, wait out the deadline, and say what became of all that was sent."""
    loop = asyncio.get_running_loop()
    idle: list[Connection] = []
    seen: list[Seen] = []
    for _ in range(CONNECTIONS):
        made = await loop.create_connection(lambda: Connection(idle), "127.0.0.1", port)
        idle.append(made[1])
    began = time.perf_counter()
    sent = 0
    while (now := time.perf_counter()) - began < seconds:
        while sent < (now - began) * rate:
            due = began + sent / rate
            sent += 1
            if idle:
                idle.pop().send(request, due, seen)
            else:
                seen.append((-1, due, 0.0, False))
        await asyncio.sleep(0.002)
    await asyncio.sleep(deadline)
    good = [(due, took) for status, due, took, _ in seen if status == 200 and took <= deadline]
    busy = max([seconds, *(due + took - began for due, took in good)])  # also what was answered after the last was sent
    statuses = Counter(_MEANING.get(status, str(status)) for status, *_ in seen)
    refused = [told for status, *_, told in seen if status == 503]
    middle = statistics.median(took for _, took in good) * 1000 if good else 0
    return (
        f"{rate:7,.0f}/s offered, {sent / seconds:7,.0f}/s sent: {len(good) / busy:7,.0f}/s good, "
        f"median {middle:.0f} ms; {dict(statuses)}, {sent - len(seen)} not answered; "
        f"{sum(refused)} of {len(refused)} refusals say when to try again"
    )


def main() -> None:
    """Start one process, find its peak, offer more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of each rate (%(default)s)")
    parser.add_argument("--deadline", type=float, default=2, help="seconds until an answer is worthless (%(default)s)")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        models = ROOT / ".inkmesh" / "peers" / "models"
        train(models)
        case = next(case for case in cases(Path(folder)) if case.title == "REST, 256 rows, JSON")
        body = case.body.read_bytes()
        head = f"POST {PATH} HTTP/1.1\r\nhost: inference\r\ncontent-type: application/json\r\n"
        request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
        server = peers.inkmesh(models)
        server.start(Path(folder) / "log", cores[0])
        try:
            load(server, case, 1, cores[-1])
            peak = load(server, case, given.seconds, cores[-1])["rate"]
            print(f"as fast as it goes, 16 connections: {peak:,.0f}/s", flush=True)
            os.sched_setaffinity(0, {cores[-1]})
            for multiple in MULTIPLES:
                told = offer(server.http_port, request, multiple * peak, given.seconds, given.deadline)
                print(uvloop.run(told), flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
