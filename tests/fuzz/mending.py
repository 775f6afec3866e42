"""Random specs put right where fields contradict each other: an error for them would show little, time and again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Spec = dict[str, Any]
_NEVER = 0.05
"""How many specs stay as they were drawn."""
_LOCAL = ".inkmesh.svc.cluster.local"
_WHEN = {
    "source.ip": ["10.0.0.0/8", "192.168.1.7"],
    "remote.ip": ["2001:DB8::/32"],
    "destination.ip": ["10.1.2.3/8"],
    "destination.port": ["8080", "443"],
    "source.serviceAccount": ["payment", "inkmesh/gate.way"],
    "source.namespace": ["inkmesh", "team.*"],
}
"""Conditions that take more than text."""


def mended(kind: str, spec: Spec, chance: random.Random) -> Spec:
    """The spec without the contradictions that its schema allows."""
    if kind in _MENDING and chance.random() >= _NEVER:
        _MENDING[kind](spec)
    return spec


def _gateway(spec: Spec) -> None:
    """Servers of a port all have TLS or none has; names are not repeated, nor the hosts of those with a `tls`."""
    secure: dict[int, bool] = {}
    for index, server in enumerate(_each(spec, "servers")):
        port, tls = server["port"], server.pop("tls", {})
        port["name"] = f"{port['name']}-{index}"
        if secure.setdefault(port["number"], port["protocol"] == "HTTPS"):
            kept = {
                key: value for key, value in tls.items() if key.endswith("ProtocolVersion") or key == "cipherSuites"
            }
            port["protocol"] = "HTTPS"
            server["tls"] = {**kept, "mode": "SIMPLE", "credentialName": "edge-tls"}
        else:
            port["protocol"] = port["protocol"].replace("HTTPS", "HTTP")
            if tls.get("httpsRedirect"):
                server["tls"] = {"httpsRedirect": True}
        if index and "tls" in server:
            server["hosts"] = [f"host{index}.example.com"]


def _service_entry(spec: Spec) -> None:
    """Hosts and ports differ, endpoints are of the resolution's kind, and an address is one host's."""
    spec["hosts"] = list(dict.fromkeys(spec["hosts"]))
    spec["ports"] = list({port["number"]: port for port in spec["ports"]}.values())
    for index, port in enumerate(spec["ports"]):
        port["name"] = f"{port['name'] or 'a'}-{index}"
    if len(spec["hosts"]) > 1:
        spec.pop("addresses", None)
        for port in spec["ports"]:
            port["protocol"] = port["protocol"].replace("TCP", "HTTP")
    for one in _each(spec, "endpoints"):
        one.pop("ports", None)
        if spec["resolution"] == "STATIC":
            one["address"] = "127.0.7.1" if one["address"][:1] != "1" else one["address"]
    if spec["resolution"] == "DNS_ROUND_ROBIN" and "endpoints" in spec:
        spec["endpoints"] = spec["endpoints"][:1]


def _virtual_service(spec: Spec) -> None:
    """Hosts do not overlap, some weight is above 0, and of two ways to say a thing one is there."""
    hosts: dict[str, str] = {}
    for host in spec["hosts"]:
        short = host.removesuffix(_LOCAL).removeprefix("*")
        if not any(short.endswith(one) or one.endswith(short) for one in hosts):
            hosts[short] = host
    spec["hosts"] = list(hosts.values())
    for route in _each(spec, "http"):
        destinations = route.get("route", [])
        if len(destinations) > 1 and not any(one.get("weight") for one in destinations):
            destinations[0]["weight"] = 1
        if not destinations and not route.get("delegate"):
            route.pop("fault", None)
            route.pop("rewrite", None)
        if "mirror" in route:
            route.pop("mirrors", None)
        if "retries" in route and not route["retries"].get("attempts"):
            route["retries"] = {"attempts": 0}
        for origin in _each(route.get("corsPolicy", {}), "allowOrigins"):
            origin.update({} if origin else {"exact": "https://a.example.com"})


def _destination_rule(spec: Spec) -> None:
    """Of two ways to say a thing one is there; subsets have names of their own."""
    for index, one in enumerate(_each(spec, "subsets")):
        one["name"] = f"v{1 + index}"
    for policy in (spec.get("trafficPolicy", {}), *(one.get("trafficPolicy", {}) for one in _each(spec, "subsets"))):
        for one in (policy, *_each(policy, "portLevelSettings")):
            consistent = one.get("loadBalancer", {}).get("consistentHash", {})
            if consistent.keys() & {"ringHash", "maglev"}:
                consistent.pop("minimumRingSize", None)
            outliers = one.get("outlierDetection", {})
            if not outliers.get("splitExternalLocalOriginErrors"):
                outliers.pop("consecutiveLocalOriginFailures", None)


def _authorization_policy(spec: Spec) -> None:
    """A source names accounts, or principals and namespaces; conditions have values of their kinds."""
    for rule in _each(spec, "rules"):
        for source in (one["source"] for one in _each(rule, "from") if "source" in one):
            if source.keys() & {"principals", "notPrincipals", "namespaces", "notNamespaces"}:
                source.pop("serviceAccounts", None)
                source.pop("notServiceAccounts", None)
        for condition in _each(rule, "when"):
            for name in {"values", "notValues"} & condition.keys() if condition["key"] in _WHEN else ():
                condition[name] = _WHEN[condition["key"]][: len(condition[name])]


def _each(spec: Spec, name: str) -> Iterator[Spec]:
    yield from spec.get(name) or []


_MENDING: dict[str, Callable[[Spec], None]] = {
    "AuthorizationPolicy": _authorization_policy,
    "DestinationRule": _destination_rule,
    "Gateway": _gateway,
    "ServiceEntry": _service_entry,
    "VirtualService": _virtual_service,
}
