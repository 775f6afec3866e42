"""Kubernetes' objects as far as they mean something on a laptop: typed and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localmesh.mesh import Service


@dataclass(frozen=True)
class FieldRef:
    """A value of the downward API, as `status.podIP`."""

    path: str


@dataclass(frozen=True)
class KeyRef:
    """One key of a ConfigMap or Secret (`kind`)."""

    kind: str
    name: str
    key: str
    optional: bool = False


@dataclass(frozen=True)
class EnvVar:
    """`value` is text, in which `$(NAME)` is expanded, or a reference."""

    name: str
    value: str | FieldRef | KeyRef


@dataclass(frozen=True)
class EnvFrom:
    """Every key of a ConfigMap or Secret (`kind`) as a variable."""

    kind: str
    name: str
    prefix: str = ""
    optional: bool = False


@dataclass(frozen=True)
class ContainerPort:
    """A port that the container listens on; a port without a name is named by its number."""

    name: str
    number: int


@dataclass(frozen=True)
class Probe:
    """How to ask a replica: by HTTP when `path` is set, else by connecting. Times in seconds."""

    port: str
    path: str | None
    headers: tuple[tuple[str, str], ...] = ()
    initial_delay: float = 0
    period: float = 10
    timeout: float = 1
    failure_threshold: int = 3
    success_threshold: int = 1


@dataclass(frozen=True)
class Volume:
    """`kind` is configMap, secret or emptyDir; `items` are (key, file name), empty for all keys."""

    name: str
    kind: str
    source: str = ""
    items: tuple[tuple[str, str], ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Container:
    """The one container of a pod. `requests` keep Kubernetes' own notation, as `100m`."""

    name: str
    command: tuple[str, ...]
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    startup: Probe | None = None
    liveness: Probe | None = None
    readiness: Probe | None = None
    requests: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[tuple[str, str], ...] = ()
    """(volume, path in a container) of each mount."""


@dataclass(frozen=True)
class Deployment:
    """A workload: `labels` are those of its pods. `surge` is how many extra replicas a rollout may have at a time."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    replicas: int
    container: Container
    volumes: tuple[Volume, ...]
    service_account: str
    grace: float
    service_links: bool
    surge: int
    recreate: bool
    """Whether a rollout stops all replicas before it starts new ones."""
    origin: Path


@dataclass(frozen=True)
class ConfigMap:
    """A ConfigMap or Secret (`kind`), its values as bytes."""

    kind: str
    name: str
    namespace: str
    data: Mapping[str, bytes]


@dataclass(frozen=True)
class CpuTarget:
    """The CPU that a replica is to use: percent of its request, or `milli`-CPU where `utilization` is None."""

    utilization: int | None
    milli: int = 0


@dataclass(frozen=True)
class PodsTarget:
    """A metric of the replicas' own, by its name, and how much of it each is to have: thousandths."""

    name: str
    milli: int


@dataclass(frozen=True)
class ScalingPolicy:
    """At most `value` replicas (`kind` Pods) or percent of them (Percent) in `seconds`."""

    kind: str
    value: int
    seconds: int


@dataclass(frozen=True)
class ScalingRules:
    """How fast it may go in one direction; `window` in seconds, None: the controller's default."""

    policies: tuple[ScalingPolicy, ...]
    select: str = "Max"
    """Which of the policies counts: Max, Min, or Disabled: none of this direction."""
    window: int | None = None
    tolerance: float = 0.1


@dataclass(frozen=True)
class Autoscaler:
    """A HorizontalPodAutoscaler (autoscaling/v2). Without a `behavior` both rules are None."""

    name: str
    namespace: str
    target: str
    min_replicas: int
    max_replicas: int
    metrics: tuple[CpuTarget | PodsTarget, ...]
    scale_up: ScalingRules | None = None
    scale_down: ScalingRules | None = None


@dataclass(frozen=True)
class Manifests:
    """A whole overlay, by kind, in the order of the rendering."""

    deployments: tuple[Deployment, ...]
    services: tuple[Service, ...]
    config: Mapping[tuple[str, str, str], ConfigMap]
    """(kind, namespace, name) → ConfigMap or Secret."""
    autoscalers: tuple[Autoscaler, ...]
    mesh: tuple[Mapping[str, Any], ...]
    """Istio's documents, untouched but for an annotation that names their file."""
