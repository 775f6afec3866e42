"""ConnectionPoolSettings and retry budget → circuit breakers, and HTTP options of connections to a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import durations

UNLIMITED = 2**32 - 1
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def circuit_breakers(pool: Mapping[str, Any], budget: Mapping[str, Any] | None) -> dict[str, Any]:
    """How much may be under way at once; what is unset or 0 has no limit."""
    tcp, http = pool.get("tcp") or {}, pool.get("http") or {}
    threshold: dict[str, Any] = {
        "max_connections": tcp.get("maxConnections") or UNLIMITED,
        "max_pending_requests": http.get("http1MaxPendingRequests") or UNLIMITED,
        "max_requests": http.get("http2MaxRequests") or UNLIMITED,
        "max_retries": http.get("maxRetries") or UNLIMITED,
    }
    if budget is not None:
        percent = budget.get("percent")
        threshold["retry_budget"] = {
            "budget_percent": {"value": 20.0 if percent is None else float(percent)} if percent != 0 else {},
            "min_retry_concurrency": budget.get("minRetryConcurrency") or 3,
        }
    return {"thresholds": [threshold]}


def connect_timeout(pool: Mapping[str, Any]) -> str:
    """How long a TCP handshake may take, 10 s by default."""
    return durations.envoy((pool.get("tcp") or {}).get("connectTimeout") or "10s")


def keepalive(pool: Mapping[str, Any]) -> dict[str, Any] | None:
    """TCP keepalive, None unless asked for."""
    asked = (pool.get("tcp") or {}).get("tcpKeepalive")
    if asked is None:
        return None
    out: dict[str, Any] = {}
    if asked.get("probes"):
        out["keepalive_probes"] = asked["probes"]
    for ours in ("time", "interval"):
        if asked.get(ours) is not None:
            out[f"keepalive_{ours}"] = durations.whole_seconds(asked[ours])
    return {"tcp_keepalive": out}


def http_options(pool: Mapping[str, Any], *, http2: bool) -> dict[str, Any] | None:
    """HttpProtocolOptions of a cluster; None for HTTP/1.1 with nothing special. `http2`: the port speaks it."""
    http = pool.get("http") or {}
    downstream = bool(http.get("useClientProtocol"))
    http2 = http2 or (http.get("h2UpgradePolicy") == "UPGRADE" and not downstream)
    common = _common(pool)
    streams = http.get("maxConcurrentStreams") or 0
    if not (common or http2 or downstream or streams):
        return None
    out: dict[str, Any] = {"@type": f"type.googleapis.com/{OPTIONS}"}
    if common or streams or (pool.get("tcp") or {}).get("maxConnectionDuration"):
        out["common_http_protocol_options"] = common
    limit = {"max_concurrent_streams": streams} if streams else {}
    if downstream:
        out["use_downstream_protocol_config"] = {"http_protocol_options": {}, "http2_protocol_options": {}}
    elif http2:
        out["explicit_http_config"] = {"http2_protocol_options": limit}
    else:
        out["explicit_http_config"] = {"http_protocol_options": {}}
    return out


def _common(pool: Mapping[str, Any]) -> dict[str, Any]:
    tcp, http = pool.get("tcp") or {}, pool.get("http") or {}
    out: dict[str, Any] = {}
    idle = http.get("idleTimeout") if http.get("idleTimeout") is not None else tcp.get("idleTimeout")
    if idle is not None:
        out["idle_timeout"] = durations.envoy(idle)
    if http.get("maxRequestsPerConnection"):
        out["max_requests_per_connection"] = http["maxRequestsPerConnection"]
    if tcp.get("maxConnectionDuration") is not None:
        out["max_connection_duration"] = durations.envoy(tcp["maxConnectionDuration"])
    return out
