"""The services, replicas and callers of every parity case, as localmesh has them and as istiod wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmesh.mesh import Address, Document, Endpoint, Mesh, Service, ServicePort, Workload
from localmesh.translate import Caller, ingress, of_workload

HTTP = ServicePort("http", 8080, "http", "http")
GRPC = ServicePort("grpc", 9090, "grpc", "grpc")

SERVICES = (
    Service("inference", "inkmesh", {"app": "inference"}, (HTTP, GRPC)),
    Service("payment", "inkmesh", {"app": "payment"}, (GRPC,)),
    Service("frontend", "inkmesh", {"app": "frontend"}, (HTTP,)),
    Service("echo", "visitors", {"app": "echo"}, (ServicePort("http2", 80, "http", "http2"),)),
)
WORKLOADS = (
    Workload("gateway", "inkmesh", {"app": "gateway", "version": "v1"}),
    Workload("payment", "inkmesh", {"app": "payment", "version": "v1"}, "payment"),
    Workload("inference", "inkmesh", {"app": "inference", "version": "v1"}, "inference"),
    Workload("visitor", "visitors", {"app": "visitor"}),
)


def _replica(ip: str, app: str, version: str, namespace: str = "inkmesh") -> Endpoint:
    ports = {"http": Address(ip, 8080), "grpc": Address(ip, 9090)}
    return Endpoint(ip, f"{app}-{version}", namespace, {"app": app, "version": version}, ports, ready=True)


ENDPOINTS = (
    _replica("127.0.2.1", "inference", "v1"),
    _replica("127.0.2.2", "inference", "v1"),
    _replica("127.0.2.3", "inference", "v2"),
    _replica("127.0.3.1", "payment", "v1"),
    _replica("127.0.4.1", "frontend", "v1"),
    _replica("127.0.5.1", "echo", "v1", "visitors"),
)


def mesh(documents: Sequence[Document], *, mtls: bool = False) -> Mesh:
    """The registry with a case's documents."""
    return Mesh(
        services=SERVICES,
        workloads=WORKLOADS,
        endpoints=ENDPOINTS,
        documents=tuple(documents),
        mtls=mtls,
        log_file="access.log",
        gateway_ports={port: Address("127.0.0.1", port) for port in (80, 443, 8080, 9090)},
    )


def callers() -> dict[str, Caller]:
    """All who can ask, by name."""
    return {caller.name: caller for caller in (ingress(mesh([])), *map(of_workload, WORKLOADS))}


def service_entries() -> list[dict[str, Any]]:
    """The same services for an istiod without Kubernetes."""
    return [_service_entry(service) for service in SERVICES]


def nodes(names: Sequence[str]) -> dict[str, Any]:
    """Callers as Envoys that ask istiod, each with an address of its own."""
    found = callers()
    return {name: _node(found[name], _ip(found[name], sorted(found).index(name))) for name in names}


def _ip(caller: Caller, index: int) -> str:
    """A workload that has a replica is at its address, for istiod to know which services lead to it."""
    own = (one.replica for one in ENDPOINTS if one.namespace == caller.namespace and one.labels == caller.labels)
    return next(own, f"127.0.1.{1 + index}")


def _service_entry(service: Service) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": service.name, "namespace": service.namespace},
        "spec": {
            "hosts": [service.host],
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "ports": [
                {"number": port.number, "name": port.name, "protocol": port.protocol.upper()} for port in service.ports
            ],
            "endpoints": [
                {
                    "address": replica.ports["http"].ip,
                    "labels": dict(replica.labels),
                    **_account(replica),
                    "ports": {port.name: replica.ports[port.target].port for port in service.ports},
                }
                for replica in ENDPOINTS
                if replica.labels["app"] == service.name
            ],
        },
    }


def _account(replica: Endpoint) -> dict[str, str]:
    """The account of a replica whose service is a workload here as well."""
    found = [{"serviceAccount": one.service_account} for one in WORKLOADS if one.name == replica.labels["app"]]
    return found[0] if found else {}


def _node(caller: Caller, ip: str) -> dict[str, Any]:
    kind = "router" if caller.is_gateway else "sidecar"
    domain = f"{caller.namespace}.svc.cluster.local"
    return {
        "id": f"{kind}~{ip}~{caller.name}.{caller.namespace}~{domain}",
        "metadata": {"NAMESPACE": caller.namespace, "LABELS": dict(caller.labels)},
    }
