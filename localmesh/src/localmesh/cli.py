"""The command: verbs on one copy of a product. What takes long to import is imported by the verb that needs it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from localmesh.errors import LocalmeshError
from localmesh.product import Product

if TYPE_CHECKING:
    from localmesh.session import Session

WorkloadName = Annotated[str, typer.Argument(metavar="WORKLOAD", help="A name that `status` shows, as inference-v1.")]
Overlay = Annotated[
    str | None, typer.Option(metavar="NAME", help="An overlay that stands beside the usual one, instead of it.")
]


def create_app(product: Product) -> typer.Typer:
    """The typer application of `product`: all verbs, and its own."""
    app = typer.Typer(
        name=product.name,
        help=product.summary,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    def common(
        context: typer.Context,
        root: Annotated[Path | None, typer.Option(help="The checkout; found from the working folder.")] = None,
        home: Annotated[
            Path | None, typer.Option(help=f"The state folder, {product.home} of the checkout by default.")
        ] = None,
    ) -> None:
        from localmesh.session import Session

        context.obj = Session(product, root, home)

    app.callback()(common)
    for verb in (up, down, status, kill, scale, restart, logs, doctor, forward, translate):
        app.command()(verb)
    scenarios = typer.Typer(no_args_is_help=True, help="List scenarios, put one in force, or go back to none.")
    scenarios.command("list")(scenario_list)
    scenarios.command("apply")(scenario_apply)
    scenarios.command("clear")(scenario_clear)
    app.add_typer(scenarios, name="scenario")
    if product.add_commands:
        product.add_commands(app)
    return app


def run(product: Product) -> None:
    """The command's main function: errors are two lines and exit code 1."""
    from localmesh.screen import show_error

    try:
        create_app(product)()
    except LocalmeshError as error:
        show_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def up(
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is ready; `down` stops it.")] = False,
    port: Annotated[int | None, typer.Option(help="The ingress' port at localhost; 8080 by default.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Start with this scenario in force.")] = None,
    overlay: Overlay = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log each request: `logs access`.")] = False,
) -> None:
    """Start every workload and Envoy, and keep them running until Ctrl-C."""
    from localmesh.foreground import Asked, become

    session: Session = context.obj
    asked = Asked(session.port(port), session.overlay(overlay), scenario, access_log)
    if not detach:
        become(session, asked)
    from localmesh.detach import start_detached
    from localmesh.screen import show_status

    show_status(start_detached(session, asked), session.product.name)


def down(context: typer.Context) -> None:
    """Stop what `up` started, in order, and wait until it is gone."""
    from localmesh.detach import stop_running

    stopped = stop_running(context.obj)
    typer.echo("stopped" if stopped else "nothing runs")


def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Show what runs, where, and whether it is ready."""
    from localmesh.screen import show_status

    found = context.obj.ask("status")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        show_status(found, context.obj.product.name)


def kill(context: typer.Context, workload: WorkloadName) -> None:
    """Kill one process of a workload with SIGKILL, as a crash would; it is started again."""
    killed = context.obj.ask("kill", workload=workload)
    typer.echo(f"killed {killed['replica']} (pid {killed['pid']})")


def scale(
    context: typer.Context,
    workload: WorkloadName,
    replicas: Annotated[int, typer.Argument(metavar="N", help="How many replicas to have.", min=0)],
) -> None:
    """Have N replicas of a workload; returns when the new ones are ready and the old ones drained.

    Where a HorizontalPodAutoscaler scales the workload, N is where it goes on from, as with kubectl; 0 turns it off.
    """
    done = context.obj.ask("scale", workload=workload, replicas=replicas)
    typer.echo(f"{workload}: {done['before']} → {done['now']} replicas")
    if decides := done.get("autoscaler"):
        off = "is off while there are 0" if replicas == 0 else f"decides anew every {decides['period']:g} s"
        typer.echo(f"the HorizontalPodAutoscaler {decides['name']} {off}")


def restart(context: typer.Context, workload: WorkloadName) -> None:
    """Replace a workload's replicas one by one, losing no request."""
    done = context.obj.ask("restart", timeout=None, workload=workload)
    typer.echo(f"replaced {', '.join(done['replicas']) or 'nothing'}")


