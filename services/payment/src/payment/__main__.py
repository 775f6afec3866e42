"""`python -m payment`: settings → logging → serve. Other commands stand in commands.py."""

from __future__ import annotations

import sqlite3
import sys

import uvloop

from payment import commands
from payment.bootstrap import bootstrap
from payment.ledger.store import WrongSchema
from payment.settings import Settings
from runtime import logging
from runtime.folder import Refused
from runtime.lifecycle import CannotListen, serve


async def run(settings: Settings) -> None:
    """Serve until told to stop."""
    async with bootstrap(settings) as running:
        await serve(running.app, running.service, (running.grpc_server, settings.grpc_port))


def main() -> None:
    """Read the command line and the environment; a start that cannot be is one line and exit code 1."""
    words = commands.parse(sys.argv[1:])
    settings = Settings()
    if words.command:
        sys.exit(commands.run(words, settings))
    logging.configure("payment", settings)
    try:
        uvloop.run(run(settings))
    except (CannotListen, Refused, WrongSchema, OSError, sqlite3.Error) as error:
        sys.exit(f"payment: {error}")


if __name__ == "__main__":
    main()
