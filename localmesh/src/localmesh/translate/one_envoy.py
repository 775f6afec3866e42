"""All callers in one Envoy, which on a cluster would be one sidecar each.

What differs from istiod's own output, and why:
- Names begin with the caller's: clusters of one name would share breakers, pools and ejections between callers.
- A workload has a listener a service port, at an address of its own, so its last domain is `*`: a call that names
  the address in its Host header means that service. On a cluster the address it was sent to says so.
- `update_merge_window: 0s`: Envoy else waits a second before it acts on a re-ejection.
- Only clusters that a caller can reach are kept. Endpoints are shared by the callers of one namespace.
- Replicas are called directly: there is no sidecar on their side that would repeat what was reset before it began.
"""

from __future__ import annotations

from collections.abc import Iterator

from localmesh.mesh import Mesh
from localmesh.translate import callers, documents, gateway, listeners, virtual_hosts
from localmesh.translate.callers import Caller
from localmesh.translate.clusters import clusters
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Documents
from localmesh.translate.endpoints import assignment
from localmesh.translate.errors import Unsupported
from localmesh.translate.per_caller import route_configuration
from localmesh.translate.registry import by_host, http_ports, parse_cluster
from localmesh.translate.resources import Resource, Resources


def translate(mesh: Mesh) -> Resources:
    """Everything the one shared Envoy needs. Raises Unsupported where a document cannot be translated.

    ValueError: two callers of one name, or an outbound listener for a service that is none.
    """
    read = documents.read(mesh.documents)
    services = by_host(mesh.services)
    made: dict[str, Resource] = {}
    assigned: dict[str, Resource] = {}
    heard: list[Resource] = []
    routes: list[Resource] = []
    for caller in callers.all_callers(mesh):
        rules = Rules(read.destination_rules, mesh.services, caller.namespace)
        pairs = list((_edge if caller.is_gateway else _workload)(mesh, read, caller, rules))
        configurations = [configuration for _, configuration in pairs]
        reached = {(host, port) for name, host, port in mesh.outbound if name == caller.name}
        reached |= {found[:2] for name in _mentioned(configurations) if (found := parse_cluster(name))}
        for cluster in clusters(mesh, rules):
            parsed = parse_cluster(cluster["name"])
            if parsed and parsed[:2] in reached:
                loads = f"{caller.namespace}|{cluster['name']}"
                made[scoped(caller, cluster["name"])] = _scoped_cluster(caller, cluster, loads)
                if loads not in assigned:
                    assigned[loads] = {**assignment(mesh, services, rules, cluster["name"]), "cluster_name": loads}
        heard += [listener for listener, _ in pairs]
        routes += [_scoped_routes(caller, configuration) for configuration in configurations]
    return Resources(
        clusters=tuple(made[name] for name in sorted(made)),
        endpoints=tuple(assigned[name] for name in sorted(assigned)),
        listeners=tuple(heard),
        routes=tuple(routes),
    )


def scoped(caller: Caller, name: str) -> str:
    """A resource's name in the shared Envoy: `gateway|outbound|9090|v1|inference.inkmesh.svc.cluster.local`."""
    return f"{caller.name}|{name}"


Pair = tuple[Resource, Resource]
"""A listener and its routes, whose cluster names are still istiod's."""


def _edge(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> Iterator[Pair]:
    for port, servers in sorted(gateway.servers(read.gateways, caller).items()):
        address = mesh.gateway_ports.get(port)
        if address is None:
            continue
        name = scoped(caller, gateway.route_name(port))
        hosts = gateway.virtual_hosts(mesh, caller, port, servers, read.virtual_services, rules)
        yield listeners.edge(name, address, name, mesh.access_log), route_configuration(name, hosts)


def _workload(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> Iterator[Pair]:
    called = sorted((port, host) for name, host, port in mesh.outbound if name == caller.name)
    services = by_host(mesh.services)
    found: dict[int, dict[str, list[Resource]]] = {}
    for port, host in called:
        if host not in services or port not in {one.number for one in services[host].ports}:
            raise ValueError(f"{caller.name} has a listener for {host}:{port}, which is no service's port")
        if port not in {one.number for one in http_ports(services[host])}:
            service = services[host]
            resource = f"Service {service.namespace}/{service.name}"
            raise Unsupported("", resource, f"spec.ports[{port}]", "only http, http2 and grpc ports can be called")
        if port not in found:
            found[port] = virtual_hosts.virtual_hosts(mesh, caller, port, read.virtual_services, rules)
        name = scoped(caller, f"{host}:{port}")
        hosts = [_by_address(one) if one["name"] == f"{host}:{port}" else one for one in found[port][host]]
        address = mesh.outbound[caller.name, host, port]
        yield listeners.outbound(name, address, name, mesh.access_log), route_configuration(name, hosts)


def _by_address(host: Resource) -> Resource:
    return {**host, "domains": [*host["domains"], "*"]}


def _scoped_cluster(caller: Caller, cluster: Resource, loads: str) -> Resource:
    return {
        **cluster,
        "name": scoped(caller, cluster["name"]),
        "eds_cluster_config": {**cluster["eds_cluster_config"], "service_name": loads},
        "common_lb_config": {**cluster["common_lb_config"], "update_merge_window": "0s"},
    }


def _scoped_routes(caller: Caller, configuration: Resource) -> Resource:
    def route(one: Resource) -> Resource:
        return {**one, "route": _scoped_action(caller, one["route"])} if "route" in one else one

    hosts = [
        {**host, "routes": [route(one) for one in host.get("routes", [])]} for host in configuration["virtual_hosts"]
    ]
    return {**configuration, "virtual_hosts": hosts}


def _scoped_action(caller: Caller, action: Resource) -> Resource:
    out = dict(action)
    if "cluster" in out:
        out["cluster"] = scoped(caller, out["cluster"])
    if "weighted_clusters" in out:
        weighted = [{**one, "name": scoped(caller, one["name"])} for one in out["weighted_clusters"]["clusters"]]
        out["weighted_clusters"] = {**out["weighted_clusters"], "clusters": weighted}
    if "request_mirror_policies" in out:
        mirrors = out["request_mirror_policies"]
        out["request_mirror_policies"] = [{**one, "cluster": scoped(caller, one["cluster"])} for one in mirrors]
    return out


def _mentioned(configurations: list[Resource]) -> Iterator[str]:
    """Each cluster that routes name."""
    for configuration in configurations:
        for host in configuration["virtual_hosts"]:
            for action in (route.get("route", {}) for route in host.get("routes", [])):
                if "cluster" in action:
                    yield action["cluster"]
                yield from (one["name"] for one in action.get("weighted_clusters", {}).get("clusters", []))
                yield from (one["cluster"] for one in action.get("request_mirror_policies", []))
