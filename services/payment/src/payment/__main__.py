"""`python -m payment`: settings → logging → serve. `python -m payment audit`: prove the books and say so."""

from __future__ import annotations

import sqlite3
import sys

import uvloop

from payment.bootstrap import bootstrap
from payment.clock import SystemClock
from payment.ledger.auditing import audit
from payment.ledger.database import WrongSchema
from payment.settings import Settings
from runtime import logging
from runtime.lifecycle import CannotListen, serve


async def run(settings: Settings) -> None:
    """Serve until told to stop."""
    async with bootstrap(settings) as running:
        await serve(running.app, running.service, running.grpc_server)


def print_audit(settings: Settings) -> int:
    """Print findings and a summary; 0 when sound, 1 when not, 2 when there is no ledger to read."""
    try:
        found = audit(settings.database, SystemClock().now(), settings.terms)
    except sqlite3.Error as error:
        sys.stderr.write(f"payment: cannot read the ledger {settings.database}: {error}\n")
        return 2
    for finding in found.findings:
        sys.stdout.write(f"{finding}\n")
    verdict = "sound" if found.sound else f"NOT sound: {len(found.findings)} findings"
    sys.stdout.write(f"{verdict}; {found.accounts} accounts, {found.transfers} transfers, {found.held} charges held\n")
    return 0 if found.sound else 1


def main() -> None:
    """Read the environment and serve, or audit; a start that cannot be is one line and exit code 1."""
    settings = Settings()
    if sys.argv[1:] == ["audit"]:
        sys.exit(print_audit(settings))
    if sys.argv[1:]:
        sys.exit("usage: python -m payment [audit]")
    logging.configure("payment", settings)
    try:
        uvloop.run(run(settings))
    except (CannotListen, WrongSchema, OSError, sqlite3.Error) as error:
        sys.exit(f"payment: {error}")


if __name__ == "__main__":
    main()