def logs(
    context: typer.Context,
    workload: Annotated[str | None, typer.Argument(metavar="[WORKLOAD]", help="All, when left out.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as they grow, until Ctrl-C.")] = False,
    count: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many lines of each to begin with.")] = 50,
) -> None:
    """Show the logs of a workload's replicas, of envoy, or of everything."""
    from localmesh.logs import show

    show(context.obj.state, workload, count, follow=follow)


def doctor(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="[hpa]", help="hpa: why autoscaling does what it does.")] = "",
    port: Annotated[int | None, typer.Option(help="The port `up` would take.")] = None,
    overlay: Overlay = None,
    tier: Annotated[str, typer.Option(help="hpa: laptop, the running copy, or cluster, KUBECONFIG's.")] = "laptop",
) -> None:
    """Look at everything a start needs, or at autoscaling's chain; exit code 1 when something is wrong."""
    from localmesh.autoscaling.doctor import examine_autoscalers
    from localmesh.doctor import examine

    if topic not in ("", "hpa"):
        raise LocalmeshError(f"doctor knows nothing of `{topic}`", "Leave it out, or take hpa.")
    on_cluster = context.obj.product.examine_cluster
    if tier != "laptop" and not (topic and tier == "cluster" and on_cluster):
        raise LocalmeshError(f"doctor cannot look at the tier `{tier}`", "`doctor hpa` takes laptop or cluster.")
    if tier == "cluster":
        findings = on_cluster(context.obj.environment)
    else:
        findings = examine_autoscalers(context.obj) if topic else examine(context.obj, context.obj.port(port), overlay)
    for finding in findings:
        typer.echo(f"{'ok   ' if finding.ok else 'wrong'}  {finding.subject}: {finding.found}")
        if not finding.ok and finding.next_step:
            typer.echo(f"       next: {finding.next_step}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def forward(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE[:PORT]", help="PORT is http, the default, or grpc.")],
    local: Annotated[int | None, typer.Argument(metavar="[LOCAL]", help="The local port.")] = None,
) -> None:
    """Lead a local port to one replica of a service, past the mesh, until Ctrl-C."""
    import asyncio

    from localmesh.forward import forward as run_forward
    from localmesh.forward import target

    name, _, port = service.partition(":")
    to = target(context.obj.ask("status"), name, port or "http")
    asyncio.run(run_forward(to, local, lambda at: typer.echo(f"{at} → {service} at {to}")))


def translate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Istio's YAML, with services as ServiceEntry.")],
    nodes: Annotated[Path, typer.Option(help="JSON: a name → an Envoy's id and metadata, as istiod gets them.")],
    mtls: Annotated[bool, typer.Option("--mtls", help="As with enableAutoMtls in the mesh.")] = False,
) -> None:
    """Print what YAML means for some Envoys: clusters, endpoints, listeners and routes, with istiod's names."""
    from localmesh.offline import translate_folder

    typer.echo(json.dumps(translate_folder(folder, nodes, mtls=mtls), indent=1, sort_keys=True))


def scenario_list(context: typer.Context) -> None:
    """Names of the scenarios, and what each shows."""
    found = context.obj.catalog().scenarios()
    width = max(map(len, found), default=0)
    for name, summary in found.items():
        typer.echo(f"{name:<{width}}  {summary}")


def scenario_apply(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="As `scenario list` says.")]
) -> None:
    """Put a scenario in force, instead of the one before; Envoy has taken it when this returns."""
    context.obj.ask("scenario", name=name)
    typer.echo(f"{name} is in force")


def scenario_clear(context: typer.Context) -> None:
    """Go back to the overlay as it is."""
    context.obj.ask("scenario", name=None)
    typer.echo("no scenario is in force")
