"""Random EnvoyFilters in the two shapes that mean something on a laptop; the schema alone leaves `value` open."""

from __future__ import annotations

import random
from typing import Any

_CONNECTIONS = "envoy.filters.network.http_connection_manager"
_TYPES = "type.googleapis.com/envoy.extensions.filters"
_RATE_LIMIT = f"{_TYPES}.http.local_ratelimit.v3.LocalRateLimit"
_SHARE = {"default_value": {"numerator": 100, "denominator": "MILLION"}}


def spec(chance: random.Random, *, edge: bool) -> dict[str, Any]:
    """One to three patches, for all workloads of the namespace or for some. `edge`: for the edge alone."""
    selectors: tuple[dict[str, Any], ...] = (
        {},
        {"workloadSelector": {"labels": {"app": "inference"}}},
        {"workloadSelector": {"labels": {"istio": "ingressgateway"}}},
        {"workloadSelector": {"labels": {}}},
    )
    count = chance.choice((1, 1, 2, 3))
    return {**chance.choice(selectors), "configPatches": [_patch(chance, edge=edge) for _ in range(count)]}


def _patch(chance: random.Random, *, edge: bool) -> dict[str, Any]:
    limits = chance.random() < 0.7
    one: dict[str, Any] = {"name": _CONNECTIONS}
    if limits and chance.random() < 0.6:
        one["subFilter"] = {"name": "envoy.filters.http.router"}
    listener: dict[str, Any] = {"filterChain": {"filter": one}}
    if chance.random() < 0.4:
        listener["portNumber"] = chance.choice((8080, 9090, 80))
    context = "GATEWAY" if edge else chance.choice(("SIDECAR_INBOUND", "SIDECAR_INBOUND", "GATEWAY"))
    return {
        "applyTo": "HTTP_FILTER" if limits else "NETWORK_FILTER",
        "match": {"context": context, "listener": listener},
        "patch": {"operation": "INSERT_BEFORE", "value": _rate_limit(chance)}
        if limits
        else {"operation": "MERGE", "value": _replies(chance)},
    }


def _rate_limit(chance: random.Random) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "stat_prefix": chance.choice(("a", "b")),
        "token_bucket": {"max_tokens": chance.choice((1, 100)), "fill_interval": chance.choice(("1s", "60s"))},
    }
    if chance.random() < 0.5:
        settings |= {"filter_enabled": _SHARE, "filter_enforced": _SHARE}
    if chance.random() < 0.3:
        settings["status"] = {"code": "ServiceUnavailable"}
    if chance.random() < 0.3:
        settings["response_headers_to_add"] = [{"header": {"key": "retry-after", "value": "1"}}]
    if chance.random() < 0.5:
        struct = chance.choice(("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"))
        typed = {"@type": f"type.googleapis.com/{struct}", "type_url": _RATE_LIMIT, "value": settings}
    else:
        typed = {"@type": _RATE_LIMIT, **settings}
    return {"name": "envoy.filters.http.local_ratelimit", "typed_config": typed}


def _replies(chance: random.Random) -> dict[str, Any]:
    form = {"text_format_source": {"inline_string": chance.choice(("%RESPONSE_CODE%", "no"))}}
    status = {"comparison": {"op": "GE", "value": {"default_value": chance.choice((400, 500)), "runtime_key": "a"}}}
    mapper = {"filter": {"status_code_filter": status}, "body_format_override": form}
    replies = chance.choice(({"body_format": form}, {"mappers": [mapper]}, {"body_format": form, "mappers": [mapper]}))
    manager = f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager"
    return {"typed_config": {"@type": manager, "local_reply_config": replies}}
