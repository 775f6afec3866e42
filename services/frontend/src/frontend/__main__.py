"""`python -m frontend`: settings → logging → serve."""

from __future__ import annotations

import sys

import uvloop

from frontend.bootstrap import bootstrap
from frontend.settings import Settings
from runtime import logging
from runtime.folder import Refused
from runtime.lifecycle import CannotListen, serve


async def run(settings: Settings) -> None:
    """Serve until told to stop."""
    async with bootstrap(settings) as running:
        await serve(running.app, running.service)


def main() -> None:
    """Read the environment and serve; a start that cannot be is one line and exit code 1."""
    settings = Settings()
    logging.configure("frontend", settings)
    try:
        uvloop.run(run(settings))
    except (CannotListen, Refused) as error:
        sys.exit(f"frontend: {error}")


if __name__ == "__main__":
    main()
