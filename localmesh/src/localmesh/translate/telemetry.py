"""Telemetry: whose requests are logged. The narrower scope wins: workload, namespace, mesh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmesh.mesh import Mesh
from localmesh.translate.callers import Caller
from localmesh.translate.documents import Item
from localmesh.translate.selection import acting_on, selector

CLIENT, SERVER = "CLIENT", "SERVER"


def access_log(mesh: Mesh, items: Sequence[Item], workload: Caller, side: str) -> str:
    """The file to log to, empty for none. `side`: CLIENT for what the workload calls, SERVER for what calls it."""
    on = bool(mesh.access_log)
    known = on
    for settings in _by_scope(acting_on(workload, items)):
        for one in settings:
            known = bool(one.get("providers")) or known
            mode = (one.get("match") or {}).get("mode") or "CLIENT_AND_SERVER"
            if known and side in mode:
                on = not one.get("disabled")
    return (mesh.access_log or mesh.log_file) if on else ""


def _by_scope(acting: Sequence[Item]) -> list[list[dict[str, Any]]]:
    """What each scope says of access logs, the widest first. Of equals the first by name counts."""
    namespaces = list(dict.fromkeys(item.namespace for item in acting))
    scopes = [[item for item in acting if item.namespace == one and not selector(item)] for one in namespaces]
    scopes.append([item for item in acting if selector(item)])
    return [scope[0].spec.get("accessLogging") or [] for scope in scopes if scope]
