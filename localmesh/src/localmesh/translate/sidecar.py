"""Sidecar: which services a workload can call. Without one it is all that exportTo lets it see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from localmesh.mesh import Mesh, Service
from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import ROOT_NAMESPACE
from localmesh.translate.documents import Documents, Item
from localmesh.translate.errors import Unsupported
from localmesh.translate.hosts import matches, qualified

_Pair = tuple[str, str]
"""A namespace, `*` for any, and a host, perhaps with a wildcard."""


def of(items: Sequence[Item], caller: Caller) -> Item | None:
    """The one that holds: chosen by its selector, else its namespace's, else the root namespace's. None binds the edge.

    As in istiod a selector without labels chooses all workloads, and comes before a Sidecar without a selector.
    """
    if caller.is_gateway:
        return None
    selecting = [item for item in items if item.spec.get("workloadSelector") is not None]
    general = [item for item in items if item.spec.get("workloadSelector") is None]
    chosen = [item for item in selecting if _labels(item).items() <= caller.labels.items()]
    own = (item for item in (*chosen, *general) if item.namespace == caller.namespace)
    root = (item for item in general if item.namespace == ROOT_NAMESPACE)
    return next(chain(own, root), None)


def narrowed(mesh: Mesh, read: Documents, caller: Caller) -> tuple[Mesh, Documents]:
    """What the caller sees: services of its egress hosts, and those that routes for these hosts lead to.

    Of the latter it sees the ports that are named, or all; they have clusters, and no ways out. Raises
    Unsupported where a call would go past the mesh.
    """
    sidecar = of(read.sidecars, caller)
    if sidecar is None or not sidecar.spec.get("egress"):
        return mesh, read
    hosts = list(_hosts(sidecar, caller.namespace))
    routes = tuple(item for item in read.virtual_services if _seen(item, hosts))
    called = {service.host for service in mesh.services if _among(service.namespace, service.host, hosts)}
    led_to: dict[str, set[int | None]] = {}
    for host, port in (pair for item in routes for pair in _destinations(item, caller.namespace)):
        if host not in called:
            led_to.setdefault(host, set()).add(port)
    ways = {way: address for way, address in mesh.outbound.items() if way[0] != caller.name or way[1] in called}
    cut = mesh.outbound.keys() - ways.keys()
    if cut and (sidecar.spec.get("outboundTrafficPolicy") or {}).get("mode") != "REGISTRY_ONLY":
        _, host, port = min(cut)
        raise Unsupported(
            sidecar.file,
            f"Sidecar {sidecar.namespace}/{sidecar.name}",
            "spec.egress",
            f"{caller.name} calls {host}:{port}, which is not among its hosts, and with ALLOW_ANY such calls go past "
            "the mesh: name the host, or set outboundTrafficPolicy to REGISTRY_ONLY",
        )
    narrow = (_with_ports(service, led_to.get(service.host, {None})) for service in mesh.services)
    services = tuple(
        service for service in narrow if service.host in called or (service.host in led_to and service.ports)
    )
    seen = replace(mesh, services=services, outbound=ways, led_to=frozenset(led_to))
    return seen, replace(read, virtual_services=routes)


def _with_ports(service: Service, numbers: Collection[int | None]) -> Service:
    """The service with these ports alone; None stands for all."""
    if None in numbers:
        return service
    return replace(service, ports=tuple(port for port in service.ports if port.number in numbers))


def _labels(item: Item) -> dict[str, str]:
    found: dict[str, str] = (item.spec.get("workloadSelector") or {}).get("labels") or {}
    return found


def _hosts(sidecar: Item, namespace: str) -> Iterator[_Pair]:
    for egress in sidecar.spec["egress"]:
        for one in egress["hosts"]:
            where, _, host = one.partition("/")
            if where != "~":
                yield namespace if where == "." else where, host


def _among(namespace: str, host: str, pairs: Iterable[_Pair]) -> bool:
    return any(where in ("*", namespace) and matches(host, wanted) for where, wanted in pairs)


def _seen(item: Item, pairs: Sequence[_Pair]) -> bool:
    return any(_among(item.namespace, qualified(host, item.namespace), pairs) for host in item.spec["hosts"])


def _destinations(item: Item, namespace: str) -> Iterator[tuple[str, int | None]]:
    """Where routes for callers of that namespace lead to, and to which port, if one is named."""
    for route in item.spec["http"]:
        meant = {match["sourceNamespace"] for match in route.get("match") or [] if match.get("sourceNamespace")}
        if meant and namespace not in meant:
            continue
        mirrors = [*(route.get("mirrors") or []), *([{"destination": route["mirror"]}] if route.get("mirror") else [])]
        for one in (*(route.get("route") or []), *mirrors):
            destination: dict[str, Any] = one["destination"]
            yield qualified(destination["host"], item.namespace), (destination.get("port") or {}).get("number")
