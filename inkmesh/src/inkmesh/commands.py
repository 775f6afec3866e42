"""Inkmesh's own verbs."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Add them to the application."""
    from inkmesh.load.commands import create_app
    from inkmesh.train import train

    app.command()(train)
    app.add_typer(create_app(), name="load")
