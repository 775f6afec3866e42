"""`up` as a process of its own: `python -m localmesh.foreground MODULE:PRODUCT …`.

The command becomes this program rather than call it: what parses words for a moment takes more memory than the
supervisor needs for hours.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from localmesh.copies import Copy
from localmesh.errors import LocalmeshError
from localmesh.product import Product
from localmesh.session import Session
from localmesh.state import StateFolder


@dataclass(frozen=True)
class Asked:
    """What `up` was asked for. `overlay` is its folder in the checkout."""

    port: int
    overlay: str
    scenario: str | None
    access_log: bool


def words(session: Session, asked: Asked) -> list[str]:
    """The command line that runs a copy in the foreground."""
    found = [sys.executable, "-m", "localmesh.foreground", session.product.reference]
    found += ["--root", str(session.root), "--home", str(session.state.path), "--port", str(asked.port)]
    found += ["--overlay", asked.overlay]
    found += ["--scenario", asked.scenario] if asked.scenario else []
    return [*found, "--access-log"] if asked.access_log else found


def become(session: Session, asked: Asked) -> None:
    """Go on as that program; does not return."""
    sys.stdout.flush()
    command = words(session, asked)
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


def main(arguments: list[str]) -> int:
    """Run until told to stop; gives the exit code."""
    from localmesh.screen import show_error

    parser = argparse.ArgumentParser(prog="localmesh.foreground")
    parser.add_argument("product")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--overlay", required=True)
    parser.add_argument("--scenario")
    parser.add_argument("--access-log", action="store_true")
    found = parser.parse_args(arguments)
    try:
        product, state = _product(found.product), StateFolder(found.home)
        copy = Copy(product, found.root, state, found.port, found.overlay, found.access_log)
        asyncio.run(_run(copy, found.scenario))
    except LocalmeshError as error:
        show_error(error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _product(reference: str) -> Product:
    module, _, name = reference.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, Product):
        raise LocalmeshError(f"{reference} is not a product", "Name a localmesh.product.Product as MODULE:NAME.")
    return found


async def _run(copy: Copy, scenario: str | None) -> None:
    from localmesh.screen import Progress, show_status
    from localmesh.status import status
    from localmesh.supervisor import Supervisor
    from localmesh.up import up

    progress = Progress()

    def ready(supervisor: Supervisor, version: str) -> None:
        progress.say("all is ready" if supervisor.ready else "not all is ready")
        show_status(status(supervisor, version), copy.product.name)

    await up(copy, scenario, progress.say, ready)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
