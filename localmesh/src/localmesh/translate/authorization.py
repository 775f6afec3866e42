"""AuthorizationPolicies → Envoy's RBAC filters: AUDIT, then DENY, then ALLOW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmesh.translate.callers import Caller
from localmesh.translate.documents import Item
from localmesh.translate.rbac_rules import envoy_policy
from localmesh.translate.selection import acting_on

NAME = "envoy.filters.http.rbac"
_TYPE = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
_ACTIONS = {"AUDIT": "LOG", "DENY": "DENY", "ALLOW": "ALLOW"}
_SHADOW_PREFIX = {"LOG": "", "DENY": "istio_dry_run_deny_", "ALLOW": "istio_dry_run_allow_"}
_NEVER = {"permissions": [{"not_rule": {"any": True}}], "principals": [{"not_id": {"any": True}}]}


def authorization(items: Sequence[Item], caller: Caller) -> list[dict[str, Any]]:
    """The filters of a workload, one an action that some policy has."""
    acting = acting_on(caller, items)
    found = []
    for ours, action in _ACTIONS.items():
        policies = [item for item in acting if (item.spec.get("action") or "ALLOW") == ours]
        if policies:
            found.append({"name": NAME, "typed_config": {"@type": _TYPE, **_settings(policies, action)}})
    return found


def _settings(policies: Sequence[Item], action: str) -> dict[str, Any]:
    enforced = [item for item in policies if not item.dry_run]
    tried = [item for item in policies if item.dry_run]
    found: dict[str, Any] = {}
    if enforced:
        found["rules"] = _rules(enforced, action)
    if tried:
        found["shadow_rules"] = _rules(tried, action)
    # istiod's own default for what has no shadow rules.
    prefix = _SHADOW_PREFIX[action if tried else "ALLOW"]
    return {**found, "shadow_rules_stat_prefix": prefix} if prefix else found


def _rules(policies: Sequence[Item], action: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in policies:
        rules = item.spec.get("rules") or []
        for index, rule in enumerate(rules):
            found[_key(item, index)] = envoy_policy(rule or {}, item.namespace)
        if not rules:
            found[_key(item, 0)] = _NEVER
    # In JSON a default is left out: ALLOW is one.
    return {"policies": found} if action == "ALLOW" else {"action": action, "policies": found}


def _key(item: Item, index: int) -> str:
    return f"ns[{item.namespace}]-policy[{item.name}]-rule[{index}]"
