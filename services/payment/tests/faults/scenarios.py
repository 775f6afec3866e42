"""What is done to payment while its clients work; each scenario returns a sentence, or raises what went wrong."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc.aio
import psycopg
from clients import Clients, Journal, verify
from stage import Books, Stage


@dataclass(frozen=True)
class Options:
    """How much of everything: faults, clients at once, acknowledged operations at least."""

    kills: int
    clients: int
    operations: int


Scenario = Callable[[Any, Options], Awaitable[str]]


@asynccontextmanager
async def busy(stage: Books, options: Options, made: type = Clients) -> AsyncIterator[Journal]:
    """Clients work as long as the body runs, and until enough was acknowledged; then all finish what they began."""
    journal, stop = Journal(), asyncio.Event()
    clients = made(stage, journal)
    tasks = [asyncio.create_task(clients.work(f"c{n}", stop)) for n in range(options.clients)]
    try:
        yield journal
        await until(lambda: journal.acknowledged >= options.operations or any(task.done() for task in tasks), 3600)
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 120)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await clients.close()


async def until(happened: Callable[[], object], seconds: float = 300) -> None:
    """Wait until it happened, and no longer than the deadline."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 (it happens in other processes too)
            await asyncio.sleep(0.02)


async def progress(journal: Journal, more: int = 1) -> None:
    """Wait until clients were told more."""
    wanted = journal.acknowledged + more
    await until(lambda: journal.acknowledged >= wanted)


async def kills(stage: Stage, options: Options) -> str:
    """SIGKILL to a replica, at any moment, again and again."""
    async with busy(stage, options) as journal:
        for _ in range(options.kills):
            await progress(journal, random.randrange(1, 100))
            replica = random.choice(stage.replicas)
            replica.kill()
            await asyncio.to_thread(replica.start)
    return f"{options.kills} kills; {verify(stage, journal)}"


async def points(stage: Stage, options: Options) -> str:
    """Death before and after every commit, every answer sent, every call to the fraud model."""
    deaths = 0
    async with busy(stage, options) as journal:
        replica = random.choice(stage.replicas)
        replica.kill()
        for _ in range(max(1, options.kills // 6)):
            for where in ("commit", "send", "ask"):
                for side in ("before", "after"):
                    number = random.randrange(1, 60 if where != "ask" else 4)
                    await asyncio.to_thread(replica.start, f"{where}:{side}:{number}")
                    code = await asyncio.to_thread(replica.process.wait, 300)
                    assert code == -signal.SIGKILL, f"{where}:{side}:{number} ended with {code}"
                    deaths += 1
        await asyncio.to_thread(replica.start)
    return f"{deaths} deaths at chosen points; {verify(stage, journal)}"


async def keys(stage: Stage, options: Options) -> str:
    """64 requests with one key at once, each an attempt of its own: one effect a key."""
    journal = Journal()
    clients = Clients(stage, journal)
    count = max(10, options.operations // 50)
    await clients.open("ann")
    for number in range(count):
        await asyncio.gather(*(clients.pay("ann", f"k{number}", f"a{n}") for n in range(64)))
    await clients.close()
    assert len(journal.told) == count
    return f"64 requests × {count} keys; {verify(stage, journal)}"


async def debits(stage: Stage, options: Options) -> str:
    """200 debits of 1 at once on 100 credits: 100 succeed."""
    journal = Journal()
    clients = Clients(stage, journal)

    async def debit(account: str, key: str) -> str:
        try:
            await clients.pay(account, key, "a")
        except grpc.aio.AioRpcError as error:
            del journal.begun[account, key]
            return dict(error.trailing_metadata())["x-inkmesh-problem"]
        return "paid"

    for number in range(max(1, options.kills // 10)):
        await clients.open(f"ann{number}", 100)
        told = Counter(await asyncio.gather(*(debit(f"ann{number}", f"k{n}") for n in range(200))))
        assert told == {"paid": 100, "insufficient-credits": 100}, told
    await clients.close()
    return f"200 debits of 100 credits, {number + 1} times; {verify(stage, journal)}"


async def database(stage: Stage, options: Options) -> str:
    """PostgreSQL: `pg_ctl stop -m immediate` and a start. SQLite: another process that keeps the write lock."""
    times = options.kills if stage.server else 1
    async with busy(stage, options) as journal:
        for _ in range(times):
            await progress(journal, random.randrange(1, 100))
            if stage.server:
                await asyncio.to_thread(stage.server.stop)
                await asyncio.to_thread(stage.server.start)
            else:
                with closing(sqlite3.connect(stage.address, isolation_level=None, timeout=30)) as intruder:
                    intruder.execute("BEGIN IMMEDIATE")
                    await asyncio.sleep(6)  # longer than payment waits for the lock
                    intruder.execute("ROLLBACK")
            await progress(journal)
    return f"{times} × {'crashed' if stage.server else 'locked'}; {verify(stage, journal)}"


async def stop(stage: Stage, options: Options) -> str:
    """SIGSTOP to a replica in the middle of its work, longer than the server lets it keep a transaction."""
    async with busy(stage, options) as journal:
        for _ in range(max(1, options.kills // 10)):
            await progress(journal, random.randrange(1, 100))
            replica = random.choice(stage.replicas)
            replica.process.send_signal(signal.SIGSTOP)
            if stage.server:
                await progress(journal, 20)  # the other goes on
                with closing(psycopg.connect(stage.address, autocommit=True)) as connection:
                    await until(partial(nobody_idles, connection), 20)
            else:
                await asyncio.sleep(1)
            replica.process.send_signal(signal.SIGCONT)
            await progress(journal, 20)
    return f"stopped and continued; {verify(stage, journal)}"


def nobody_idles(connection: psycopg.Connection) -> bool:
    """Whether the server has ended what a stopped replica left open."""
    open_ = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    return not connection.execute(open_).fetchone()[0]


async def disk(stage: Stage, options: Options) -> str:
    """SQLite: no file of payment's may grow (RLIMIT_FSIZE), and later it may again."""
    if stage.server:
        return "left out: PostgreSQL's disk is its server's"
    async with busy(stage, options) as journal:
        await progress(journal, 200)
        pid = stage.replicas[0].process.pid
        size = (stage.folder / "payment.sqlite3").stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        refused = journal.repeats
        await until(lambda: journal.repeats >= refused + 20)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await progress(journal, 200)
    return f"full and free again; {verify(stage, journal)}"


async def clock(stage: Stage, options: Options) -> str:
    """Each replica's clock an hour forward and back, while clients work."""
    async with busy(stage, options) as journal:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR2, signal.SIGUSR1):
            for replica in stage.replicas:
                await progress(journal, 50)
                replica.process.send_signal(number)
        await progress(journal, 50)
    return f"4 jumps of an hour; {verify(stage, journal)}"


ALL: dict[str, Scenario] = {
    scenario.__name__: scenario for scenario in (kills, points, keys, debits, database, stop, disk, clock)
}
