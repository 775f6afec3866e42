"""Copying an SQLite ledger while it is served, and putting a copy in its place."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from payment.ledger.auditing import audit
from payment.ledger.sqlite import SqliteStore
from payment.ledger.sqlite_file import connect_to_read
from payment.ledger.store import StoreUnavailable
from payment.records import Audit, Terms


class CannotCopy(Exception):
    """A backup or a restore that was not made; the message says why and what to do."""


def backup(ledger: Path, copy: Path, now: int, terms: Terms) -> Audit:
    """Copy the ledger to the new file `copy`, as of one moment, and audit the copy. Nobody waits for it.

    Raises CannotCopy; what was found wrong is the answer's, and the copy is kept.
    """
    if copy.exists():
        raise CannotCopy(f"{copy} exists already: name a new file")
    return _copy(ledger, copy, now, terms)


def restore(copy: Path, ledger: Path, now: int, terms: Terms) -> Audit:
    """Make `ledger` of a sound backup. Raises CannotCopy when there is a ledger already, or the copy is not sound."""
    for name in (ledger.name, f"{ledger.name}-wal", f"{ledger.name}-shm"):  # a stale -wal would be taken for the copy's
        if ledger.with_name(name).exists():
            raise CannotCopy(f"{ledger.with_name(name)} exists already: stop payment and move it away first")
    try:
        found = audit(SqliteStore(copy), now, terms)
    except StoreUnavailable as error:
        raise CannotCopy(f"{copy} cannot be read: {error}") from error
    if not found.sound:
        raise CannotCopy(f"{copy} is not sound, nothing was restored: {found.findings[0]}")
    ledger.parent.mkdir(parents=True, exist_ok=True)
    return _copy(copy, ledger, now, terms)


def _copy(source: Path, target: Path, now: int, terms: Terms) -> Audit:
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with contextlib.closing(connect_to_read(source)) as old, contextlib.closing(sqlite3.connect(part)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        found = audit(SqliteStore(part), now, terms)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except (OSError, sqlite3.Error, StoreUnavailable) as error:
        raise CannotCopy(f"{source} could not be copied to {target}: {error}") from error
    return found
