"""PeerAuthentication: whether a workload's port takes mTLS, plain text or both. The narrower scope wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import ROOT_NAMESPACE
from localmesh.translate.documents import Item
from localmesh.translate.selection import acting_on, selector

STRICT, PERMISSIVE, DISABLE = "STRICT", "PERMISSIVE", "DISABLE"


def mode(items: Sequence[Item], workload: Caller, port: int) -> str:
    """STRICT, PERMISSIVE (Istio's default) or DISABLE for a container port. Of equals the first by name counts."""
    acting = acting_on(workload, items)
    mesh = [item for item in acting if item.namespace == ROOT_NAMESPACE and not selector(item)]
    namespace = [item for item in acting if item.namespace != ROOT_NAMESPACE and not selector(item)]
    own = [item for item in acting if item.namespace != ROOT_NAMESPACE and selector(item)]
    found = PERMISSIVE
    for scope in (mesh, namespace, own):
        found = _mode(scope[0].spec.get("mtls"), found) if scope else found
    ports = {str(number): one for number, one in ((own[0].spec.get("portLevelMtls") or {}) if own else {}).items()}
    return _mode(ports.get(str(port)), found)


def _mode(mtls: dict[str, Any] | None, inherited: str) -> str:
    asked = (mtls or {}).get("mode") or "UNSET"
    return inherited if asked == "UNSET" else str(asked)
