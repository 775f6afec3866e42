"""Gateway documents → the edge's servers by port, and the routes of the VirtualServices bound to them."""

from __future__ import annotations

from collections.abc import Sequence
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


def servers(items: Sequence[Item], caller: Caller) -> dict[int, list[Server]]:
    """The HTTP servers of all Gateways that select this caller, by port."""
    found: dict[int, list[Server]] = {}
    for item in items:
        selector = item.spec.get("selector") or {}
        if any(caller.labels.get(key) != value for key, value in selector.items()):
            continue
        for server in item.spec["servers"]:
            hosts = [f"{item.namespace}/{host[2:]}" if host.startswith("./") else host for host in server["hosts"]]
            found.setdefault(server["port"]["number"], []).append((f"{item.namespace}/{item.name}", hosts))
    return found


def route_name(port: int) -> str:
    """As istiod names the routes of a plain HTTP port."""
    return f"http.{port}"


def virtual_hosts(
    mesh: Mesh, caller: Caller, port: int, listening: Sequence[Server], items: Sequence[Item], rules: Rules
) -> list[Resource]:
    """A virtual host a host name; VirtualServices of one host are joined, what matches everything comes last."""
    services = by_host(mesh.services)
    made: dict[str, tuple[list[str], list[Resource]]] = {}
    for gateway, server_hosts in listening:
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
