"""bench_payment's loads in this process: a bare loop of write + fsync, and clients of the ledger itself.

The slow disk is simulated where it hurts: whoever waits for the disk sleeps as well. The bare loop does so at each
fsync, the ledger in its writer's thread at each commit, which in SQLite's WAL is one fsync (the two more of a
checkpoint, once in 16000 pages, are not slowed).
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import uvloop

from payment.clock import SystemClock
from payment.ledger.auditing import audit
from payment.ledger.book import Ledger, open_ledger
from payment.ledger.sqlite import SqliteSession, SqliteStore
from payment.ledger.sqlite_file import connect
from payment.records import MAX_AMOUNT, Answer, Audit, Charge, Key, Terms

PAGE = 4096
ANSWER = Answer(201, b"x" * 256)
DAY = 24 * 3_600_000
READINGS = 20
"""What a visitor can pay with the credits of its session."""


@dataclass(frozen=True)
class Seen:
    """What the clients saw: transactions a second, and a transaction's time (ms)."""

    rate: float
    p50: float
    p99: float

    @classmethod
    def of(cls, times: list[float], seconds: float) -> Seen:
        """From each transaction's time (s), and how long all took together."""
        times.sort()
        return cls(len(times) / seconds, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000)


class SlowSession(SqliteSession):
    """On a disk whose fsync takes longer."""

    delay = 0.0

    def commit(self) -> None:
        """Wait, and commit."""
        time.sleep(self.delay)
        super().commit()


class SlowStore(SqliteStore):
    """The ledger's file on a disk whose fsync takes `delay` seconds longer."""

    def __init__(self, path: Path, delay: float) -> None:
        super().__init__(path)
        self._delay = delay

    def session(self) -> SqliteSession:
        """Open the file for writing."""
        session = SlowSession(connect(self.path))
        session.delay = self._delay
        return session


class Nobody:
    """An Observer that looks away."""

    def group(self, outcomes: list[tuple[str, str]], commit_seconds: float) -> None:
        """Take a group."""


def bare_loop(file: Path, seconds: float, delay: float) -> float:
    """Times a second that a page can be written and fsynced: in place, as SQLite's WAL is written once it has grown."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    page, pages, done = os.urandom(PAGE), 1000, 0
    try:
        os.write(descriptor, page * pages)
        os.fsync(descriptor)
        started = time.perf_counter()
        while time.perf_counter() < started + seconds:
            os.pwrite(descriptor, page, done % pages * PAGE)
            os.fsync(descriptor)
            if delay:
                time.sleep(delay)
            done += 1
        return done / (time.perf_counter() - started)
    finally:
        os.close(descriptor)


async def _load(ledger: Ledger, clients: int, seconds: float, transactions: float) -> Seen:
    names = [os.urandom(16).hex() for _ in range(clients)]
    await asyncio.gather(*(ledger.open_account(name, MAX_AMOUNT) for name in names))
    times: list[float] = []
    started = time.perf_counter()

    async def client(name: str) -> None:
        now = time.perf_counter()
        while now < started + seconds and len(times) < transactions:
            charge = await ledger.hold(name, Key(os.urandom(16).hex(), bytes(32), "a"), 1)
            assert isinstance(charge, Charge)
            held = time.perf_counter()
            await ledger.capture(name, charge.id, "a", ANSWER)
            before, now = now, time.perf_counter()
            times.extend((held - before, now - held))

    await asyncio.gather(*(client(name) for name in names))
    return Seen.of(times, time.perf_counter() - started)


def load(
    file: Path, clients: int, *, seconds: float = math.inf, transactions: float = math.inf, delay: float = 0.0
) -> Seen:
    """Clients of the ledger in `file` who hold a credit and capture it, each a transaction, until one limit is met."""

    async def run() -> Seen:
        async with open_ledger(SlowStore(file, delay), Terms(), SystemClock(), Nobody()) as ledger:
            return await _load(ledger, clients, seconds, transactions)

    return uvloop.run(run())


def make(file: Path, transfers: int) -> None:
    """A ledger with so many transfers: visitors of the last twelve hours, each with 20 readings, keys and answers.

    Its own triggers check and book every row; only the fsyncs are saved.
    """
    values = {
        "visitors": transfers // (1 + 2 * READINGS),
        "readings": READINGS,
        "now": SystemClock().now(),
        "half": DAY // 2,
    }
    with closing(connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1048576")
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("BEGIN")
        for statement in _FILL:
            connection.execute(statement, {name: value for name, value in values.items() if f":{name}" in statement})
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def proved(file: Path) -> tuple[Audit, float]:
    """The ledger's audit, and how long it took (s)."""
    started = time.perf_counter()
    return audit(SqliteStore(file), SystemClock().now(), Terms()), time.perf_counter() - started


# Accounts are named as guests are, at random: what is next to each other in time is not so in the indexes.
_FILL = (
    """
    CREATE TEMP TABLE visitor AS
    WITH RECURSIVE numbers(n) AS (SELECT 1 WHERE :visitors UNION ALL SELECT n + 1 FROM numbers WHERE n < :visitors)
    SELECT lower(hex(randomblob(16))) AS id, :now - :half + (n - 1) * :half / :visitors AS at FROM numbers
    """,
    """
    CREATE TEMP TABLE charge AS
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :readings)
    SELECT printf('chg_%012x%s', at, lower(hex(randomblob(8)))) AS ref, id AS account, at,
        lower(hex(randomblob(16))) AS key
    FROM visitor, numbers ORDER BY ref
    """,
    "INSERT INTO account (id, house, opened_at) SELECT id, 0, at FROM visitor",
    """
    INSERT INTO transfer (ref, step, kind, debit, credit, amount, made_at)
    SELECT printf('grt_%012x%s', at, lower(hex(randomblob(8)))), 1, 'direct', 'house:grants', id, :readings, at
    FROM visitor
    """,
    """
    INSERT INTO idempotency
        (account, operation, key, fingerprint, ref, attempt, lease_until, kept_until, status, body)
    SELECT account, 'hold', key, zeroblob(32), ref, 'a', at, at + 2 * :half, 201, zeroblob(256) FROM charge
    """,
    """
    INSERT INTO transfer (ref, step, kind, debit, credit, amount, key, made_at)
    SELECT ref, 1, 'pending', account, 'house:revenue', 1, key, at FROM charge
    """,
    """
    INSERT INTO transfer (ref, step, kind, debit, credit, amount, made_at)
    SELECT ref, 2, 'posted', account, 'house:revenue', 1, at FROM charge
    """,
)
