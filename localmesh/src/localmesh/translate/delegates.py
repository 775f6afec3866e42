"""A VirtualService whose routes are another's: the root's `delegate` gives way to the delegate's routes.

A delegate has no hosts. Its matches must lie within the root's; a route whose matches do not is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from localmesh.translate.documents import Documents, Item
from localmesh.translate.hosts import qualified

_INHERITED = (
    *("rewrite", "timeout", "retries", "fault", "mirror", "mirrors", "mirrorPercent", "mirrorPercentage"),
    *("corsPolicy", "headers"),
)
_TEXTS = ("uri", "scheme", "method", "authority")
_MAPS = ("headers", "withoutHeaders", "queryParams")

Match = Mapping[str, Any]


def resolved(read: Documents) -> Documents:
    """The same documents without delegates: VirtualServices have hosts, and routes of their own."""
    items = read.virtual_services
    delegates = {(item.namespace, item.name): item for item in items if not item.spec.get("hosts")}
    whole = tuple(_with_routes(item, delegates) for item in items if item.spec.get("hosts"))
    return replace(read, virtual_services=whole)


def _with_routes(root: Item, delegates: Mapping[tuple[str, str], Item]) -> Item:
    rules: list[Mapping[str, Any]] = []
    for rule in root.spec["http"]:
        named = rule.get("delegate")
        if not named:
            rules.append(rule)
            continue
        delegate = delegates.get((named.get("namespace") or root.namespace, named["name"]))
        if delegate is not None and delegate.visible_in(root.namespace):
            rules += _merged(rule, delegate)
    return replace(root, spec={**root.spec, "http": rules})


def _merged(root: Mapping[str, Any], delegate: Item) -> Iterator[Mapping[str, Any]]:
    for rule in delegate.spec["http"]:
        matches = _matches(root.get("match") or [], rule.get("match") or [])
        if matches is None:
            continue
        inherited = {key: root[key] for key in _INHERITED if root.get(key) is not None}
        out = {**inherited, **{key: value for key, value in rule.items() if value is not None}}
        out["match"] = matches
        out["name"] = "-".join(name for name in (root.get("name"), rule.get("name")) if name)
        yield _with_full_names(out, delegate.namespace)


def _with_full_names(rule: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Short names are meant within the delegate's namespace."""

    def full(destination: Mapping[str, Any]) -> dict[str, Any]:
        return {**destination, "host": qualified(destination["host"], namespace)}

    for key in ("route", "mirrors"):
        if rule.get(key):
            rule[key] = [{**one, "destination": full(one["destination"])} for one in rule[key]]
    if rule.get("mirror"):
        rule["mirror"] = full(rule["mirror"])
    return rule


def _matches(roots: Sequence[Match], leaves: Sequence[Match]) -> list[Match] | None:
    """All pairs that go together; None when some match of the delegate has no place in the root's."""
    if not roots or not leaves:
        return [*roots, *leaves]
    found: list[Match] = []
    for leaf in leaves:
        within = [_match(root, leaf) for root in roots if not _conflict(root, leaf)]
        if not within:
            return None
        found += within
    return found


def _match(root: Match, leaf: Match) -> Match:
    out = {**root, **{key: value for key, value in leaf.items() if value not in (None, "", [])}}
    for key in _MAPS:
        if root.get(key) or leaf.get(key):
            out[key] = {**(root.get(key) or {}), **(leaf.get(key) or {})}
    name = "-".join(one for one in (root.get("name"), leaf.get("name")) if one)
    return {**out, "name": name} if name else out


def _conflict(root: Match, leaf: Match) -> bool:
    if any(_outside(root.get(key), leaf.get(key)) for key in _TEXTS):
        return True
    if any(
        _outside((root.get(key) or {}).get(name), one) for key in _MAPS for name, one in (leaf.get(key) or {}).items()
    ):
        return True
    # A delegate's match names no namespace, and so is never within one that does.
    if bool(root.get("ignoreUriCase")) != bool(leaf.get("ignoreUriCase")) or root.get("sourceNamespace"):
        return True
    return bool(root.get("port") and leaf.get("port") and root["port"] != leaf["port"])


def _outside(root: Mapping[str, str] | None, leaf: Mapping[str, str] | None) -> bool:
    """Whether the delegate's string match allows what the root's does not; of regular expressions nobody can say."""
    if root is None or leaf is None:
        return False
    if root.get("regex") or leaf.get("regex"):
        return True
    if root.get("exact"):
        return leaf.get("exact") != root["exact"]
    wanted = leaf.get("prefix") or leaf.get("exact") or ""
    return not (root.get("prefix") and wanted.startswith(root["prefix"]))
