import asyncio
import sqlite3
import threading
from contextlib import closing
from types import SimpleNamespace

import psycopg
import pytest

from payment.errors import LedgerUnavailable, NotFound
from payment.ledger.accounts import open_account
from payment.ledger.writer import Writer
from payment.records import Terms


class Gate:
    """An operation that waits in the writer's thread until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, tx) -> None:
        self.reached.set()
        assert self.go.wait(60)

    __name__ = "gate"


def refused(tx):
    """Writes, and then finds that it must not."""
    open_account(tx, "never", 5)
    raise NotFound("account")


def broken(tx):
    """A bug."""
    open_account(tx, "never", 5)
    raise ZeroDivisionError


def withdrawn(tx):
    """Writes what is to wait for the others, and then finds that it must not."""
    tx.write("INSERT INTO feedback (charge, label, given_at) VALUES (?, ?, ?)", ("never", 1, tx.now))
    raise NotFound("account")


def forbidden(tx):
    """What it writes the database refuses, and not before the group is written."""
    tx.write("INSERT INTO feedback (charge, label, given_at) VALUES (?, ?, ?)", ("never", 10, tx.now))


def sick(tx):
    """The disk fails."""
    if "sqlite" in type(tx.execute.__self__).__module__:
        raise sqlite3.OperationalError("database or disk is full")
    raise psycopg.errors.DiskFull("could not extend file")


@pytest.fixture
def write(bank):
    """Run a scenario with a Writer, and close it."""

    def run(scenario):
        async def play():
            with closing(bank.store()) as store:
                writer = Writer(store.session(), Terms(), bank.clock, bank.witness)
                try:
                    return await scenario(writer)
                finally:
                    await writer.close()

        return asyncio.run(play())

    return run


async def held_up(writer, gate):
    task = asyncio.create_task(writer.do(gate))
    await asyncio.to_thread(gate.reached.wait, 60)
    return task


def test_all_that_wait_share_one_commit(bank, write):
    """Operations that arrive while the writer is busy are one group."""

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        waiting = [asyncio.create_task(writer.do(open_account, f"a{i}", 1)) for i in range(50)]
        await asyncio.sleep(0)
        gate.go.set()
        await asyncio.gather(blocked, *waiting)

    write(scenario)
    assert [len(group) for group in bank.witness.groups] == [1, 50]


def test_one_operation_s_failure_is_its_own(bank, write):
    """What a refused or broken operation wrote is undone; its neighbours in the group are committed."""

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        work = [(open_account, "ann", 1), (refused,), (broken,), (open_account, "bob", 1)]
        waiting = [asyncio.create_task(writer.do(*one)) for one in work]
        await asyncio.sleep(0)
        gate.go.set()
        await blocked
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = write(scenario)
    assert [type(result).__name__ for result in results] == ["Account", "NotFound", "ZeroDivisionError", "Account"]
    assert bank.sql("SELECT id FROM account WHERE house = 0") == [("ann",), ("bob",)]
    assert bank.witness.groups[1] == [
        ("open_account", "ok"),
        ("refused", "not-found"),
        ("broken", "error"),
        ("open_account", "ok"),
    ]


@pytest.mark.parametrize(("work", "outcome"), [(withdrawn, "not-found"), (forbidden, "error")])
def test_what_waits_to_be_written_is_its_operation_s_own(bank, write, work, outcome):
    """Rows that many operations write together are refused to the one whose they are, and to nobody else."""

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        everyone = [(open_account, f"a{i}", 1) for i in range(20)]
        waiting = [asyncio.create_task(writer.do(*one)) for one in [*everyone[:10], (work,), *everyone[10:]]]
        await asyncio.sleep(0)
        gate.go.set()
        await blocked
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = write(scenario)
    assert [number for number, result in enumerate(results) if isinstance(result, Exception)] == [10]
    assert isinstance(results[10], NotFound if work is withdrawn else bank.refuses)
    kept = bank.sql("SELECT id FROM account WHERE house = 0 AND posted = 1 ORDER BY id")
    assert kept == sorted((f"a{i}",) for i in range(20))
    assert bank.sql("SELECT count(*) FROM feedback") == [(0,)]
    assert bank.witness.groups[1][10] == (work.__name__, outcome)


def test_nobody_is_told_of_a_group_that_was_not_committed(bank, write):
    """When the disk fails all are told that the outcome is unknown, nothing is kept, and the next group works."""

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        waiting = [asyncio.create_task(writer.do(*one)) for one in [(open_account, "ann", 1), (sick,)]]
        await asyncio.sleep(0)
        gate.go.set()
        await blocked
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [LedgerUnavailable] * 2
        assert (await writer.do(open_account, "bob", 1)).balance == 1

    write(scenario)
    assert bank.sql("SELECT id FROM account WHERE house = 0") == [("bob",)]


def test_a_cancelled_caller_leaves_nothing_open(bank, write):
    """Cancelled before its turn an operation is not begun; cancelled later it is committed; others go on."""

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        early = asyncio.create_task(writer.do(open_account, "early", 1))
        await asyncio.sleep(0)
        early.cancel()
        blocked.cancel()  # its work is under way
        await asyncio.sleep(0)
        gate.go.set()
        assert (await writer.do(open_account, "ann", 1)).balance == 1
        assert early.cancelled()
        assert blocked.cancelled()

    write(scenario)
    assert bank.sql("SELECT id FROM account WHERE house = 0") == [("ann",)]


def test_a_whole_group_that_was_cancelled_delays_nobody(bank, write, monkeypatch):
    """Those behind it have their turn at once."""
    monkeypatch.setattr("payment.ledger.writer.GROUP_LIMIT", 3)

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        waiting = [asyncio.create_task(writer.do(open_account, f"a{i}", 1)) for i in range(8)]
        await asyncio.sleep(0)
        for task in waiting[:6]:
            task.cancel()
        await asyncio.sleep(0)
        gate.go.set()
        await blocked
        assert [(await task).balance for task in waiting[6:]] == [1, 1]

    write(scenario)
    assert bank.sql("SELECT id FROM account WHERE house = 0") == [("a6",), ("a7",)]


def test_closing_finishes_what_waits_and_refuses_the_rest(bank, write):
    """Nothing that was taken is dropped; nothing more is taken."""

    async def scenario(writer):
        waiting = [asyncio.create_task(writer.do(open_account, f"a{i}", 1)) for i in range(20)]
        await asyncio.sleep(0)
        await writer.close()
        assert [(await one).balance for one in waiting] == [1] * 20
        with pytest.raises(LedgerUnavailable):
            await writer.do(open_account, "late", 1)

    write(scenario)


def test_too_many_that_wait_are_refused_at_once(bank, write, monkeypatch):
    """A queue without end would only make everybody late."""
    monkeypatch.setattr("payment.ledger.writer.QUEUE_LIMIT", 3)

    async def scenario(writer):
        gate = Gate()
        blocked = await held_up(writer, gate)
        waiting = [asyncio.create_task(writer.do(open_account, f"a{i}", 1)) for i in range(5)]
        await asyncio.sleep(0)
        gate.go.set()
        await blocked
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(result, LedgerUnavailable) for result in results] == [False] * 3 + [True] * 2

    write(scenario)


def test_neither_the_log_nor_the_observer_stops_the_ledger(bank, write, monkeypatch):
    """Standard output on a full disk, a counter that fails: the next operation is served all the same."""

    def fails(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr("payment.ledger.writer.log", SimpleNamespace(error=fails, exception=fails))
    monkeypatch.setattr(bank.witness, "group", fails)

    async def scenario(writer):
        with pytest.raises(LedgerUnavailable):
            await writer.do(sick)
        assert (await writer.do(open_account, "ann", 1)).balance == 1

    write(scenario)
