"""What `python -m payment` does besides serving: each says what it did and gives an exit code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from payment import backups
from payment.clock import SystemClock
from payment.ledger.auditing import audit
from payment.ledger.store import StoreUnavailable, WrongSchema
from payment.ledger.stores import is_address, open_store
from payment.records import Audit
from payment.settings import Settings


def parse(words: list[str]) -> argparse.Namespace:
    """The command line; exits with its usage when it makes no sense."""
    parser = argparse.ArgumentParser("python -m payment", description="The credit ledger. Without a command: serve.")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("audit", help="prove the books: exit code 0 (sound), 1 (not), 2 (no ledger to read)")
    migrate = commands.add_parser("migrate", help="bring PostgreSQL's schema to what this program needs")
    migrate.add_argument("--to", default="head", metavar="REVISION", help="another revision, also an older one")
    migrate.add_argument(
        "--wait", default=60.0, type=float, metavar="SECONDS", help="how long to wait for the database"
    )
    for name, does in (
        ("backup", "copy an SQLite ledger, also while it is served"),
        ("restore", "put a copy in place"),
    ):
        commands.add_parser(name, help=does).add_argument("file", type=Path)
    return parser.parse_args(words)


def run(words: argparse.Namespace, settings: Settings) -> int:
    """Do it; the exit code."""
    return {"audit": _audit, "migrate": _migrate, "backup": _backup, "restore": _restore}[words.command](
        words, settings
    )


def _audit(_: argparse.Namespace, settings: Settings) -> int:
    store = open_store(settings.database, settings.database_password_file, "audit")
    try:
        found = audit(store, SystemClock().now(), settings.terms)
    except StoreUnavailable as error:
        return _complain(f"cannot read the ledger {store.name}: {error}", 2)
    finally:
        store.close()
    return _tell(found)


def _migrate(words: argparse.Namespace, settings: Settings) -> int:
    if not is_address(settings.database):
        sys.stdout.write("payment: an SQLite ledger makes its own schema: there is nothing to migrate\n")
        return 0
    from payment.migrating import migrate  # with all of Alembic

    try:
        done = migrate(settings.database, settings.database_password_file, words.to, words.wait)
    except (StoreUnavailable, WrongSchema) as error:
        return _complain(str(error), 1)
    sys.stdout.write(f"payment: {done}\n")
    return 0


def _backup(words: argparse.Namespace, settings: Settings) -> int:
    if is_address(settings.database):
        return _complain("PostgreSQL has its own tool for this: pg_dump --format=custom --file=FILE", 1)
    try:
        found = backups.backup(Path(settings.database), words.file, SystemClock().now(), settings.terms)
    except backups.CannotCopy as error:
        return _complain(str(error), 1)
    return _tell(found)


def _restore(words: argparse.Namespace, settings: Settings) -> int:
    if is_address(settings.database):
        return _complain("PostgreSQL has its own tool for this: pg_restore --single-transaction --dbname=… FILE", 1)
    try:
        found = backups.restore(words.file, Path(settings.database), SystemClock().now(), settings.terms)
    except backups.CannotCopy as error:
        return _complain(str(error), 1)
    return _tell(found)


def _tell(found: Audit) -> int:
    for finding in found.findings:
        sys.stdout.write(f"{finding}\n")
    verdict = "sound" if found.sound else f"NOT sound: {len(found.findings)} findings"
    sys.stdout.write(f"{verdict}; {found.accounts} accounts, {found.transfers} transfers, {found.held} charges held\n")
    return 0 if found.sound else 1


def _complain(why: str, code: int) -> int:
    sys.stderr.write(f"payment: {why}\n")
    return code
