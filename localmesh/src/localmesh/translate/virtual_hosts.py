"""What a workload's sidecar would hold for one port: a virtual host a service, by VirtualService or by default."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from localmesh.mesh import Mesh, Service
from localmesh.translate.callers import MESH, Caller
from localmesh.translate.destination_rule import Rules, service_hash
from localmesh.translate.documents import Item
from localmesh.translate.hash_policy import hash_policy
from localmesh.translate.hosts import (
    called_as,
    in_brackets,
    is_wildcard,
    matches,
    most_specific,
    qualified,
    with_port,
)
from localmesh.translate.registry import cluster_name, http_services_on
from localmesh.translate.resources import Resource
from localmesh.translate.retries import retry_policy
from localmesh.translate.route_action import timeouts
from localmesh.translate.service_entry import Entry
from localmesh.translate.virtual_service import Site, by_visibility, gateway_names, routes


def virtual_hosts(
    mesh: Mesh, caller: Caller, port: int, items: Sequence[Item], rules: Rules
) -> dict[str, list[Resource]]:
    """Virtual hosts by the service they are for, `""` for hosts that are no service of this port."""
    served = http_services_on(mesh, port)
    site = Site(caller, port, {MESH}, {host: _only_port(one, port) for host, one in served.items()}, rules)
    services = {host: service for host, service in served.items() if host not in mesh.led_to}
    items = for_sidecars(items, caller.namespace)
    known = {
        service.host
        for service in mesh.services
        if service.host not in mesh.led_to and any(one.number == port for one in service.ports)
    }
    wildcards = {host: most_specific(host, _first_by_host(items)) for host in services}
    found: dict[str, list[Resource]] = {}
    taken: set[str] = set()
    named: set[str] = set()

    def names(service: Service) -> list[str]:
        # A short name that is another service's whole one means that service.
        return [name for name in _names(service, caller) if name == service.host or name not in services]

    for item in items:
        mine, others = _hosts_of(item, services, known, wildcards)
        if not mine and (port != 80 or not others):
            continue
        made = routes(item, site)
        if not made:
            continue
        for host in others:
            _add(found, mine[0] if mine else "", _virtual_host(host, port, [in_brackets(host)], made), taken, named)
        for host in mine:
            _add(found, host, _virtual_host(host, port, names(services[host]), made), taken, named)
    for host, service in services.items():
        route = _default_route(service, port, rules)
        _add(found, host, _virtual_host(host, port, names(service), [route]), taken, named)
    return found


def for_sidecars(items: Sequence[Item], namespace: str) -> list[Item]:
    """The VirtualServices for callers inside the mesh, those private to their namespace first."""
    return by_visibility((item for item in items if MESH in gateway_names(item)), namespace)


def _hosts_of(
    item: Item, services: dict[str, Service], known: Collection[str], wildcards: dict[str, Item | None]
) -> tuple[list[str], list[str]]:
    """A VirtualService's hosts that are services here, and those that are none. `known`: services of TCP as well."""
    mine: list[str] = []
    others: list[str] = []
    hosts = [qualified(host, item.namespace).lower() for host in item.spec["hosts"]]
    for host in sorted(hosts, key=is_wildcard):
        if not is_wildcard(host):
            if host in services:
                mine.append(host)
            elif host not in known:
                others.append(host)
            continue
        mine += [service for service in services if matches(service, host) and wildcards[service] is item]
        if not any(matches(service, host) for service in known):
            others.append(host)
    return mine, others


def _first_by_host(items: Sequence[Item]) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for item in items:
        for host in item.spec["hosts"]:
            found.setdefault(qualified(host, item.namespace), item)
    return found


def _add(
    found: dict[str, list[Resource]], service: str, host: dict[str, Any], taken: set[str], named: set[str]
) -> None:
    """Keep a virtual host unless its name, or all of its domains, belong to an earlier one."""
    if host["name"] in named:
        return
    named.add(host["name"])
    host["domains"] = [domain for domain in host["domains"] if domain.lower() not in taken]
    taken.update(domain.lower() for domain in host["domains"])
    if host["domains"]:
        found.setdefault(service, []).append(host)


def _virtual_host(host: str, port: int, domains: list[str], made: list[Resource]) -> dict[str, Any]:
    return {
        "name": with_port(host, port),
        "domains": domains,
        "routes": made,
        "include_request_attempt_count": True,
    }


def _default_route(service: Service, port: int, rules: Rules) -> Resource:
    action: dict[str, Any] = {
        **timeouts(None),
        "cluster": cluster_name(service.host, port),
        "retry_policy": retry_policy(None),
    }
    if policies := hash_policy(service_hash(rules.of(service.host), port)):
        action["hash_policy"] = policies
    return {
        "name": "default",
        "match": {"prefix": "/"},
        "decorator": {"operation": f"{service.host}:{port}/*"},
        "route": action,
    }


def _names(service: Service, caller: Caller) -> list[str]:
    """By which a caller calls it: its host in all forms, and a ServiceEntry's address, of several the last."""
    addresses = service.spec.get("addresses") or [] if isinstance(service, Entry) else []
    return [*called_as(service.host, caller.namespace), *map(in_brackets, addresses[-1:])]


def _only_port(service: Service, port: int) -> Service:
    """As a sidecar sees it on that port's listener."""
    return replace(service, ports=tuple(one for one in service.ports if one.number == port))
