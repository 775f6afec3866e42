"""Gateway documents → the edge's servers by port, and the routes of the VirtualServices bound to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localmesh.mesh import Mesh
from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Item
from localmesh.translate.hosts import intersection, qualified, specificity, without_namespace
from localmesh.translate.registry import by_host
from localmesh.translate.resources import Resource
from localmesh.translate.route_match import is_catch_all
from localmesh.translate.virtual_service import Site, gateway_names, routes


@dataclass(frozen=True)
class Server:
    """One server of a Gateway, which is named `namespace/name`."""

    gateway: str
    hosts: Sequence[str]
    redirects: bool
    """Whether who comes without TLS is sent to HTTPS."""


@dataclass(frozen=True)
class Listening:
    """Servers that share their routes: all plain ones of a port, or one with TLS."""

    port: int
    name: str
    """Of the routes, as istiod has it."""
    servers: tuple[Server, ...]
    tls: Mapping[str, Any] | None = None
    server_names: tuple[str, ...] = ()
    """What a caller must ask for by SNI, empty for anything."""


def listening(items: Sequence[Item], caller: Caller) -> list[Listening]:
    """The servers of all Gateways that select this caller, by port; those with TLS in the order written."""
    plain: dict[int, list[Server]] = {}
    found: list[Listening] = []
    for item in items:
        selector = item.spec.get("selector") or {}
        if any(caller.labels.get(key) != value for key, value in selector.items()):
            continue
        for server in item.spec["servers"]:
            hosts = [f"{item.namespace}/{host[2:]}" if host.startswith("./") else host for host in server["hosts"]]
            tls, port = server.get("tls") or {}, server["port"]
            one = Server(f"{item.namespace}/{item.name}", hosts, bool(tls.get("httpsRedirect")))
            if port["protocol"] != "HTTPS":
                plain.setdefault(port["number"], []).append(one)
                continue
            name = f"https.{port['number']}.{port['name']}.{item.name}.{item.namespace}"
            bare = sorted(host.rpartition("/")[2] for host in hosts)
            names = () if "*" in bare else tuple(bare)
            found.append(Listening(port["number"], name, (one,), tls, names))
    found += [Listening(port, f"http.{port}", tuple(one)) for port, one in plain.items()]
    return sorted(found, key=lambda one: one.port)


def virtual_hosts(
    mesh: Mesh, caller: Caller, port: int, servers: Sequence[Server], items: Sequence[Item], rules: Rules
) -> list[Resource]:
    """A virtual host a host name; VirtualServices of one host are joined, what matches everything comes last."""
    services = by_host(mesh.services)
    made: dict[str, _Host] = {}
    for server in servers:
        site = Site(caller, port, {server.gateway}, services, rules)
        for item in _bound(items, server.gateway, caller.namespace):
            hosts = [qualified(host, item.namespace) for host in item.spec["hosts"]]
            common = intersection(without_namespace(server.hosts, item.namespace), hosts)
            found = routes(item, site) if common else []
            if not found:
                continue
            for host in common:
                one = made.setdefault(host.lower(), _Host())
                one.origins.append(f"{server.gateway} {item.namespace}/{item.name}")
                one.routes += found
                one.redirects |= server.redirects
        if server.redirects:
            for host in server.hosts:
                made.setdefault(host.lower(), _Host()).redirects = True
    if not made:
        return [{"name": f"blackhole:{port}", "domains": ["*"]}]
    return sorted(_joined(made, port), key=lambda host: str(host["name"]))


@dataclass
class _Host:
    """What is known of a host name: where its routes are from, and whether it wants TLS."""

    origins: list[str] = field(default_factory=list)
    routes: list[Resource] = field(default_factory=list)
    redirects: bool = False


def _joined(made: Mapping[str, _Host], port: int) -> list[Resource]:
    """Hosts with the same routes share one virtual host, named after the most specific."""
    shared: dict[tuple[str, ...], dict[str, Any]] = {}
    for host in sorted(made, key=specificity):
        one = made[host]
        key = (str(one.redirects), *one.origins)
        if key in shared:
            shared[key]["domains"].append(host)
            continue
        shared[key] = {"name": f"{host}:{port}", "domains": [host], "include_request_attempt_count": True}
        if one.routes:
            shared[key]["routes"] = sorted(one.routes, key=is_catch_all)
        if one.redirects:
            shared[key]["require_tls"] = "ALL"
    return list(shared.values())


def _bound(items: Sequence[Item], gateway: str, namespace: str) -> list[Item]:
    seen = [item for item in items if gateway in gateway_names(item) and item.visible_in(namespace)]
    return sorted(seen, key=lambda item: "*" in (item.spec.get("exportTo") or ["*"]))
