"""What one caller's Envoy would hold on a cluster: resources with istiod's own names."""

from __future__ import annotations

from localmesh.mesh import Mesh
from localmesh.translate import documents, gateway, listeners, virtual_hosts
from localmesh.translate.callers import Caller
from localmesh.translate.clusters import clusters
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Documents
from localmesh.translate.endpoints import endpoints
from localmesh.translate.registry import http_ports
from localmesh.translate.resources import Resource, Resources


def translate_for(mesh: Mesh, caller: Caller) -> Resources:
    """One caller's clusters, endpoints, listeners and routes. Raises Unsupported."""
    return of_caller(mesh, documents.read(mesh.documents), caller)


def of_caller(mesh: Mesh, read: Documents, caller: Caller) -> Resources:
    """The same, with documents that are read already."""
    rules = Rules(read.destination_rules, mesh.services, caller.namespace)
    made = clusters(mesh, rules)
    heard, routes = (_edge if caller.is_gateway else _workload)(mesh, read, caller, rules)
    return Resources(
        clusters=tuple(made),
        endpoints=tuple(endpoints(mesh, rules, made)),
        listeners=tuple(heard),
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
    heard, routes = [], []
    for port, servers in sorted(gateway.servers(read.gateways, caller).items()):
        name = gateway.route_name(port)
        hosts = gateway.virtual_hosts(mesh, caller, port, servers, read.virtual_services, rules)
        routes.append(route_configuration(name, hosts))
        if address := mesh.gateway_ports.get(port):
            heard.append(listeners.edge(name, address, name, mesh.access_log))
    return heard, routes


def _workload(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> tuple[list[Resource], list[Resource]]:
    heard, routes = [], []
    for port in sorted({port.number for service in mesh.services for port in http_ports(service)}):
        found = virtual_hosts.virtual_hosts(mesh, caller, port, read.virtual_services, rules)
        hosts = sorted((host for of_service in found.values() for host in of_service), key=lambda one: str(one["name"]))
        routes.append(route_configuration(str(port), hosts))
    for (name, host, port), address in sorted(mesh.outbound.items(), key=str):
        if name == caller.name:
            heard.append(listeners.outbound(f"{host}:{port}", address, str(port), mesh.access_log))
    return heard, routes
