"""Ready replicas → ClusterLoadAssignments, one a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localmesh.mesh import Address, Endpoint, Mesh, Service
from localmesh.translate import service_entry
from localmesh.translate.destination_rule import Rules, subset_named
from localmesh.translate.registry import by_host, parse_cluster, replicas
from localmesh.translate.resources import Resource
from localmesh.translate.service_entry import Entry


def endpoints(mesh: Mesh, rules: Rules, clusters: Iterable[Resource]) -> list[Resource]:
    """Where each cluster's replicas listen; a cluster without a ready one has an empty assignment."""
    services = by_host(mesh.services)
    names = [one["eds_cluster_config"]["service_name"] for one in clusters if "eds_cluster_config" in one]
    return [assignment(mesh, services, rules, name) for name in names]


def assignment(
    mesh: Mesh,
    services: Mapping[str, Service],
    rules: Rules,
    name: str,
    metadata: Callable[[Endpoint, str], dict[str, Any]] = lambda _replica, _port: {},
) -> Resource:
    """One cluster's replicas. `metadata`: what Envoy is to know of a replica's container port."""
    parsed = parse_cluster(name)
    if parsed is None:
        raise ValueError(f"{name} is no cluster of a service")
    host, number, subset = parsed
    service = services[host]
    port = next(one for one in service.ports if one.number == number)
    labels = (subset_named(rules.of(host), subset) or {}).get("labels")
    if isinstance(service, Entry):
        return service_entry.assignment(service, name, port, labels or {})
    found = [
        {
            "endpoint": {"address": socket_address((endpoint.inbound or endpoint.ports)[port.target])},
            "load_balancing_weight": 1,
            **({"metadata": {"filter_metadata": known}} if (known := metadata(endpoint, port.target)) else {}),
        }
        for endpoint in replicas(mesh, service, labels)
        if port.target in endpoint.ports
    ]
    if not found:
        return {"cluster_name": name}
    return {
        "cluster_name": name,
        "endpoints": [{"locality": {}, "lb_endpoints": found, "load_balancing_weight": len(found)}],
    }


def socket_address(address: Address) -> dict[str, Any]:
    """An address as Envoy writes it."""
    return {"socket_address": {"address": address.ip, "port_value": address.port}}
