"""Who calls: what a sidecar would know of its own pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localmesh.mesh import Mesh, Workload

MESH = "mesh"
"""What Istio calls all sidecars in a VirtualService's `gateways`."""
INGRESS = "ingress"
"""The name of the edge as a caller."""


@dataclass(frozen=True)
class Caller:
    """One workload or the edge. `is_gateway`: its listeners come from Gateway documents."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    is_gateway: bool = False


def of_workload(workload: Workload) -> Caller:
    """A Deployment as a caller."""
    return Caller(workload.name, workload.namespace, workload.labels)


def ingress(mesh: Mesh) -> Caller:
    """The edge: what Istio's ingress gateway is on a cluster."""
    return Caller(INGRESS, mesh.gateway_namespace, mesh.gateway_labels, is_gateway=True)


def all_callers(mesh: Mesh) -> list[Caller]:
    """The edge and every workload. Raises ValueError when two have one name."""
    callers = [ingress(mesh), *(of_workload(workload) for workload in mesh.workloads)]
    names = [caller.name for caller in callers]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"callers need names of their own; twice: {', '.join(sorted(twice))}")
    return callers
