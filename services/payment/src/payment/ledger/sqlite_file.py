"""The ledger's SQLite file: how it is opened, what makes it durable, its schema."""

from __future__ import annotations

import sqlite3
import time
from importlib import resources
from pathlib import Path

from payment.ledger.store import WrongSchema

SCHEMA_VERSION = 1
_WAIT_SECONDS = 5.0
"""For whoever holds the file's lock."""

# FULL: a commit is on the disk before anyone is told. The rest keeps SQLite's own files and defaults out of the way.
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  # so that REPLACE fires the triggers that refuse DELETE
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",  # KiB
    # Pages, 64 MB of them. Whoever commits then waits for the checkpoint, and the larger the ledger, the fewer of its
    # pages were written twice in between: so rarely that it is no part of the 99th percentile.
    "PRAGMA wal_autocheckpoint = 16000",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger for writing; a new file gets its tables. Raises WrongSchema, sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _write_ahead(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing ledger without the means to change it. Raises sqlite3.OperationalError when there is none."""
    address = f"{path.absolute().as_uri()}?mode=rw"  # read-only files could not take part in the WAL
    connection = sqlite3.connect(
        address, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    connection.execute("PRAGMA query_only = ON")
    return connection


def schema() -> list[str]:
    """The statements of schema.sql."""
    script = resources.files("payment.ledger").joinpath("schema.sql").read_text("utf-8")
    statements, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            statements.append(begun.strip())
            begun = ""
    return statements


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. Of those who switch a new file over together, SQLite refuses all but one at once."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")  # of two processes that start at once, one waits here and finds it done
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in schema():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise WrongSchema(f"the ledger's schema is version {version}; this program knows {SCHEMA_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
