"""Which documents act on a workload: those of the root namespace and of its own, where their selector takes it in."""

from __future__ import annotations

from collections.abc import Iterable

from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import ROOT_NAMESPACE
from localmesh.translate.documents import Item


def acting_on(caller: Caller, items: Iterable[Item]) -> list[Item]:
    """The root namespace's first, then the workload's own."""
    found = [item for item in items if item.namespace in (ROOT_NAMESPACE, caller.namespace) and _takes(item, caller)]
    return sorted(found, key=lambda item: item.namespace != ROOT_NAMESPACE)


def selector(item: Item) -> dict[str, str]:
    """The labels that a workload needs; none for all workloads of the namespace."""
    found: dict[str, str] = (item.spec.get("selector") or {}).get("matchLabels") or {}
    return found


def _takes(item: Item, caller: Caller) -> bool:
    return selector(item).items() <= caller.labels.items()
