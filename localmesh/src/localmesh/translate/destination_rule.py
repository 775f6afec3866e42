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
        self._found: dict[str, Item | None] = {}

    def of(self, host: str) -> Item | None:
        """The rule for a service: the caller's namespace first, then the service's, then istio-system."""
        if host not in self._homes:
            return None
        if host not in self._found:
            self._found[host] = self._find(host)
        return self._found[host]

    def _find(self, host: str) -> Item | None:
        if self._namespace != ROOT_NAMESPACE:
            own = [item for item in self._items if item.namespace == self._namespace]
        else:
            own = [item for item in self._items if item.namespace == ROOT_NAMESPACE and _is_private(item)]
        own = [item for item in own if _is_local(item)]
        for candidates in (own, self._exported(self._homes[host]), self._exported(ROOT_NAMESPACE)):
            if (found := most_specific(host, _merged(candidates))) is not None:
                return found
        return None

    def _exported(self, namespace: str) -> list[Item]:
        return [
            item
            for item in self._items
            if item.namespace == namespace and not _is_private(item) and item.visible_in(self._namespace)
        ]


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


def _is_local(item: Item) -> bool:
    export = item.spec.get("exportTo") or []
    return not export or bool({"*", ".", item.namespace} & set(export))


def _is_private(item: Item) -> bool:
    return len(set(item.spec.get("exportTo") or [])) == 1 and item.spec["exportTo"][0] in (".", item.namespace)


def _merged(items: Sequence[Item]) -> dict[str, Item]:
    """One rule a host: the first one's policy, and the subsets of all."""
    rules: dict[str, Item] = {}
    for item in items:
        host = qualified(item.spec["host"], item.namespace)
        rules[host] = _merge(rules[host], item) if host in rules else item
    return rules


def _merge(first: Item, other: Item) -> Item:
    spec = dict(first.spec)
    subsets = list(spec.get("subsets") or [])
    known = {subset["name"] for subset in subsets}
    spec["subsets"] = subsets + [one for one in other.spec.get("subsets") or [] if one["name"] not in known]
    if spec.get("trafficPolicy") is None:
        spec["trafficPolicy"] = other.spec.get("trafficPolicy")
    return Item(first.kind, first.namespace, first.name, spec)
