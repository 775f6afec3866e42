"""What makes the laptop tier somebody's product: its folders, names and the steps before a start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from localmesh.state import StateFolder

if TYPE_CHECKING:
    import typer

    from localmesh.manifests.model import Deployment


@dataclass(frozen=True)
class Preparation:
    """Something to make before some workloads can start, such as model files; others start meanwhile."""

    title: str
    """As in "training the models"."""
    command: Callable[[StateFolder], tuple[str, ...]]
    """A process that makes what is not there or is stale, and leaves soon when nothing is; run at each start."""
    holds_up: Callable[[Deployment], bool]
    """Whether a workload must wait for it."""


@dataclass(frozen=True)
class Finding:
    """A line of `doctor`: what was looked at, whether it is well, what was found, and what to do if it is not."""

    subject: str
    ok: bool
    found: str
    next_step: str = ""


def _nothing(_: StateFolder) -> None:
    """No secrets to make."""


def _no_findings(_: StateFolder) -> list[Finding]:
    """Nothing of its own to look at."""
    return []


@dataclass(frozen=True)
class Product:
    """One product. Paths are relative to the checkout, which is found by `overlay`."""

    name: str
    """The command's name."""
    summary: str
    overlay: str
    """What runs unless another one of the folder that it is in is named."""
    scenarios: str
    home: str
    """The state folder, unless the environment or a flag says otherwise."""
    env_prefix: str
    """`X` makes `X_PORT`, `X_HOME` and `X_OVERLAY` work as flags do."""
    reference: str
    """Where this object is, as `MODULE:NAME`: `up` is a process of its own."""
    port: int = 8080
    located_at: Path | None = None
    """A file within the checkout: where to look for it when the working folder is elsewhere."""
    make_secrets: Callable[[StateFolder], None] = _nothing
    """Make what the overlay's Secrets need under `secrets/`; called before each start."""
    preparations: tuple[Preparation, ...] = ()
    findings: Callable[[StateFolder], list[Finding]] = _no_findings
    """The product's own part of `doctor`."""
    examine_cluster: Callable[[Mapping[str, str]], list[Finding]] | None = None
    """`doctor hpa --tier cluster`: the autoscalers of the cluster that the environment names."""
    pod_metrics: Mapping[str, str] = field(default_factory=dict)
    """What autoscalers may scale by beside CPU: a metric → the counter at /metrics whose growth a second it is."""
    add_commands: Callable[[typer.Typer], None] | None = field(default=None)
    """Adds the product's own verbs."""
