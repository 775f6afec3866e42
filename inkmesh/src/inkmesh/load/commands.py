"""`inkmesh load`: its verbs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from localmesh.errors import LocalmeshError

if TYPE_CHECKING:
    from inkmesh.load.locust_process import Plan
    from inkmesh.load.target import Target

Users = Annotated[int | None, typer.Option(min=1, help="Closed loop: so many visitors, who wait for their answers.")]
Rate = Annotated[int | None, typer.Option(min=1, help="Open loop: so many arrivals a second; 100 without --users.")]
Duration = Annotated[float | None, typer.Option(min=5, metavar="SECONDS", help="How long the shape takes.")]
Rest = Annotated[float | None, typer.Option(min=0, metavar="SECONDS", help="Little load after it: is it scaled down?")]
Steps = Annotated[int, typer.Option(min=1, help="steps: how many.")]
Output = Annotated[Path | None, typer.Option(help="The folder for the report; in the state folder by default.")]
Objectives = Annotated[Path | None, typer.Option(help="What it must show; loadtest/objectives.toml by default.")]
Drift = Annotated[
    str,
    typer.Option(
        metavar="blur|invert|shift", help="Digits go bad after a third of it: is it seen? Alone: two minutes of it."
    ),
]
Tier = Annotated[str, typer.Option(help="laptop: the running copy. cluster: INGRESS_URL, and KUBECONFIG's API server.")]
Run = Annotated[Path, typer.Argument(help="A run's folder, as `load` printed it.")]

DEFAULTS = {
    "steps": (120.0, 150.0),
    "spike": (120.0, 150.0),
    "overload": (90.0, 0.0),
    "soak": (600.0, 0.0),
    "breakpoint": (180.0, 0.0),
}
"""Shape → how long it takes, and the rest after it (beyond the autoscalers' two minutes): seconds."""
OVERLOAD = 3
"""Times the knee."""
DRIFTS = ("blur", "invert", "shift")
DRIFT_SECONDS = 120.0
SUMMARIES = {
    "steps": "Equal steps up to the peak, then little load: does it scale up, and down again?",
    "spike": "Little load, suddenly the peak, little load again: how long until there are enough replicas?",
    "overload": "As much as it can do (--rate: the knee, which breakpoint finds), then three times of that.",
    "soak": "The peak all the time: does anything grow, leak or wear out?",
    "breakpoint": "More and more until too much fails or takes too long: where is the knee?",
}


def create_app() -> typer.Typer:
    """The verbs of `load`."""
    app = typer.Typer(no_args_is_help=True, help="Load the running copy, and write a report of what happened.")
    app.callback(invoke_without_command=True)(_drift_alone)
    for shape, summary in SUMMARIES.items():
        app.command(shape, help=summary)(_command(shape))
    app.command()(compare)
    app.command()(price)
    app.command()(trap)
    return app


def _command(shape: str) -> Callable[..., None]:
    def run(
        context: typer.Context,
        users: Users = None,
        rate: Rate = None,
        duration: Duration = None,
        rest: Rest = None,
        steps: Steps = 4,
        output: Output = None,
        objectives: Objectives = None,
        tier: Tier = "laptop",
        drift: Drift = "",
    ) -> None:
        from inkmesh.load.locust_process import Plan, check

        if drift not in ("", *DRIFTS):
            raise LocalmeshError(f"there is no drift `{drift}`", f"Take {', '.join(DRIFTS)}.")
        if users is not None and rate is not None:
            raise LocalmeshError("--users and --rate are two kinds of load", "Give one of them.")
        locustfile = check(context.obj.root)
        seconds, rests = DEFAULTS[shape]
        plan = Plan(
            shape,
            "closed" if users is not None else "open",
            _peak(shape, users or rate),
            duration or seconds,
            rests if rest is None else rest,
            steps,
            drift,
        )
        folder = output or context.obj.state.path / "load" / f"{shape}-{time.strftime('%Y%m%d-%H%M%S')}"
        target = _target(context, tier)
        holds = _run(target, plan, locustfile, folder, objectives or locustfile.with_name("objectives.toml"))
        raise typer.Exit(0 if holds else 1)

    return run


def _drift_alone(context: typer.Context, drift: Drift = "") -> None:
    if context.invoked_subcommand is None:
        _command("soak")(context, duration=DRIFT_SECONDS, drift=drift)
    elif drift:
        raise LocalmeshError(
            "--drift alone is a run of its own", f"`inkmesh load {context.invoked_subcommand} --drift {drift}`."
        )


def _peak(shape: str, wanted: int | None) -> int:
    if shape != "overload":
        return wanted or 100
    if wanted is None:
        raise LocalmeshError("overload needs the knee", "Give it with --rate, as `load breakpoint` found it.")
    return OVERLOAD * wanted


def _target(context: typer.Context, tier: str) -> Target:
    from inkmesh.load.cluster import Cluster
    from inkmesh.load.laptop import Laptop

    if tier not in ("laptop", "cluster"):
        raise LocalmeshError(f"there is no tier `{tier}`", "Take laptop or cluster.")
    return Laptop(context.obj) if tier == "laptop" else Cluster.of(context.obj.environment)


def _run(target: Target, plan: Plan, locustfile: Path, folder: Path, objectives: Path) -> bool:
    from inkmesh.load import page, running
    from inkmesh.load.objectives import judge, p95_objective
    from inkmesh.load.progress import Progress
    from inkmesh.load.series import Series

    p95_ms = p95_objective(objectives)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    progress = Progress(plan.total)
    recording = asyncio.run(running.record(target, plan, locustfile, folder, progress))
    progress.end()
    recording.save(folder)
    series = Series(recording)
    verdicts = judge(series, objectives)
    report, picture = page.write(series, verdicts, p95_ms, folder)
    for verdict in verdicts:
        typer.echo(f"{'holds' if verdict.holds else 'FAILS'}  {verdict.name}: {verdict.found}")
    typer.echo(f"report: {report}\n        {picture}")
    return all(verdict.holds for verdict in verdicts)


def compare(a: Run, b: Run) -> None:
    """Set two runs side by side: B against A."""
    from rich.console import Console
    from rich.table import Table

    from inkmesh.load.compare import differences, rows
    from inkmesh.load.recording import read

    first, second = read(a), read(b)
    table = Table(box=None, pad_edge=False)
    for title in ("", "A", "B", "B against A"):
        table.add_column(title, justify="left" if title in ("", "B against A") else "right")
    for row in rows(first, second):
        table.add_row(row.name, row.a, row.b, row.change)
    console = Console(highlight=False)
    console.print(f"A: {first.name}\nB: {second.name}")
    console.print(table)
    if unlike := list(differences(first, second)):
        console.print(f"These are not the same load ({'; '.join(unlike)}): ratios say little.")


def price(
    context: typer.Context,
    callers: Annotated[int, typer.Option(min=1, help="How many at once.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each variant.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of each half of a turn.")] = 3,
) -> None:
    """What each policy of the mesh costs: copies of their own beside the running one, the same load in turns."""
    words = ["--callers", str(callers), "--rounds", str(rounds), "--seconds", str(seconds)]
    raise typer.Exit(_script(context, "price.py", *words))


def trap(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=1, help="How long shares are counted, in each way.")] = 10,
    output: Output = None,
) -> None:
    """The gRPC trap: which of the new replicas work, without a mesh, with it, with a client that balances."""
    import json

    from inkmesh.load.trap import finding, write

    folder = output or context.obj.state.path / "load" / f"trap-{time.strftime('%Y%m%d-%H%M%S')}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = folder / "trap.json"
    if code := _script(context, "trap.py", "--seconds", str(seconds), "--json", str(numbers)):
        raise typer.Exit(code)
    found = json.loads(numbers.read_text(encoding="utf-8"))
    report, picture = write(found, folder)
    for way, shares in found.items():
        typer.echo(finding(way, shares))
    typer.echo(f"report: {report}\n        {picture}")


def _script(context: typer.Context, name: str, *words: str) -> int:
    """Run a script of loadtest/ that starts copies of its own, with the models that are there."""
    import subprocess
    import sys

    from inkmesh.load.locust_process import check
    from inkmesh.models import folder_of

    command = [sys.executable, str(check(context.obj.root).with_name(name)), *words]
    models = folder_of(context.obj.state)
    if models.is_dir():
        command += ["--models", str(models)]
    return subprocess.run(command, check=False).returncode
