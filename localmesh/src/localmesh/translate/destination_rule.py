"""DestinationRules: which one a caller sees for a service, and which policy holds for a subset and port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from localmesh.mesh import Service
from localmesh.translate.documents import Item
from localmesh.translate.hosts import most_specific, qualified

ROOT_NAMESPACE = "istio-system"
Policy = Mapping[str, Any]
_PER_PORT = ("connectionPool", "outlierDetection", "loadBalancer", "tls")


class Rules:
    """All DestinationRules as callers of one namespace see them."""

    def __init__(self, items: Sequence[Item], services: Iterable[Service], caller_namespace: str) -> None:
        self._items = items
        self._homes = {service.host: service.namespace for service in services}
        self._namespace = caller_namespace
        self._own = _by_host(item for item in items if item.namespace == caller_namespace and _is_own(item))
        self._exported: dict[str, dict[str, list[Item]]] = {}
        self._found: dict[str, Item | None] = {}

    def of(self, host: str) -> Item | None:
        """The rule for a service: the caller's namespace first, then the service's, then istio-system."""
        if host not in self._homes:
            return None
        if host not in self._found:
            self._found[host] = self._find(host)
        return self._found[host]

    def _find(self, host: str) -> Item | None:
        if own := most_specific(host, self._own):
            return own[-1]
        for namespace in (self._homes[host], ROOT_NAMESPACE):
            named = most_specific(host, self._exported_by(namespace)) or []
            if seen := [item for item in named if item.is_public or self._namespace in item.spec["exportTo"]]:
                return seen[-1]
        return None

    def _exported_by(self, namespace: str) -> dict[str, list[Item]]:
        if namespace not in self._exported:
            exported = (item for item in self._items if item.namespace == namespace and not _is_private(item))
            self._exported[namespace] = _by_host(exported)
        return self._exported[namespace]


def port_policy(policy: Policy | None, port: int) -> Policy | None:
    """What holds for a port: its own settings alone where it has some, else the general ones."""
    setting = _port_settings(policy, port)
    if setting is None:
        return policy
    return {name: setting[name] for name in _PER_PORT if setting.get(name) is not None}


def subset_policy(rule_policy: Policy | None, subset: Policy | None, port: int) -> Policy | None:
    """A subset's policy laid over the rule's, block by block; a subset's port settings replace all four blocks."""
    general = port_policy(rule_policy, port)
    if subset is None:
        return general
    special = port_policy(subset, port) or {}
    if general is None:
        return special
    merged = {name: value for name, value in general.items() if name != "portLevelSettings"}
    whole = _port_settings(subset, port) is not None
    for name in (*_PER_PORT, "retryBudget"):
        if special.get(name) is not None:
            merged[name] = special[name]
        elif whole and name in _PER_PORT:
            merged.pop(name, None)
    return merged


def subset_named(rule: Item | None, name: str) -> Policy | None:
    """The subset of that name."""
    subsets = (rule.spec.get("subsets") or []) if rule else []
    return next((subset for subset in subsets if subset["name"] == name), None)


def service_hash(rule: Item | None, port: int) -> Policy | None:
    """The consistent hash of a service without a VirtualService."""
    policy = rule.spec.get("trafficPolicy") if rule else None
    return _hash(_port_settings(policy, port)) or _hash(policy)


def destination_hash(rule: Item | None, destination: Mapping[str, Any]) -> Policy | None:
    """The consistent hash of a route's destination: subset's port, subset, port, rule.

    Like istiod it knows a port only where the destination names one.
    """
    if rule is None:
        return None
    port = (destination.get("port") or {}).get("number")
    policy = rule.spec.get("trafficPolicy")
    subset = subset_named(rule, destination.get("subset") or "")
    special = subset.get("trafficPolicy") if subset else None
    of_port = (_hash(_port_settings(one, port)) if port else None for one in (special, policy))
    subset_port, general_port = of_port
    return subset_port or _hash(special) or general_port or _hash(policy)


def _hash(policy: Policy | None) -> Policy | None:
    return ((policy or {}).get("loadBalancer") or {}).get("consistentHash")


def _port_settings(policy: Policy | None, port: int) -> Policy | None:
    settings = (policy or {}).get("portLevelSettings") or []
    return next((one for one in settings if one["port"]["number"] == port), None)


def _is_own(item: Item) -> bool:
    """Whether callers of its own namespace go by it first; those of the root namespace by what is private alone."""
    local = item.is_public or bool({".", item.namespace} & set(item.spec["exportTo"]))
    return local and (item.namespace != ROOT_NAMESPACE or _is_private(item))


def _is_private(item: Item) -> bool:
    return len(set(item.spec.get("exportTo") or [])) == 1 and item.spec["exportTo"][0] in (".", item.namespace)


def _by_host(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The rules of each host. One that is for the callers of an earlier one, or for more, is merged into that."""
    rules: dict[str, list[Item]] = {}
    for item in items:
        found = rules.setdefault(qualified(item.spec["host"], item.namespace), [])
        export = set(item.spec.get("exportTo") or [])
        apart = True
        for index, one in enumerate(found):
            others = set(one.spec.get("exportTo") or [])
            apart = export != others and not (others and export > others)
            if not apart:
                found[index] = _merge(one, item)
        # Like istiod: the last one that was compared decides.
        if apart:
            found.append(item)
    return rules


def _merge(first: Item, other: Item) -> Item:
    """The first one's policy, and the subsets of both."""
    spec = dict(first.spec)
    subsets = list(spec.get("subsets") or [])
    known = {subset["name"] for subset in subsets}
    spec["subsets"] = subsets + [one for one in other.spec.get("subsets") or [] if one["name"] not in known]
    if spec.get("trafficPolicy") is None:
        spec["trafficPolicy"] = other.spec.get("trafficPolicy")
    return Item(first.kind, first.namespace, first.name, spec)
