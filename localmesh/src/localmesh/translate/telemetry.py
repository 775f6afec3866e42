"""Telemetry: whose requests are logged. The narrower scope wins: workload, namespace, mesh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localmesh.mesh import Mesh
from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import ROOT_NAMESPACE
from localmesh.translate.documents import Item
from localmesh.translate.errors import Unsupported
from localmesh.translate.selection import acting_on, selector

CLIENT, SERVER = "CLIENT", "SERVER"


def access_log(mesh: Mesh, items: Sequence[Item], workload: Caller, side: str) -> str:
    """The file to log to, empty for none. `side`: CLIENT for what the workload calls, SERVER for what calls it.

    Settings without providers go on with those before them; without any for this side they say nothing. Raises
    Unsupported.
    """
    on = has_provider = bool(mesh.access_log)
    settings = [one for item in _by_scope(items, workload) for one in item.spec.get("accessLogging") or []]
    if not on and not any(one.get("providers") and _is_for(one, side) for one in settings):
        return ""
    for one in settings:
        has_provider = has_provider or bool(one.get("providers"))
        if has_provider and _is_for(one, side):
            on = not one.get("disabled")
    return (mesh.access_log or mesh.log_file) if on else ""


def _is_for(settings: Mapping[str, Any], side: str) -> bool:
    return side in ((settings.get("match") or {}).get("mode") or "CLIENT_AND_SERVER")


def _by_scope(items: Sequence[Item], workload: Caller) -> Iterator[Item]:
    """The root namespace's, the namespace's, the workload's. Of those without a selector the first by name counts.

    Two that select a workload are refused: what istiod makes of them depends on which workload it is asked for first.
    """
    acting = acting_on(workload, items)
    for namespace in dict.fromkeys((ROOT_NAMESPACE, workload.namespace)):
        general = [item for item in acting if item.namespace == namespace and not selector(item)]
        yield from general[:1]
    own = [item for item in acting if item.namespace == workload.namespace and selector(item)]
    if len(own) > 1:
        raise Unsupported(
            own[1].file,
            f"Telemetry {own[1].namespace}/{own[1].name}",
            "spec.selector",
            f"it selects {workload.name}, as {own[0].name} does: let one Telemetry select a workload",
        )
    yield from own
