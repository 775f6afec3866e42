"""`inkmesh train`."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from inkmesh.models import folder_of, training_command
from localmesh.errors import LocalmeshError


def train(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option(help="Where the models go; `up` looks for them in the state folder.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Train again and compare with what stands there, to the byte; write nothing."),
    ] = False,
) -> None:
    """Train every model that is missing or out of date, with its manifest beside it. A running copy takes it up."""
    folder = output or folder_of(context.obj.state)
    if check:
        raise typer.Exit(subprocess.run((*training_command(folder), "--check"), check=False).returncode)
    folder.mkdir(parents=True, exist_ok=True)
    code = subprocess.run(training_command(folder), check=False).returncode
    if code != 0:
        raise LocalmeshError(f"the training ended with code {code}", "What it printed above says why.")
    sys.stdout.write(f"the models are in {folder}\n")
