"""What the translation reads, made of the manifests in force and the replicas as they are at this moment."""

from __future__ import annotations

from collections.abc import Iterable

from localmesh.launch import Outbound
from localmesh.manifests import Manifests
from localmesh.mesh import Address, Endpoint, Mesh, Workload
from localmesh.workload import Workload as Running


def mesh_of(manifests: Manifests, running: Iterable[Running], outbound: Outbound, ingress: Address) -> Mesh:
    """The registry: every Deployment as a caller, every replica as an endpoint, and where Envoy listens."""
    workloads = tuple(
        Workload(deployment.name, deployment.namespace, deployment.labels, deployment.service_account)
        for deployment in manifests.deployments
    )
    return Mesh(
        services=manifests.services,
        workloads=workloads,
        endpoints=tuple(endpoint for workload in running for endpoint in _endpoints(workload)),
        documents=manifests.mesh,
        outbound={
            (deployment.name, service.host, port): address
            for deployment in manifests.deployments
            for service, ports in outbound.of(deployment, manifests.services)
            for port, address in ports.items()
        },
        gateway_ports=_gateway_ports(manifests, ingress),
    )


def _endpoints(workload: Running) -> list[Endpoint]:
    return [
        Endpoint(
            replica.name,
            workload.deployment.name,
            workload.deployment.namespace,
            replica.deployment.labels,
            replica.ports,
            replica.ready,
        )
        for replica in workload.all_replicas
        if replica.ready
    ]


def _gateway_ports(manifests: Manifests, ingress: Address) -> dict[int, Address]:
    """The first HTTP port that a Gateway serves is the ingress; a laptop has no other way in."""
    for document in manifests.mesh:
        for server in (document.get("spec") or {}).get("servers") or [] if document.get("kind") == "Gateway" else []:
            port = server.get("port") or {}
            if str(port.get("protocol", "")).upper() in ("HTTP", "HTTP2", "GRPC") and isinstance(
                port.get("number"), int
            ):
                return {port["number"]: ingress}
    return {}
