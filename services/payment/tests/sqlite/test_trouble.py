import asyncio
import sqlite3
from contextlib import closing

import pytest

from payment.errors import LedgerUnavailable
from payment.ledger.book import open_ledger
from payment.records import Account


def play(bank, scenario, *pragmas):
    """Run a scenario with a ledger whose own connection was told these pragmas."""

    async def run():
        with closing(bank.store()) as store:
            session = store.session()
            for pragma in pragmas:
                session.execute(pragma)
            store.session = lambda: session
            async with open_ledger(store, bank.terms, bank.clock, bank.witness) as ledger:
                await scenario(ledger, session)
                assert (await ledger.audit()).findings == ()

    asyncio.run(run())


def test_a_database_that_is_locked_is_unavailable(sqlite_bank):
    """Another process that keeps the write lock costs an answer, not the service."""

    async def scenario(ledger, _):
        await ledger.open_account("ann", 1)
        intruder = sqlite3.connect(sqlite_bank.path, isolation_level=None, check_same_thread=False)
        intruder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailable):
            await ledger.open_account("bob", 1)
        intruder.execute("ROLLBACK")
        intruder.close()
        assert await ledger.open_account("bob", 1) == Account("bob", 1, 0)

    play(sqlite_bank, scenario, "PRAGMA busy_timeout = 20")


def test_a_disk_that_is_full_loses_nothing_and_heals(sqlite_bank, key, answer):
    """What was acknowledged stays; what was refused has no effect; with room again the same keys go on."""
    body = type(answer)(201, b"x" * 8000)

    async def scenario(ledger, session):
        await ledger.open_account("ann", 1000)
        pages = session.execute("PRAGMA page_count").fetchone()[0]
        session.execute(f"PRAGMA max_page_count = {pages + 20}")
        paid, refused = [], []
        for number in range(40):
            try:
                charge = await ledger.hold("ann", key(f"k{number}"), 1)
                await ledger.capture("ann", charge.id, "a1", body)
                paid.append(number)
            except LedgerUnavailable:
                refused.append(number)
        assert paid
        assert refused
        assert (await ledger.account("ann")).balance == 1000 - len(paid)
        session.execute("PRAGMA max_page_count = 1000000")
        for number in refused:
            charge = await ledger.hold("ann", key(f"k{number}"), 1)
            await ledger.capture("ann", charge.id, "a1", body)
        assert [await ledger.hold("ann", key(f"k{n}", "a2"), 1) for n in range(40)] == [body] * 40
        assert await ledger.account("ann") == Account("ann", 960, 0)

    play(sqlite_bank, scenario)
