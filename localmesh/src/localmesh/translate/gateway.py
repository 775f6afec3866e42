"""Gateway documents → the edge's servers by port, and the routes of the VirtualServices bound to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localmesh.mesh import Mesh
from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Item
from localmesh.translate.errors import Unsupported
from localmesh.translate.hosts import intersection, qualified, specificity, with_port, without_namespace
from localmesh.translate.registry import by_host
from localmesh.translate.resources import Resource
from localmesh.translate.route_match import is_catch_all
from localmesh.translate.virtual_service import Site, by_visibility, gateway_names, routes


@dataclass(frozen=True)
class Server:
    """One server of a Gateway, which is named `namespace/name`."""

    gateway: str
    hosts: Sequence[str]
    redirects: bool
    """Whether who comes without TLS is sent to HTTPS."""
    has_tls: bool
    """Whether it has a `tls` block, be it only to redirect."""


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
    """The servers of all Gateways that select this caller, by port; those with TLS in the order written.

    Raises Unsupported where Istio would leave a server out, for another one has its port or hosts.
    """
    plain: dict[int, list[Server]] = {}
    found: list[Listening] = []
    taken: set[tuple[int, str]] = set()
    for item, index, server in _selected(items, caller):
        hosts = _hosts(server["hosts"], item.namespace)
        tls, port = server.get("tls") or {}, server["port"]
        number, https = port["number"], port["protocol"] == "HTTPS"
        if server.get("tls") is not None:
            if twice := [host for host in hosts if (number, host) in taken]:
                raise _left_out(item, index, "hosts", f"another server of port {number} has {twice[0]}")
            taken.update((number, host) for host in hosts)
        if number in plain if https else any(one.port == number for one in found):
            raise _left_out(item, index, "port", f"the servers of port {number} have TLS, or none has")
        one = Server(
            f"{item.namespace}/{item.name}", hosts, bool(tls.get("httpsRedirect")), server.get("tls") is not None
        )
        if not https:
            plain.setdefault(number, []).append(one)
            continue
        name = f"https.{number}.{port['name']}.{item.name}.{item.namespace}"
        bare = sorted({host.rpartition("/")[2] for host in hosts})
        found.append(Listening(number, name, (one,), tls, () if "*" in bare else tuple(bare)))
    found += [Listening(port, f"http.{port}", tuple(one)) for port, one in plain.items()]
    return sorted(found, key=lambda one: one.port)


def _selected(items: Sequence[Item], caller: Caller) -> Iterator[tuple[Item, int, Mapping[str, Any]]]:
    for item in items:
        if (item.spec.get("selector") or {}).items() <= caller.labels.items():
            for index, server in enumerate(item.spec["servers"]):
                yield item, index, server


def _hosts(written: Sequence[str], namespace: str) -> list[str]:
    """Without `*/`, which says nothing, and with the namespace that `./` means; `*/*` is all hosts."""
    if "*/*" in written:
        return ["*"]
    return [f"{namespace}/{host[2:]}" if host.startswith("./") else host.removeprefix("*/") for host in written]


def _left_out(item: Item, index: int, field: str, reason: str) -> Unsupported:
    return Unsupported(item.file, f"Gateway {item.namespace}/{item.name}", f"spec.servers[{index}].{field}", reason)


def virtual_hosts(
    mesh: Mesh, caller: Caller, port: int, servers: Sequence[Server], items: Sequence[Item], rules: Rules
) -> list[Resource]:
    """A virtual host a host name; VirtualServices of one host are joined, what matches everything comes last."""
    services = by_host(mesh.services)
    made: dict[str, _Host] = {}
    known: dict[tuple[str, str, str], bool] = {}
    for server in servers:
        for item in _bound(items, server.gateway, caller.namespace):
            hosts = [qualified(host, item.namespace) for host in item.spec["hosts"]]
            common = intersection(without_namespace(server.hosts, item.namespace), hosts)
            # Like istiod: what the first of a Gateway's servers makes of the routes holds for all.
            has_tls = known.setdefault((server.gateway, item.namespace, item.name), server.has_tls) if common else False
            site = Site(caller, port, {server.gateway}, services, rules, has_tls)
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
    """Hosts with the same routes share one virtual host, named after the most specific.

    Like istiod it compares with the last host of these routes alone, which may be another for its redirect.
    """
    found: list[Resource] = []
    last: dict[tuple[str, ...], tuple[bool, Resource]] = {}
    for host in sorted(made, key=specificity):
        one = made[host]
        redirects, shared = last.get(tuple(one.origins), (None, {}))
        if redirects == one.redirects:
            shared["domains"].append(host)
            continue
        shared = {"name": with_port(host, port), "domains": [host], "include_request_attempt_count": True}
        if one.routes:
            shared["routes"] = sorted(one.routes, key=is_catch_all)
        if one.redirects:
            shared["require_tls"] = "ALL"
        last[tuple(one.origins)] = one.redirects, shared
        found.append(shared)
    return found


def _bound(items: Sequence[Item], gateway: str, namespace: str) -> list[Item]:
    """Once for each time that a VirtualService names the Gateway, as istiod does."""
    bound = (item for item in items for name in gateway_names(item) if name == gateway)
    return by_visibility(bound, namespace)
