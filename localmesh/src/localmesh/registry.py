"""What the translation reads, made of the manifests in force and the replicas as they are at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from localmesh.addresses import can_bind, free_port
from localmesh.launch import Outbound
from localmesh.manifests import Manifests
from localmesh.mesh import Address, Endpoint, Mesh, Service, Workload
from localmesh.replica import Replica
from localmesh.security import stands_before_replicas
from localmesh.translate import entry_services
from localmesh.workload import Workload as Running

V = TypeVar("V")
_AT_THE_EDGE = ("HTTP", "HTTPS", "HTTP2", "GRPC")
_TLS_STEP = 8443 - 8080
_PORTS = 65_536


def mesh_of(
    manifests: Manifests, running: Iterable[Running], outbound: Outbound, ingress: Address, ingress_tls: Address
) -> Mesh:
    """The registry: every Deployment as a caller, every replica as an endpoint, and where Envoy listens."""
    workloads = tuple(
        Workload(deployment.name, deployment.namespace, deployment.labels, deployment.service_account)
        for deployment in manifests.deployments
    )
    fronted = stands_before_replicas(manifests.mesh)
    return Mesh(
        services=manifests.services,
        workloads=workloads,
        endpoints=tuple(endpoint for workload in running for endpoint in _endpoints(workload, fronted)),
        documents=manifests.mesh,
        outbound={
            (deployment.name, service.host, port): address
            for deployment in manifests.deployments
            for service, ports in outbound.of(deployment, called(manifests))
            for port, address in ports.items()
        },
        gateway_ports=_gateway_ports(manifests, ingress, ingress_tls),
    )


def called(manifests: Manifests) -> tuple[Service, ...]:
    """The services that workloads may call: Kubernetes' and those of ServiceEntries. Raises Unsupported."""
    return (*manifests.services, *entry_services(manifests.mesh))


def _endpoints(workload: Running, fronted: bool) -> list[Endpoint]:
    """Ready replicas; where Envoy stands before them, also those that it will send nothing to yet, or no more."""
    return [
        Endpoint(
            replica.name,
            workload.deployment.name,
            workload.deployment.namespace,
            replica.deployment.labels,
            replica.ports,
            replica.ready,
            inbound=_by_name_and_number(replica, replica.take_inbound()) if fronted else {},
            numbers=_by_name_and_number(
                replica, {port.name: port.number for port in replica.deployment.container.ports}
            ),
        )
        for replica in workload.all_replicas
        if replica.ready or (fronted and replica.ports)
    ]


def _by_name_and_number(replica: Replica, found: Mapping[str, V]) -> dict[str, V]:
    """A Service may call a container port by either."""
    ports = replica.deployment.container.ports
    return {key: found[port.name] for port in ports for key in (port.name, str(port.number))}


def _gateway_ports(manifests: Manifests, ingress: Address, ingress_tls: Address) -> dict[int, Address]:
    """The first plain port that a Gateway serves is the ingress, the first with TLS is the ingress with TLS."""
    found: dict[int, Address] = {}
    for document in manifests.mesh:
        for server in (document.get("spec") or {}).get("servers") or [] if document.get("kind") == "Gateway" else []:
            port = server.get("port") or {}
            protocol, number = str(port.get("protocol", "")).upper(), port.get("number")
            address = ingress_tls if protocol == "HTTPS" else ingress
            if protocol in _AT_THE_EDGE and isinstance(number, int) and address not in found.values():
                found.setdefault(number, address)
    return found


def with_tls(ingress: Address) -> Address:
    """Where the edge is to speak TLS: 8443 beside 8080, as far from any other port, or where nobody listens now."""
    beside = ingress.port + _TLS_STEP
    free = beside < _PORTS and can_bind(ingress.ip, beside)
    return Address(ingress.ip, beside if free else free_port(ingress.ip))
