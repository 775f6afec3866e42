"""Bringing PostgreSQL's schema to a revision, whoever else tries the same at the same time."""

from __future__ import annotations

import time
from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from payment.ledger.postgres_engine import address, cause, engine
from payment.ledger.store import StoreUnavailable, WrongSchema

_LOCK = 0x1ED9E500
"""The advisory lock's number: one process migrates at a time."""


def migrate(database: str, password_file: str, to: str, wait: float) -> str:
    """Bring the schema at `database` to revision `to` (`head`: what this program needs; `base`: nothing).

    Waits up to `wait` seconds for the database and for others who migrate it; then says what was done. All of it is one
    transaction. Raises StoreUnavailable, and WrongSchema when there is no way to that revision.
    """
    deadline = time.monotonic() + wait
    made = engine(address(database), password_file, "payment migrate", pool_size=1)
    try:
        with (
            _connected(made, deadline).execution_options(isolation_level="READ COMMITTED") as connection,
            connection.begin(),
        ):
            left = max(1, int((deadline - time.monotonic()) * 1000))
            connection.execute(text(f"SET LOCAL lock_timeout = {left}"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))  # else all who serve would queue behind this
            return _move(connection, to)
    except CommandError as error:
        raise WrongSchema(f"there is no way to revision {to}: {error}") from error
    except (DBAPIError, RuntimeError) as error:
        raise WrongSchema(f"nothing was changed: {cause(error)}") from error
    finally:
        made.dispose()


def _move(connection: Connection, to: str) -> str:
    # Written without an alembic.ini: nothing is read from the working folder.
    config = Config()
    config.set_main_option("script_location", str(resources.files("payment.migrations")))
    config.attributes["connection"] = connection
    before = _revision(connection)
    if to == "base" or (to != "head" and before is not None and to < before):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)
    after = _revision(connection)
    return f"the schema is at revision {after}" + (", as it was" if after == before else f", from {before}")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _connected(made: Engine, deadline: float) -> Connection:
    pause = 0.1
    while True:
        try:
            return made.connect()
        except SQLAlchemyError as error:
            if time.monotonic() + pause > deadline:
                raise StoreUnavailable(f"the database could not be reached in time: {cause(error)}") from error
        time.sleep(pause)
        pause = min(2 * pause, 2.0)
