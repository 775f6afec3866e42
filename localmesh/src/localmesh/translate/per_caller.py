"""What one caller's Envoy would hold on a cluster: resources with istiod's own names."""

from __future__ import annotations

from localmesh.mesh import Mesh
from localmesh.translate import (
    delegates,
    documents,
    gateway,
    inbound,
    listeners,
    service_entry,
    sidecar,
    telemetry,
    virtual_hosts,
)
from localmesh.translate.callers import Caller
from localmesh.translate.clusters import clusters
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Documents
from localmesh.translate.endpoints import endpoints
from localmesh.translate.registry import http_ports
from localmesh.translate.resources import Resource, Resources


def translate_for(mesh: Mesh, caller: Caller) -> Resources:
    """One caller's clusters, endpoints, listeners and routes. Raises Unsupported."""
    return of_caller(mesh, delegates.resolved(documents.read(mesh.documents)), caller)


def of_caller(mesh: Mesh, read: Documents, caller: Caller) -> Resources:
    """The same, with documents that are read already."""
    seen, its = sidecar.narrowed(service_entry.added(mesh, read, caller.namespace), read, caller)
    rules = Rules(its.destination_rules, seen.services, caller.namespace)
    made = clusters(seen, rules, is_gateway=caller.is_gateway)
    heard, routes = (_edge if caller.is_gateway else _workload)(seen, its, caller, rules)
    return Resources(
        clusters=tuple(made),
        endpoints=tuple(endpoints(seen, rules, made)),
        listeners=(*heard, *_inbound(mesh, read, caller)),
        routes=tuple(routes),
    )


def route_configuration(name: str, hosts: list[Resource]) -> Resource:
    """The routes of one listener. A cluster that is missing is a 503 for its routes only, as with istiod."""
    return {
        "name": name,
        "virtual_hosts": hosts,
        "validate_clusters": False,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": 1024 * 1024,
    }


def _edge(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> tuple[list[Resource], list[Resource]]:
    routes = []
    by_port: dict[int, list[tuple[gateway.Listening, str]]] = {}
    for one in gateway.listening(read.gateways, caller):
        hosts = gateway.virtual_hosts(mesh, caller, one.port, one.servers, read.virtual_services, rules)
        routes.append(route_configuration(one.name, hosts))
        by_port.setdefault(one.port, []).append((one, one.name))
    heard = [
        inbound.edge(mesh, read, caller, servers, mesh.gateway_ports[port])
        for port, servers in by_port.items()
        if port in mesh.gateway_ports
    ]
    return heard, routes


def _workload(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> tuple[list[Resource], list[Resource]]:
    heard, routes = [], []
    called_at = (http_ports(service) for service in mesh.services if service.host not in mesh.led_to)
    for port in sorted({port.number for ports in called_at for port in ports}):
        found = virtual_hosts.virtual_hosts(mesh, caller, port, read.virtual_services, rules)
        hosts = sorted((host for of_service in found.values() for host in of_service), key=lambda one: str(one["name"]))
        routes.append(route_configuration(str(port), hosts))
    log = telemetry.access_log(mesh, read.telemetries, caller, telemetry.CLIENT)
    for (name, host, port), address in sorted(mesh.outbound.items(), key=str):
        if name == caller.name:
            heard.append(listeners.outbound(f"{host}:{port}", address, str(port), log))
    return heard, routes


def _inbound(mesh: Mesh, read: Documents, caller: Caller) -> list[Resource]:
    """The listeners before one of its replicas, if it has any: they differ in nothing but the address."""
    own = (
        one
        for one in mesh.endpoints
        if one.namespace == caller.namespace and one.labels and one.labels.items() <= caller.labels.items()
    )
    if (replica := next(own, None)) is None:
        return []
    return [
        inbound.listener(mesh, read, caller, (service, port), replica.number(port.target), replica.ports[port.target])
        for service, port in inbound.ports(mesh, caller)
        if port.target in replica.ports
    ]
