"""Inkmesh's own verbs."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Add them to the application."""
    from inkmesh.train import train

    app.command()(train)
