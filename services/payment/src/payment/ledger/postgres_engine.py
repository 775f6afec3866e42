"""Connections to PostgreSQL: where to, with which password, with which deadlines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url

CONNECT_SECONDS = 3
"""How long one attempt to connect may take; libpq knows whole seconds."""

# Whatever the server's own defaults are: a commit is on its disk before anyone is told, nothing waits for ever, and a
# process that stopped in the middle of a transaction is thrown out before it blocks the others for long.
_OPTIONS = {
    "synchronous_commit": "on",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "5s",
    "timezone": "UTC",
}
# A peer that vanished without a word is noticed in seconds, not in the kernel's quarter of an hour.
_KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 5000}


def address(database: str) -> URL:
    """The database's address, for psycopg whichever way it is written. Raises sqlalchemy.exc.ArgumentError."""
    return make_url(database).set(drivername="postgresql+psycopg")


def engine(url: URL, password_file: str, application: str, **pool: Any) -> Engine:  # noqa: ANN401 (SQLAlchemy's own)
    """An engine whose connections commit each statement unless told to begin; it connects when it is first used.

    The password is read from its file at each new connection, so that it can change while this runs.
    """
    made = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_pre_ping=True,
        pool_timeout=CONNECT_SECONDS,
        connect_args={
            "application_name": application,
            "connect_timeout": CONNECT_SECONDS,
            "options": " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items()),
            "target_session_attrs": "read-write",  # a standby decides no debit
            **_KEEPALIVE,
        },
        **pool,
    )
    if password_file:

        @event.listens_for(made, "do_connect")
        def _with_password(_: object, __: object, ___: object, parameters: dict[str, Any]) -> None:
            try:
                parameters["password"] = Path(password_file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not text"
                raise psycopg.OperationalError(f"the password file {password_file} cannot be read: {reason}") from error

    return made


def cause(error: Exception) -> str:
    """What the driver said of an error of its own or SQLAlchemy's, in one line."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
