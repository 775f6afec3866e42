"""store.Store on PostgreSQL. Its tables are made by `python -m payment migrate`, not by whoever serves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from payment.ledger.postgres_engine import address, cause, engine
from payment.ledger.postgres_guards import PRESENT, wanted
from payment.ledger.postgres_session import PostgresSession, translated
from payment.ledger.store import StoreUnavailable, WrongSchema
from payment.migrations import HEAD

AUDIT_SECONDS = 60
"""How long one question of an audit may take."""


class PostgresStore:
    """A ledger in a PostgreSQL database. It connects when it is first asked something."""

    def __init__(self, database: str, password_file: str, replica: str) -> None:
        url = address(database)
        self.name = url.render_as_string(hide_password=True)
        # The writer has a pool of its own, of one: what hangs elsewhere never stands in its way.
        self._writing = engine(url, password_file, f"payment {replica}", pool_size=1, max_overflow=0)
        self._reading = engine(url, password_file, f"payment {replica} reader", pool_size=1, max_overflow=1)

    def session(self) -> PostgresSession:
        """The writer's session; it connects with its first group."""
        return PostgresSession(self._writing)

    def check(self) -> None:
        """Ask for the schema's revision."""
        with self._reader() as connection:
            try:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            except psycopg.errors.UndefinedTable:
                row = None
        found = row[0] if row else None
        if found != HEAD:
            has = f"has revision {found} of the ledger's schema" if found else "has no ledger"
            raise WrongSchema(f"{self.name} {has}; this program needs {HEAD}: run `python -m payment migrate`")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """A read-only transaction, as of its beginning; nobody waits for it."""
        with self._reader() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute(f"SET LOCAL statement_timeout = '{AUDIT_SECONDS}s'")
            try:
                yield PostgresSnapshot(connection)
            finally:
                connection.rollback()

    def close(self) -> None:
        """Close the connections."""
        self._writing.dispose()
        self._reading.dispose()

    @contextlib.contextmanager
    def _reader(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with contextlib.closing(self._reading.raw_connection()) as kept:
                connection = kept.driver_connection
                assert connection is not None  # noqa: S101 (it was checked out just now)
                yield connection
        except (SQLAlchemyError, psycopg.Error) as error:
            raise StoreUnavailable(f"{self.name} cannot be read: {cause(error)}") from error


class PostgresSnapshot:
    """store.Snapshot."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds; one that fails is undone, so that the next can be asked."""
        try:
            with self._connection.transaction():
                return iter(self._connection.execute(translated(query), values).fetchall())
        except psycopg.Error as error:
            raise StoreUnavailable(cause(error)) from error

    def damage(self) -> Iterator[str]:
        """Indexes that do not cover their table. A page's damage shows when it is read: `rows` tells."""
        for (name,) in self.rows("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"):
            yield f"The index {name} is not valid"

    def guards(self) -> list[str]:
        """Compare the database's triggers, their functions and the limits with the migrations' own text."""
        present = {(kind, name): text for kind, name, text in self.rows(PRESENT)}
        return [
            f"The {kind} {name} is missing or changed."
            for (kind, name), text in wanted().items()
            if present.get((kind, name)) != text
        ]
