"""CorsPolicy → the CORS filter's settings for one route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import durations
from localmesh.translate.percent import of_hundred
from localmesh.translate.string_match import matcher

FILTER = "envoy.filters.http.cors"
_TYPE = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"


def cors(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Origins, methods, headers; a preflight that matches no origin goes to the service unless IGNORE is said."""
    out: dict[str, Any] = {
        "@type": _TYPE,
        "filter_enabled": {"default_value": of_hundred(100)},
        "forward_not_matching_preflights": policy.get("unmatchedPreflights") != "IGNORE",
    }
    if policy.get("allowOrigins") is not None:
        origins = [matcher(origin) for origin in policy["allowOrigins"]]
    else:
        origins = [{"exact": origin} for origin in policy.get("allowOrigin") or []]
    if origins:
        out["allow_origin_string_match"] = origins
    for ours, envoys in (
        ("allowMethods", "allow_methods"),
        ("allowHeaders", "allow_headers"),
        ("exposeHeaders", "expose_headers"),
    ):
        if policy.get(ours):
            out[envoys] = ",".join(policy[ours])
    if policy.get("maxAge") is not None:
        out["max_age"] = str(durations.whole_seconds(policy["maxAge"]))
    if policy.get("allowCredentials") is not None:
        out["allow_credentials"] = policy["allowCredentials"]
    return out
