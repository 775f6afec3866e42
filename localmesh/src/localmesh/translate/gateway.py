"""Gateway documents → the edge's servers by port, and the routes of the VirtualServices bound to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

Server = tuple[str, Sequence[str]]
"""A Gateway's `namespace/name`, and the hosts of one of its servers."""


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
            one, port = (f"{item.namespace}/{item.name}", hosts), server["port"]
            if port["protocol"] != "HTTPS":
                plain.setdefault(port["number"], []).append(one)
                continue
            name = f"https.{port['number']}.{port['name']}.{item.name}.{item.namespace}"
            bare = sorted(host.rpartition("/")[2] for host in hosts)
            names = () if "*" in bare else tuple(bare)
            found.append(Listening(port["number"], name, (one,), server["tls"], names))
    found += [Listening(port, f"http.{port}", tuple(one)) for port, one in plain.items()]
    return sorted(found, key=lambda one: one.port)


def virtual_hosts(
    mesh: Mesh, caller: Caller, port: int, servers: Sequence[Server], items: Sequence[Item], rules: Rules
) -> list[Resource]:
    """A virtual host a host name; VirtualServices of one host are joined, what matches everything comes last."""
    services = by_host(mesh.services)
    made: dict[str, tuple[list[str], list[Resource]]] = {}
    for gateway, server_hosts in servers:
        site = Site(caller, port, {gateway}, services, rules)
        for item in _bound(items, gateway, caller.namespace):
            hosts = [qualified(host, item.namespace) for host in item.spec["hosts"]]
            common = intersection(without_namespace(server_hosts, item.namespace), hosts)
            found = routes(item, site) if common else []
            if not found:
                continue
            for host in common:
                origins, joined = made.setdefault(host.lower(), ([], []))
                origins.append(f"{gateway} {item.namespace}/{item.name}")
                joined += found
    if not made:
        return [{"name": f"blackhole:{port}", "domains": ["*"]}]
    return sorted(_joined(made, port), key=lambda host: str(host["name"]))


def _joined(made: dict[str, tuple[list[str], list[Resource]]], port: int) -> list[Resource]:
    """Hosts with the same routes share one virtual host, named after the most specific."""
    shared: dict[tuple[str, ...], dict[str, Any]] = {}
    for host in sorted(made, key=specificity):
        origins, found = made[host]
        if tuple(origins) in shared:
            shared[tuple(origins)]["domains"].append(host)
            continue
        shared[tuple(origins)] = {
            "name": f"{host}:{port}",
            "domains": [host],
            "routes": sorted(found, key=is_catch_all),
            "include_request_attempt_count": True,
        }
    return list(shared.values())


def _bound(items: Sequence[Item], gateway: str, namespace: str) -> list[Item]:
    seen = [item for item in items if gateway in gateway_names(item) and item.visible_in(namespace)]
    return sorted(seen, key=lambda item: "*" in (item.spec.get("exportTo") or ["*"]))
