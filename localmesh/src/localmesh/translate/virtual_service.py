"""A VirtualService's http routes → Envoy routes for one caller at one port, in the order written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localmesh.mesh import Service
from localmesh.translate import cors, fault
from localmesh.translate.callers import MESH, Caller
from localmesh.translate.destination_rule import Rules
from localmesh.translate.documents import Item
from localmesh.translate.headers import authority, operations
from localmesh.translate.redirect import direct_response, redirect
from localmesh.translate.registry import parse_cluster
from localmesh.translate.resources import Resource
from localmesh.translate.route_action import route_action
from localmesh.translate.route_match import applies, is_catch_all, route_match


@dataclass(frozen=True)
class Site:
    """Where routes are made for: a caller, its listener's port, and what it can see there."""

    caller: Caller
    port: int
    gateways: Collection[str]
    """`mesh`, or the Gateway's `namespace/name`: what a match's `gateways` are compared with."""
    services: Mapping[str, Service]
    rules: Rules
    tls: bool = False
    """Whether a Gateway's server has a `tls` block, if only to redirect: then ports are told from HTTPS' default."""


def routes(item: Item, site: Site) -> list[Resource]:
    """One Envoy route a match, none after the first that matches everything."""
    out: list[Resource] = []
    for rule in item.spec["http"]:
        for match in rule.get("match") or [None]:
            match = _with_qualified_gateways(match, item.namespace)
            if not applies(match, site.caller, site.gateways, site.port):
                continue
            out.append(_route(item, rule, match, site))
            if is_catch_all(out[-1]):
                return out
        if not rule.get("match"):
            return out
    return out


def gateway_names(item: Item) -> list[str]:
    """The gateways it is bound to as `namespace/name`; `mesh` when it names none."""
    return [_gateway_name(name, item.namespace) for name in item.spec.get("gateways") or [MESH]]


def by_visibility(items: Iterable[Item], namespace: str) -> list[Item]:
    """Those that callers of the namespace see: its own private ones, then those for it, then everybody's."""
    seen = [item for item in items if item.visible_in(namespace)]
    return sorted(seen, key=lambda item: (item.is_public, item.namespace != namespace and not item.is_public))


def _route(item: Item, rule: Mapping[str, Any], match: Mapping[str, Any] | None, site: Site) -> Resource:
    name = rule.get("name") or ""
    if match and match.get("name"):
        name = f"{name}.{match['name']}"
    out: dict[str, Any] = {"name": name} if name else {}
    out["match"] = route_match(match)
    out["metadata"] = {"filter_metadata": {"istio": {"config": item.config}}}
    if match and match.get("statPrefix"):
        out["stat_prefix"] = match["statPrefix"]
    headers = rule.get("headers") or {}
    out |= operations(headers)
    if rule.get("redirect"):
        out["redirect"] = redirect(rule["redirect"], site.port, tls=site.tls)
    elif rule.get("directResponse"):
        out["direct_response"] = direct_response(rule["directResponse"])
    else:
        action, extra = route_action(rule, item.namespace, authority(headers), site)
        for operation, entries in extra.items():
            out[operation] = [*out.get(operation, []), *entries]
        out["route"] = action
    out["decorator"] = {"operation": _operation(out, item.name, site.port)}
    filters = {}
    if rule.get("fault"):
        filters[fault.FILTER] = fault.fault(rule["fault"])
    if rule.get("corsPolicy") is not None:
        filters[cors.FILTER] = cors.cors(rule["corsPolicy"])
    if filters:
        out["typed_per_filter_config"] = filters
    return out


def _operation(route: Mapping[str, Any], name: str, port: int) -> str:
    """How traces name the route: its one destination, or the VirtualService, and the path."""
    match = route["match"]
    if "path" in match:
        path = match["path"]
    elif "safe_regex" in match:
        path = match["safe_regex"]["regex"]
    else:
        path = f"{match['prefix']}*"
    destination = parse_cluster(route.get("route", {}).get("cluster", ""))
    return f"{destination[0]}:{destination[1]}{path}" if destination else f"{name}:{port}{path}"


def _with_qualified_gateways(match: Mapping[str, Any] | None, namespace: str) -> Mapping[str, Any] | None:
    if not match or not match.get("gateways"):
        return match
    return {**match, "gateways": [_gateway_name(name, namespace) for name in match["gateways"]]}


def _gateway_name(name: str, namespace: str) -> str:
    if name == MESH or "/" in name:
        return name
    if "." not in name:
        return f"{namespace}/{name}"
    short, _, rest = name.partition(".")
    return f"{rest.partition('.')[0]}/{short}"
