"""store.Session on PostgreSQL, where several processes write at once.

A group takes the rows of all its accounts at its beginning, in one fixed order, and keeps them to its end; everything
that the rules decide by belongs to one account. READ COMMITTED then shows each statement all that earlier owners did.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import structlog
from psycopg import errors
from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from payment.ledger.postgres_engine import cause
from payment.ledger.store import OutcomeUnknown, Rows, StoreUnavailable

_TAKE = "SELECT id FROM account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
# An account that is not there yet has no row to take: its name's lock stands for it, so that two who open the same new
# accounts in different orders do not wait for each other.
_TAKE_NAMES = """
SELECT pg_advisory_xact_lock(%s, name)
FROM (SELECT DISTINCT hashtext(id) AS name FROM unnest(%s::text[]) AS id ORDER BY 1) AS names
"""
_ALONE = "SELECT pg_try_advisory_xact_lock(%s, %s)"
_DUTIES, _NAMES = 0x1ED9E4, 0x1ED9E5
"""The first half of the advisory locks' numbers; the second is the duty, or a name's hash."""

# The transaction was chosen to give way, or its connection ended before it asked to commit: nothing of it was kept.
_AGAIN = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.IdleInTransactionSessionTimeout,
)

# The connection is no longer what it was: its server became a standby, or the schema moved under a prepared statement.
_STALE = (errors.ReadOnlySqlTransaction, errors.FeatureNotSupported)

log = structlog.get_logger()


@functools.cache
def translated(statement: str) -> str:
    """The rules' `?` as psycopg's `%s`."""
    return statement.replace("%", "%%").replace("?", "%s")


class PostgresSession:
    """One connection of the engine's, kept from group to group and replaced when it is lost."""

    tries = 3

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: PoolProxiedConnection | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._had: set[str] = set()

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Rows:
        """Run a statement of the rules."""
        return self._open().execute(translated(statement), values)

    def begin(self, accounts: Iterable[str]) -> None:
        """Take the accounts' rows, in their names' order. Raises StoreUnavailable when it cannot connect."""
        connection = self._open()
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        wanted = set(accounts)
        self._had = self._take(sorted(wanted))
        if missing := wanted - self._had:
            connection.execute(_TAKE_NAMES, (_NAMES, list(missing)))

    def write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """All rows in one round trip."""
        if len(rows) == 1:
            self.execute(statement, rows[0])
        else:
            self._open().cursor().executemany(translated(statement), rows)

    def have(self, account: str) -> None:
        """An account that is not there yet, or was not when the group began, is taken now."""
        if account not in self._had:
            self._had |= self._take([account])

    def apart(self) -> None:
        """Begin one operation; the one before has ended."""
        self._open().execute("SAVEPOINT operation")

    def undo(self) -> None:
        """Undo the operation; the accounts stay taken."""
        self._open().execute("ROLLBACK TO operation")

    def lock(self, accounts: set[str]) -> set[str]:
        """Those that nobody else has: to wait here, out of order, could be a deadlock."""
        return self._take(sorted(accounts), " SKIP LOCKED")

    def alone(self, duty: int) -> bool:
        """By an advisory lock."""
        row = self._open().execute(_ALONE, (_DUTIES, duty)).fetchone()
        return bool(row and row[0])

    def commit(self) -> None:
        """Onto the server's disk."""
        connection = self._open()
        try:
            done = connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            if connection.closed:
                raise OutcomeUnknown(f"the connection was lost during a commit: {cause(error)}") from error
            raise
        if done != "COMMIT":
            raise psycopg.InternalError(f"the server answered a commit with {done}")

    def roll_back(self) -> None:
        """Undo the transaction; a connection that cannot is given up, and the server undoes it."""
        if self._connection is None:
            return
        with contextlib.suppress(psycopg.Error):
            self._connection.rollback()
            if not self._connection.closed:
                return
        self._give_up()

    def interrupt(self) -> None:
        """Close the connection's socket under the waiting call."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back."""
        if self._kept is not None:
            self._kept.close()
            self._kept = self._connection = None

    def is_its_own(self, error: Exception) -> bool:
        """What the ledger's limits and types say; not a missing table or right, nor what became of the connection."""
        return not isinstance(error, (psycopg.Error, StoreUnavailable)) or isinstance(
            error, (psycopg.IntegrityError, psycopg.DataError)
        )

    def may_repeat(self, error: Exception) -> bool:
        """After a deadlock, or when the connection was lost before the commit, or is of no more use."""
        if isinstance(error, _STALE):
            self._give_up()
            return True
        lost = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) and error.sqlstate is None
        return lost or isinstance(error, _AGAIN)

    def _take(self, accounts: list[str], otherwise: str = "") -> set[str]:
        return {row[0] for row in self._open().execute(_TAKE + otherwise, (accounts,))} if accounts else set()

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            try:
                self._kept = self._engine.raw_connection()
            except (SQLAlchemyError, psycopg.Error) as error:
                raise StoreUnavailable(f"cannot connect to the database: {cause(error)}") from error
            self._connection = self._kept.driver_connection
            assert self._connection is not None  # noqa: S101 (it was connected just now)
        return self._connection

    def _give_up(self) -> None:
        if self._kept is not None:
            self._kept.invalidate()
            self._kept = self._connection = None
            log.warning("a connection to the ledger's database was lost")
