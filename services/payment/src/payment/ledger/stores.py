"""Which database keeps the ledger."""

from __future__ import annotations

from pathlib import Path

from payment.ledger.store import Store

_SCHEMES = ("postgresql://", "postgresql+psycopg://", "postgres://")


def is_address(database: str) -> bool:
    """Whether this is PostgreSQL's address, and not a file's path."""
    return database.startswith(_SCHEMES)


def open_store(database: str, password_file: str = "", replica: str = "local") -> Store:
    """The store of PAYMENT_DATABASE: PostgreSQL's address, or the path of an SQLite file. Connects to nothing yet."""
    if is_address(database):
        # A laptop's ledger does not pay for what it never uses: the import takes as long as the rest of the start.
        from payment.ledger.postgres import PostgresStore

        return PostgresStore(database, password_file, replica)
    from payment.ledger.sqlite import SqliteStore

    return SqliteStore(Path(database))
