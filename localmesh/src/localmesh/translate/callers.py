"""Who calls: what a sidecar would know of its own pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localmesh.mesh import Mesh, Workload

MESH = "mesh"
"""What Istio calls all sidecars in a VirtualService's `gateways`."""
INGRESS = "ingress"
"""The name of the edge as a caller."""
TRUST_DOMAIN = "cluster.local"
_INGRESS_ACCOUNT = "istio-ingressgateway-service-account"


@dataclass(frozen=True)
class Caller:
    """One workload or the edge. `is_gateway`: its listeners come from Gateway documents."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    is_gateway: bool = False
    service_account: str = "default"

    @property
    def identity(self) -> str:
        """The name in its certificate."""
        return identity(self.namespace, self.service_account)


def identity(namespace: str, service_account: str) -> str:
    """As SPIFFE writes it."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{service_account}"


def of_workload(workload: Workload) -> Caller:
    """A Deployment as a caller."""
    return Caller(workload.name, workload.namespace, workload.labels, service_account=workload.service_account)


def ingress(mesh: Mesh) -> Caller:
    """The edge: what Istio's ingress gateway is on a cluster."""
    return Caller(
        INGRESS, mesh.gateway_namespace, mesh.gateway_labels, is_gateway=True, service_account=_INGRESS_ACCOUNT
    )


def all_callers(mesh: Mesh) -> list[Caller]:
    """The edge and every workload. Raises ValueError when two have one name."""
    callers = [ingress(mesh), *(of_workload(workload) for workload in mesh.workloads)]
    names = [caller.name for caller in callers]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"callers need names of their own; twice: {', '.join(sorted(twice))}")
    return callers


def identities(mesh: Mesh) -> list[str]:
    """All names that certificates are needed for."""
    return list(dict.fromkeys(caller.identity for caller in all_callers(mesh)))
