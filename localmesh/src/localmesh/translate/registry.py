"""Services as the translation looks them up, and the names of clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from localmesh.mesh import Endpoint, Mesh, Service, ServicePort

HTTP = frozenset({"http", "http2", "grpc", "grpc-web"})
GRPC = frozenset({"grpc", "grpc-web"})
HTTP2 = frozenset({"http2"}) | GRPC


def cluster_name(host: str, port: int, subset: str = "") -> str:
    """As istiod names it: `outbound|9090|v1|inference.inkmesh.svc.cluster.local`."""
    return f"outbound|{port}|{subset}|{host}"


def parse_cluster(name: str) -> tuple[str, int, str] | None:
    """(host, port, subset) of a cluster's name, None when it is no outbound cluster."""
    parts = name.split("|")
    if len(parts) != 4 or parts[0] != "outbound":
        return None
    return parts[3], int(parts[1]), parts[2]


def by_host(services: Iterable[Service]) -> dict[str, Service]:
    """Services by their full name."""
    return {service.host: service for service in services}


def http_ports(service: Service) -> list[ServicePort]:
    """The ports that VirtualServices' http routes act on."""
    return [port for port in service.ports if port.protocol in HTTP]


def http_services_on(mesh: Mesh, port: int) -> dict[str, Service]:
    """All services with an HTTP port of that number, by host."""
    return {
        service.host: service for service in mesh.services if any(one.number == port for one in http_ports(service))
    }


def replicas(mesh: Mesh, service: Service, labels: Mapping[str, Any] | None = None) -> list[Endpoint]:
    """The ready replicas a service selects, and of those the ones that carry a subset's labels."""
    if not service.selector:
        return []
    wanted = [*service.selector.items(), *(labels or {}).items()]
    return [
        endpoint
        for endpoint in mesh.endpoints
        if endpoint.ready
        and endpoint.namespace == service.namespace
        and all(endpoint.labels.get(key) == value for key, value in wanted)
    ]
