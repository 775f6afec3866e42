"""What a person sees: progress, tables, errors."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from localmesh.errors import LocalmeshError

if TYPE_CHECKING:
    from rich.table import Table


class Progress:
    """Lines with the seconds since the start; the same in a terminal, a pipe and a log."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Print one line at once. Nobody may be there to read it any more: that stops nothing."""
        with suppress(OSError):
            sys.stdout.write(f"{time.monotonic() - self._began:7.1f} s  {line}\n")
            sys.stdout.flush()


def show_status(status: Mapping[str, Any], name: str) -> None:
    """A table of what runs, and the URL."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("workload", "version", "ready", "restarts", "pid", "http", "grpc"):
        table.add_column(title, justify="right" if title in ("ready", "restarts", "pid") else "left", no_wrap=True)
    for workload in status["workloads"]:
        replicas = workload["replicas"]
        ready = sum(replica["ready"] for replica in replicas)
        table.add_row(
            workload["name"],
            workload["version"] or "",
            f"{ready}/{workload['desired']}",
            "\n".join(str(replica["restarts"]) for replica in replicas),
            "\n".join(str(replica["pid"] or "-") for replica in replicas),
            "\n".join(replica["http"] or "-" for replica in replicas),
            "\n".join(replica["grpc"] or "-" for replica in replicas),
        )
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(table)
    if autoscalers := status.get("autoscalers"):
        console.print(_autoscalers(autoscalers))
    envoy = status["envoy"]
    console.print(f"\nenvoy {envoy['version']}  admin {envoy['admin']}")
    console.print(f"overlay {status['overlay']}  scenario {status['scenario'] or 'none'}")
    console.print(f"{name} is at [bold]{status['ingress']}[/bold]")
    sys.stdout.flush()


def _autoscalers(found: list[Mapping[str, Any]]) -> Table:
    """A line each, as kubectl's `get hpa` has it."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("\nautoscaler", "\ncpu/target", "\nreplicas", "\nmin–max", "\nwhy"):
        table.add_column(title, no_wrap=title != "\nwhy")
    for one in found:
        metrics = ", ".join(_metric(metric) for metric in one["metrics"])
        why = one["message"] if not one["active"] else one["reason"]
        table.add_row(one["name"], metrics, str(one["desired"] or 0), f"{one['min']}–{one['max']}", why)
    return table


def _metric(metric: Mapping[str, Any]) -> str:
    unit = "%" if metric["unit"].startswith("percent") else "m"
    current = "<unknown>" if metric["current"] is None else f"{metric['current']}{unit}"
    return f"{current}/{metric['target']}{unit}"


def show_error(error: LocalmeshError) -> None:
    """One line what, one line what to do."""
    sys.stderr.write(f"error: {error.what}\n")
    if error.next_step:
        sys.stderr.write(f"next:  {error.next_step}\n")
