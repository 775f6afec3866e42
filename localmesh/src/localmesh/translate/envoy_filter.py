"""EnvoyFilter, as far as it is one of two shapes: a local rate limit, and what local replies look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from localmesh.translate.callers import Caller
from localmesh.translate.destination_rule import ROOT_NAMESPACE
from localmesh.translate.documents import Item
from localmesh.translate.fields_extensions import ROUTER

INBOUND, GATEWAY = "SIDECAR_INBOUND", "GATEWAY"


def patched(items: Sequence[Item], caller: Caller, context: str, port: int, settings: dict[str, Any]) -> dict[str, Any]:
    """An HTTP connection manager's settings with the patches for this workload and port."""
    out = dict(settings)
    for patch in _patches(items, caller, context, port):
        value = patch["patch"]["value"]
        if patch["applyTo"] == "NETWORK_FILTER":
            out = _merged(out, {"local_reply_config": value["typed_config"]["local_reply_config"]})
        else:
            out["http_filters"] = _inserted(out["http_filters"], value, patch["match"])
    return out


def _patches(items: Sequence[Item], caller: Caller, context: str, port: int) -> Iterator[dict[str, Any]]:
    """Those of the root namespace first."""
    for namespace in dict.fromkeys((ROOT_NAMESPACE, caller.namespace)):
        for item in items:
            labels = (item.spec.get("workloadSelector") or {}).get("labels") or {}
            if item.namespace != namespace or not labels.items() <= caller.labels.items():
                continue
            for patch in item.spec.get("configPatches") or []:
                match = patch["match"]
                if match["context"] == context and match["listener"].get("portNumber") in (None, port):
                    yield patch


def _inserted(filters: list[dict[str, Any]], new: dict[str, Any], match: dict[str, Any]) -> list[dict[str, Any]]:
    """Before the router where the match names it, else before all."""
    names = [one["name"] for one in filters]
    at = names.index(ROUTER) if match["listener"]["filterChain"]["filter"].get("subFilter") else 0
    return [*filters[:at], new, *filters[at:]]


def _merged(one: Any, other: Any) -> Any:  # noqa: ANN401 (JSON)
    """As protobuf merges: messages field by field, lists one after the other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{key: _merged(one[key], value) if key in one else value for key, value in other.items()}}
    return [*one, *other] if isinstance(one, list) and isinstance(other, list) else other
