# /// script
# requires-python = ">=3.11"
# dependencies = ["sqlalchemy[asyncio]==2.1.9", "aiosqlite==0.22.1"]
# ///
"""The peer of bench_payment: the same holds and captures by SQLAlchemy's async ORM on aiosqlite, one transaction each.

As its documents have it: a session a request, `flush` and `commit` by the ORM; as durable as ours (WAL, synchronous
FULL). The pool has one connection, for SQLite has one writer: with more of them this is slower, and fails at times with
"database is locked". Prints transactions a second.  uv run --script bench_payment_orm.py FILE CLIENTS SECONDS
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "wal_autocheckpoint = 4000")
BODY = b"x" * 256


class Base(DeclarativeBase):
    """The ledger's tables, as far as a paid reading needs them."""


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (CheckConstraint("house OR (posted >= 0 AND posted - held >= 0)"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    house: Mapped[bool]
    posted: Mapped[int]
    held: Mapped[int]


class Transfer(Base):
    __tablename__ = "transfer"
    ref: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    debit: Mapped[str] = mapped_column(ForeignKey("account.id"))
    credit: Mapped[str] = mapped_column(ForeignKey("account.id"))
    amount: Mapped[int]
    key: Mapped[str | None]
    made_at: Mapped[int]


class Idempotency(Base):
    __tablename__ = "idempotency"
    __table_args__ = (UniqueConstraint("account", "operation", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("account.id"))
    operation: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes]
    ref: Mapped[str]
    attempt: Mapped[str]
    kept_until: Mapped[int]
    status: Mapped[int | None]
    body: Mapped[bytes | None]


Sessions = async_sessionmaker[AsyncSession]


async def hold(sessions: Sessions, name: str, key: str) -> str:
    """Reserve a credit under a key; the charge's id."""
    now = time.time_ns() // 1_000_000
    ref = f"chg_{now:012x}{os.urandom(8).hex()}"
    async with sessions() as session, session.begin():
        known = await session.scalar(
            select(Idempotency).where(
                Idempotency.account == name, Idempotency.operation == "hold", Idempotency.key == key
            )
        )
        account = await session.get_one(Account, name)
        assert known is None
        assert account.posted - account.held >= 1
        account.held += 1
        session.add(
            Idempotency(
                account=name, operation="hold", key=key, fingerprint=bytes(32), ref=ref, attempt="a", kept_until=now
            )
        )
        session.add(
            Transfer(
                ref=ref, step=1, kind="pending", debit=name, credit="house:revenue", amount=1, key=key, made_at=now
            )
        )
    return ref


async def capture(sessions: Sessions, name: str, ref: str) -> None:
    """Post it, with the answer to replay."""
    now = time.time_ns() // 1_000_000
    async with sessions() as session, session.begin():
        pending = await session.get_one(Transfer, (ref, 1))
        key = await session.scalar(
            select(Idempotency).where(
                Idempotency.account == name, Idempotency.operation == "hold", Idempotency.key == pending.key
            )
        )
        account, revenue = await session.get_one(Account, name), await session.get_one(Account, "house:revenue")
        assert key is not None
        assert key.status is None
        account.posted -= pending.amount
        account.held -= pending.amount
        revenue.posted += pending.amount
        session.add(
            Transfer(
                ref=ref, step=2, kind="posted", debit=name, credit="house:revenue", amount=pending.amount, made_at=now
            )
        )
        key.status, key.body = 201, BODY


async def run(file: str, clients: int, seconds: float) -> float:
    """Transactions a second."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", pool_size=1, max_overflow=0, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def prepared(connection: object, _: object) -> None:
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    names = [os.urandom(16).hex() for _ in range(clients)]
    async with sessions() as session, session.begin():
        session.add_all(Account(id=name, house=False, posted=1_000_000, held=0) for name in names)
        if await session.get(Account, "house:revenue") is None:
            session.add(Account(id="house:revenue", house=True, posted=0, held=0))
    done, started = 0, time.perf_counter()

    async def client(name: str) -> None:
        nonlocal done
        number = 0
        while time.perf_counter() < started + seconds:
            number += 1
            await capture(sessions, name, await hold(sessions, name, f"key-{number}"))
            done += 2

    await asyncio.gather(*(client(name) for name in names))
    rate = done / (time.perf_counter() - started)
    await engine.dispose()
    return rate


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))}\n")
