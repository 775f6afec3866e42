"""What becomes of a ledger whose connection to PostgreSQL breaks, hangs or is refused."""

import asyncio
import signal
from contextlib import closing

import psycopg
import pytest

from payment.errors import LedgerUnavailable
from payment.ledger import postgres_engine, writer
from payment.ledger.book import open_ledger
from payment.ledger.postgres_session import PostgresSession
from payment.ledger.store import StoreUnavailable
from payment.ledger.stores import open_store
from payment.records import Account

OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def play(bank, scenario, session_class):
    """Run a scenario with a ledger whose writer has a session of this class."""

    async def run():
        with closing(bank.store()) as store:
            store.session = lambda: session_class(store._writing)
            async with open_ledger(store, bank.terms, bank.clock, bank.witness) as ledger:
                await scenario(ledger)
                assert (await ledger.audit()).findings == ()

    asyncio.run(run())


def test_a_connection_that_was_lost_in_between_costs_nobody_anything(postgres_bank):
    """The next operation finds a new one."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        postgres_bank.sql(OTHERS)
        assert await ledger.account("ann") == Account("ann", 20, 0)

    postgres_bank.run(scenario)


def test_an_operation_whose_connection_is_lost_before_the_commit_is_done_again(postgres_bank, key):
    """Nothing of the first try was kept, so a second is safe, and nobody is bothered."""

    class Loses(PostgresSession):
        left = 1

        def execute(self, statement, values=()):
            if self.left and statement.startswith("INSERT INTO transfer"):
                Loses.left -= 1
                postgres_bank.sql(OTHERS)
            return super().execute(statement, values)

    async def scenario(ledger):
        assert (await ledger.open_account("ann", 20)).balance == 20
        assert Loses.left == 0
        await ledger.hold("ann", key("k"), 3)
        assert await ledger.account("ann") == Account("ann", 20, 3)

    play(postgres_bank, scenario, Loses)


@pytest.mark.parametrize("committed", [False, True], ids=["before the server did", "after the server did"])
def test_a_connection_that_is_lost_in_a_commit_means_unknown_and_the_key_tells(postgres_bank, key, answer, committed):
    """The caller is told so; the same request with the same key has one effect, whatever the truth was."""

    class Loses(PostgresSession):
        armed = False

        def commit(self):
            if Loses.armed:
                Loses.armed = False
                if committed:
                    self._connection.execute("COMMIT")
                self.interrupt()
            super().commit()

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        Loses.armed = True
        with pytest.raises(LedgerUnavailable):
            await ledger.hold("ann", key("k"), 3)
        charge = await ledger.hold("ann", key("k"), 3)
        assert await ledger.account("ann") == Account("ann", 20, 3)
        Loses.armed = True
        with pytest.raises(LedgerUnavailable):
            await ledger.capture("ann", charge.id, "a1", answer)
        await ledger.capture("ann", charge.id, "a1", answer)
        assert await ledger.hold("ann", key("k", "a2"), 3) == answer
        assert await ledger.account("ann") == Account("ann", 17, 0)

    play(postgres_bank, scenario, Loses)


def test_a_server_that_crashes_and_comes_back_lost_nothing(postgres_bank, postgres, key):
    """While it is away callers are told at once; afterwards all that was acknowledged is there."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        await ledger.hold("ann", key("k1"), 3)
        await asyncio.to_thread(postgres.stop)
        with pytest.raises(LedgerUnavailable):
            await ledger.hold("ann", key("k2"), 3)
        with pytest.raises(LedgerUnavailable):
            await ledger.audit()
        await asyncio.to_thread(postgres.start)
        assert await ledger.account("ann") == Account("ann", 20, 3)
        assert (await ledger.hold("ann", key("k2"), 3)).available == 14

    postgres_bank.run(scenario)


def test_a_server_that_hangs_is_given_up(postgres_bank, postgres, monkeypatch):
    """Callers wait no longer than the group's time, and the ledger goes on when the server does."""
    monkeypatch.setattr(writer, "GROUP_SECONDS", 0.5)

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        postgres.signal(signal.SIGSTOP)
        try:
            with pytest.raises(LedgerUnavailable):
                await asyncio.wait_for(ledger.account("ann"), 60)
        finally:
            postgres.signal(signal.SIGCONT)
        async with asyncio.timeout(60):
            while True:
                try:
                    assert await ledger.account("ann") == Account("ann", 20, 0)
                    break
                except LedgerUnavailable:
                    continue

    postgres_bank.run(scenario)


def test_a_standby_decides_no_debit(postgres_bank, postgres):
    """A connection whose server turned read-only is replaced, and a new one is only taken from a server that writes."""
    database = postgres_bank.address.partition("@/")[2].partition("?")[0]
    turned = []

    class Turns(PostgresSession):
        def begin(self, accounts):
            if not turned:
                turned.append(self._open().execute("SET default_transaction_read_only = on"))
            super().begin(accounts)

    async def scenario(ledger):
        assert (await ledger.open_account("ann", 20)).balance == 20
        postgres.sql("postgres", f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        try:
            postgres_bank.sql(OTHERS)
            with pytest.raises(LedgerUnavailable):
                await ledger.open_account("bob", 20)
        finally:
            postgres.sql("postgres", f"ALTER DATABASE {database} RESET default_transaction_read_only")
        assert (await ledger.open_account("bob", 20)).balance == 20

    play(postgres_bank, scenario, Turns)


def test_another_s_lock_costs_an_answer_and_not_the_service(postgres_bank, monkeypatch):
    """Whoever holds an account's row for too long makes one operation unavailable."""
    monkeypatch.setitem(postgres_engine._OPTIONS, "lock_timeout", "1s")

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        intruder = psycopg.connect(postgres_bank.address)
        intruder.execute("UPDATE account SET posted = posted WHERE id = 'ann'")
        with pytest.raises(LedgerUnavailable):
            await ledger.account("ann")
        intruder.rollback()
        intruder.close()
        assert await ledger.account("ann") == Account("ann", 20, 0)

    postgres_bank.run(scenario)


def test_the_password_is_read_for_each_connection(postgres, tmp_path):
    """It can change while payment runs; a file that is not there is named."""
    rules = postgres.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all guarded scram-sha-256\n" + before)
    file = tmp_path / "password"
    file.write_text("one\n")
    try:
        postgres.sql("postgres", "SELECT pg_reload_conf()")
        postgres.sql("postgres", "CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'one'")
        address = postgres.new_ledger().replace("payment@", "guarded@")
        with closing(open_store(address, str(file))) as store:
            store.check()
            postgres.sql("postgres", "ALTER ROLE guarded PASSWORD 'two'")
            file.write_text("two")
            postgres.sql("postgres", OTHERS.replace("datname = current_database()", "usename = 'guarded'"))
            store.check()
            file.unlink()
            postgres.sql("postgres", OTHERS.replace("datname = current_database()", "usename = 'guarded'"))
            with pytest.raises(StoreUnavailable, match=f"{file} cannot be read: No such file"):
                store.check()
    finally:
        rules.write_text(before)
        postgres.sql("postgres", "SELECT pg_reload_conf()")
        postgres.sql("postgres", "DROP ROLE IF EXISTS guarded")


def test_no_message_tells_a_password():
    """An address is shown without it."""
    with closing(open_store("postgresql://payment:hunter2@127.0.0.1:1/payment")) as store:
        assert "hunter2" not in store.name
        with pytest.raises(StoreUnavailable) as caught:
            store.check()
        assert "hunter2" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
