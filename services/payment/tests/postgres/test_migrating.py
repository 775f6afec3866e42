import sqlite3
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import payment.migrations
from payment.ledger.sqlite_file import schema
from payment.ledger.store import StoreUnavailable, WrongSchema
from payment.ledger.stores import open_store
from payment.migrating import migrate


@pytest.fixture
def empty(postgres):
    return postgres.new_database()


def check(address):
    with closing(open_store(address)) as store:
        store.check()


def tables(address):
    with closing(psycopg.connect(address)) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        left = connection.execute("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace").fetchone()
    return {name for (name,) in rows}, left[0]


def test_up_down_and_up_again(empty):
    """Each says what it did; down leaves nothing of the ledger behind."""
    with pytest.raises(WrongSchema, match="has no ledger; this program needs 0001: run `python -m payment migrate`"):
        check(empty)
    assert migrate(empty, "", "head", 5) == "the schema is at revision 0001, from None"
    check(empty)
    assert migrate(empty, "", "head", 5) == "the schema is at revision 0001, as it was"
    assert migrate(empty, "", "base", 5) == "the schema is at revision None, from 0001"
    assert tables(empty) == ({"alembic_version"}, 0)
    with pytest.raises(WrongSchema):
        check(empty)
    migrate(empty, "", "0001", 5)
    check(empty)


def test_a_ledger_with_accounts_is_not_taken_down(postgres_bank):
    """Books are never deleted; the refusal changes nothing."""
    postgres_bank.run(lambda ledger: ledger.open_account("ann", 20))
    migrated = postgres_bank.server.new_database()
    migrate(migrated, "", "head", 5)
    with closing(psycopg.connect(migrated, autocommit=True)) as connection:
        connection.execute("INSERT INTO account (id, house, opened_at) VALUES ('ann', 0, 0)")
    with pytest.raises(WrongSchema, match="never deleted"):
        migrate(migrated, "", "base", 5)
    check(migrated)


def test_an_unknown_revision_is_refused(empty):
    """Before anything is touched."""
    with pytest.raises(WrongSchema, match="9999"):
        migrate(empty, "", "9999", 5)
    assert tables(empty)[0] == set()


def test_replicas_that_migrate_at_once_do_it_once(empty):
    """As init containers do; each ends well, and one of them did the work."""
    program = [sys.executable, "-m", "payment", "migrate"]
    started = [
        subprocess.Popen(program, env={"PAYMENT_DATABASE": empty}, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 4
    assert sorted(said) == [
        *["payment: the schema is at revision 0001, as it was\n"] * 3,
        "payment: the schema is at revision 0001, from None\n",
    ]
    check(empty)


def test_it_waits_for_a_database_that_is_not_there_yet(postgres, empty):
    """For as long as it was told."""
    postgres.stop("fast")
    try:
        program = [sys.executable, "-m", "payment", "migrate", "--wait"]
        early = subprocess.run(
            [*program, "0.2"], env={"PAYMENT_DATABASE": empty}, capture_output=True, text=True, timeout=120, check=False
        )
        assert early.returncode == 1
        assert early.stderr.startswith("payment: the database could not be reached in time: ")
        patient = subprocess.Popen([*program, "100"], env={"PAYMENT_DATABASE": empty})
    finally:
        postgres.start()
    assert patient.wait(120) == 0
    check(empty)


def test_the_program_needs_the_newest_revision():
    """A revision that nobody asks for would never be checked."""
    config = Config()
    config.set_main_option("script_location", payment.migrations.__path__[0])
    assert ScriptDirectory.from_config(config).get_heads() == [payment.migrations.HEAD]


def test_both_databases_have_the_same_tables(postgres_bank):
    """Names of tables and columns, what may be NULL, what is unique; the rules' SQL is the same text for both."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in schema():
            connection.execute(statement)
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        here = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
    there = postgres_bank.sql(
        "SELECT table_name, column_name, is_nullable = 'NO' FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY table_name, ordinal_position"
    )
    # PRIMARY KEY says NOT NULL by itself, where SQLite's table_info does not.
    told = [
        (name, column, bool(required or key)) for name in sorted(here) for _, column, _, required, _, key in here[name]
    ]
    assert told == there


def test_a_database_that_cannot_be_reached_is_named(tmp_path):
    """Cause and address."""
    with pytest.raises(StoreUnavailable, match="could not be reached in time"):
        migrate(f"postgresql://payment@/payment?host={tmp_path}", "", "head", 0.1)
