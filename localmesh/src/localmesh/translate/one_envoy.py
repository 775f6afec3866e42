"""All callers in one Envoy, which on a cluster would be one sidecar each.

What differs from istiod's own output, and why:
- Names begin with the caller's: clusters of one name would share breakers, pools and ejections between callers.
- A workload has a listener a service port, at an address of its own, so its last domain is `*`: a call that names
  the address in its Host header means that service. On a cluster the address it was sent to says so.
- Calls that a service outside gets have its name as their Host.
- A redirect to HTTPS names the port of the edge with TLS.
- Envoy does not wait for names of services outside to be found: a laptop may be offline.
- `update_merge_window: 0s`: Envoy else waits a second before it acts on a re-ejection.
- Where metrics are asked for, callers say who they are in headers that no process sees (`peer_metadata`).
- Filters that few routes ask for are left out of the way of the others (`idle_filters`).
- Only clusters that a caller can reach are kept. Endpoints are shared by the callers of one namespace.
- Replicas are called directly while no policy acts on them. Else Envoy listens before each one, at an address of its
  own; where that has another port than the manifest's, a policy's port is put right.
"""

from __future__ import annotations

from collections.abc import Iterator

from localmesh.mesh import Mesh, Service
from localmesh.translate import (
    callers,
    delegates,
    documents,
    gateway,
    https_redirect,
    idle_filters,
    in_front,
    inbound,
    listeners,
    moved_filters,
    peer_metadata,
    request_metrics,
    service_entry,
    sidecar,
    telemetry,
    transport_sockets,
    virtual_hosts,
)
from localmesh.translate.callers import Caller
from localmesh.translate.clusters import clusters
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Documents
from localmesh.translate.endpoints import assignment
from localmesh.translate.errors import Unsupported
from localmesh.translate.per_caller import route_configuration
from localmesh.translate.registry import by_host, http_ports, parse_cluster
from localmesh.translate.resources import Resource, Resources
from localmesh.translate.service_entry import Entry


def translate(mesh: Mesh) -> Resources:
    """Everything the one shared Envoy needs. Raises Unsupported where a document cannot be translated.

    ValueError: two callers of one name, or an outbound listener for a service that is none.
    """
    read = delegates.resolved(documents.read(mesh.documents))
    made: dict[str, Resource] = {}
    assigned: dict[str, Resource] = {}
    heard: list[Resource] = []
    routes: list[Resource] = []
    metadata = in_front.replica_metadata(mesh, read)
    told = request_metrics.asked_for_by_any(read.telemetries)
    for caller in callers.all_callers(mesh):
        metrics = request_metrics.of_caller(read.telemetries, caller)
        seen, its = sidecar.narrowed(service_entry.added(mesh, read, caller.namespace), read, caller)
        rules = Rules(its.destination_rules, seen.services, caller.namespace)
        pairs = list((_edge if caller.is_gateway else _workload)(seen, its, caller, rules))
        pairs += _blocked(mesh, seen, its, caller)
        configurations = [configuration for _, routed in pairs for configuration in routed]
        reached = {(host, port) for name, host, port in mesh.outbound if name == caller.name}
        reached |= {found[:2] for name in _mentioned(configurations) if (found := parse_cluster(name))}
        services = by_host(seen.services)
        for cluster in clusters(seen, rules, is_gateway=caller.is_gateway):
            parsed = parse_cluster(cluster["name"])
            if parsed and parsed[:2] in reached:
                loads = f"{caller.namespace}|{cluster['name']}"
                known = request_metrics.cluster_metadata(services[parsed[0]], parsed[1]) if metrics else {}
                scoped_cluster = _scoped_cluster(caller, cluster, loads, known)
                if told and not isinstance(services[parsed[0]], Entry):
                    scoped_cluster = peer_metadata.sent(scoped_cluster, request_metrics.identity_of(caller))
                made[scoped_cluster["name"]] = scoped_cluster
                if loads not in assigned and "eds_cluster_config" in cluster:
                    there = assignment(seen, services, rules, cluster["name"], metadata)
                    assigned[loads] = {**there, "cluster_name": loads}
        heard += [request_metrics.counted(listener, metrics) for listener, _ in pairs]
        routes += [_scoped_routes(caller, configuration) for configuration in configurations]
    filters: dict[str, Resource] = {}
    for way, listener, its_filters in in_front.of_replicas(mesh, read):
        made[way["name"]] = way
        heard.append(listener)
        filters |= its_filters
    for index, listener in enumerate(heard):
        if listener["traffic_direction"] == "OUTBOUND":
            heard[index], its_filters = moved_filters.moved(listener, listener["name"])
            filters |= its_filters
    return Resources(
        clusters=tuple(made[name] for name in sorted(made)),
        endpoints=tuple(assigned[name] for name in sorted(assigned)),
        listeners=tuple(heard),
        routes=tuple(routes),
        filters=tuple(filters[name] for name in sorted(filters)),
    )


