"""store.Store on one SQLite file."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from payment.ledger.sqlite_file import connect, connect_to_read, schema
from payment.ledger.store import StoreUnavailable

_ITS_OWN = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)

_VALUES = re.compile(r"VALUES (\([^()]*\))")
_MANY, _LARGEST = 8, 6
"""Fewer rows are no faster in one statement; 2 ** 6 are its most. Only powers of two are made, so that statements stay
few and SQLite keeps them."""

log = structlog.get_logger()


@functools.cache
def repeated(statement: str, times: int) -> str:
    """A statement with so many rows of values in place of its one."""
    return _VALUES.sub(lambda found: "VALUES " + ", ".join([found[1]] * times), statement)


class SqliteStore:
    """A ledger's file.

    SQLite keeps schema.sql rather than migrations: a laptop's file is made in one transaction by the process that
    serves it, and Alembic's import would nearly double its start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def session(self) -> SqliteSession:
        """Open the file for writing; it and its folder are made when they are not there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteSession(connect(self.path))

    def check(self) -> None:
        """Nothing to ask: the file was opened, or `session` failed."""

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """Look at an existing file, from a connection of its own: nobody waits for it."""
        try:
            connection = connect_to_read(self.path)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        with contextlib.closing(connection):
            try:
                connection.execute("BEGIN")
                connection.execute("SELECT 1 FROM sqlite_master")  # a snapshot begins with its first read
            except sqlite3.Error as error:
                raise StoreUnavailable(str(error)) from error
            yield SqliteSnapshot(connection)

    def close(self) -> None:
        """Nothing is shared."""


class SqliteSession:
    """store.Session. SQLite has one writer at a time, so whoever has begun has every account to himself."""

    tries = 1

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.execute = connection.execute

    def begin(self, _: Iterable[str]) -> None:
        """Take the file's write lock."""
        self.execute("BEGIN IMMEDIATE")

    def write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Many rows in one statement, where it has a list of values; few, one by one."""
        done = 0
        while (left := len(rows) - done) >= _MANY and " VALUES (" in statement:
            some = 1 << min(left.bit_length() - 1, _LARGEST)
            self.execute(repeated(statement, some), list(itertools.chain.from_iterable(rows[done : done + some])))
            done += some
        if left == 1:
            self.execute(statement, rows[done])
        elif left:
            self.connection.executemany(statement, rows[done:])

    def have(self, _: str) -> None:
        """It is had already."""

    def apart(self) -> None:
        """Begin one operation; the one before has ended."""
        self.execute("SAVEPOINT operation")

    def undo(self) -> None:
        """Undo the operation."""
        self.execute("ROLLBACK TO operation")

    def lock(self, accounts: set[str]) -> set[str]:
        """They are all had already."""
        return accounts

    def alone(self, _: int) -> bool:
        """Always."""
        return True

    def commit(self) -> None:
        """Onto the disk."""
        self.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo the transaction, if there is one."""
        try:
            if self.connection.in_transaction:
                self.execute("ROLLBACK")
        except sqlite3.Error:
            log.exception("the ledger could not roll back")

    def interrupt(self) -> None:
        """Stop a statement that runs too long."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.interrupt()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def is_its_own(self, error: Exception) -> bool:
        """All but what the disk or the file say."""
        return not isinstance(error, sqlite3.DatabaseError) or isinstance(error, _ITS_OWN)

    def may_repeat(self, _: Exception) -> bool:
        """Never: waiting for the lock is SQLite's own business."""
        return False


class SqliteSnapshot:
    """store.Snapshot."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds."""
        try:
            yield from self._connection.execute(query, tuple(values))
        except sqlite3.DatabaseError as error:  # a ledger so broken that a question cannot even be asked
            raise StoreUnavailable(str(error)) from error

    def damage(self) -> Iterator[str]:
        """What SQLite's own check finds."""
        return (f"The file is damaged: {row[0]}" for row in self.rows("PRAGMA integrity_check") if row[0] != "ok")

    def guards(self) -> list[str]:
        """Compare the file's schema, statement by statement, with a fresh one."""
        parts = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
            for statement in schema():
                fresh.execute(statement)
            wanted, present = dict(fresh.execute(parts)), dict(self.rows(parts))
        return [f"The {part} is missing or changed." for part, sql in wanted.items() if present.get(part) != sql]
