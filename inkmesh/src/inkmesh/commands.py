"""Inkmesh's own verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def add_commands(app: typer.Typer) -> None:
    """Add them to the application."""
    from inkmesh.load.commands import create_app
    from inkmesh.train import train

    app.command()(train)
    app.add_typer(create_app(), name="load")