def scoped(caller: Caller, name: str) -> str:
    """A resource's name in the shared Envoy: `gateway|outbound|9090|v1|inference.inkmesh.svc.cluster.local`."""
    return f"{caller.name}|{name}"


Heard = tuple[Resource, list[Resource]]
"""A listener and its routes, whose cluster names are still istiod's."""


def _edge(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> Iterator[Heard]:
    by_port: dict[int, list[gateway.Listening]] = {}
    for one in gateway.listening(read.gateways, caller):
        by_port.setdefault(one.port, []).append(one)
    secure = (
        mesh.gateway_ports[port] for port, found in by_port.items() if found[0].tls and port in mesh.gateway_ports
    )
    https = next((address.port for address in secure), None)
    for port, found in by_port.items():
        if port not in mesh.gateway_ports:
            continue
        servers = [(one, scoped(caller, one.name)) for one in found]
        routes = []
        for one, name in servers:
            hosts = gateway.virtual_hosts(mesh, caller, port, one.servers, read.virtual_services, rules)
            routes.append(route_configuration(name, hosts if one.tls else https_redirect.to_port(hosts, https)))
        yield inbound.edge(mesh, read, caller, servers, mesh.gateway_ports[port]), routes


def _workload(mesh: Mesh, read: Documents, caller: Caller, rules: Rules) -> Iterator[Heard]:
    called = sorted((port, host) for name, host, port in mesh.outbound if name == caller.name)
    log = telemetry.access_log(mesh, read.telemetries, caller, telemetry.CLIENT)
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
        hosts = [
            _by_address(one, services[host]) if one["name"] == f"{host}:{port}" else one for one in found[port][host]
        ]
        address = mesh.outbound[caller.name, host, port]
        yield idle_filters.left_out(listeners.outbound(name, address, name, log)), [route_configuration(name, hosts)]


def _blocked(mesh: Mesh, seen: Mesh, read: Documents, caller: Caller) -> Iterator[Heard]:
    """The ways out that a workload's manifest names and its Sidecar takes from it: 502, as on a cluster."""
    log = telemetry.access_log(mesh, read.telemetries, caller, telemetry.CLIENT)
    route = {"name": "block_all", "match": {"prefix": "/"}, "direct_response": {"status": 502}}
    for way in sorted(mesh.outbound.keys() - seen.outbound.keys()):
        name = scoped(caller, f"{way[1]}:{way[2]}")
        hosts: list[Resource] = [{"name": "block_all", "domains": ["*"], "routes": [route]}]
        yield listeners.outbound(name, mesh.outbound[way], name, log), [route_configuration(name, hosts)]


def _by_address(host: Resource, service: Service) -> Resource:
    """A service outside would not know the address: it is called by its name."""
    named = {**host, "domains": [*host["domains"], "*"]}
    if not isinstance(service, Entry):
        return named
    return {**named, "routes": [_under_its_name(route, service.host) for route in host["routes"]]}


def _under_its_name(route: Resource, host: str) -> Resource:
    return {**route, "route": {"host_rewrite_literal": host, **route["route"]}} if "route" in route else route


def _scoped_cluster(caller: Caller, cluster: Resource, loads: str, known: Resource) -> Resource:
    metadata = cluster["metadata"]["filter_metadata"]
    eds = {**cluster["eds_cluster_config"], "service_name": loads} if "eds_cluster_config" in cluster else None
    return {
        **transport_sockets.with_certificate(cluster, caller.identity),
        "name": scoped(caller, cluster["name"]),
        "metadata": {"filter_metadata": {**metadata, **known}},
        **({"eds_cluster_config": eds} if eds else {"wait_for_warm_on_init": False}),
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
