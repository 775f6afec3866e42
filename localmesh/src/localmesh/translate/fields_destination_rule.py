"""The fields of a DestinationRule that are translated, and the words for those that are not."""

from __future__ import annotations

from math import isqrt
from typing import Any

from localmesh.translate import field_names
from localmesh.translate.field_values import (
    FieldError,
    boolean,
    duration,
    integer,
    label,
    number,
    one_of,
    some_text,
    text,
)
from localmesh.translate.fields import at_most_one, export_to, listing, message, refused, some_of, unique

_PORT = message(number=integer(1, 65535), required=("number",))
_UINT32 = integer(0, 2**32 - 1)

_COOKIE = message(
    name=some_text,
    path=text,
    ttl=duration(at_least="0s", step="1ns"),
    attributes=listing(message(name=some_text, value=text, required=("name",))),
    required=("name",),
    rules=(unique("attributes", "name"),),
)

_HASH_KEYS = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")


def _prime(value: object, path: str) -> None:
    integer(2, 5_000_010)(value, path)
    if isinstance(value, int) and any(value % factor == 0 for factor in range(2, isqrt(value) + 1)):
        raise FieldError(path, "must be a prime number")


_LOAD_BALANCER = message(
    simple=one_of("UNSPECIFIED", "LEAST_CONN", "RANDOM", "ROUND_ROBIN", "LEAST_REQUEST"),
    consistentHash=message(
        httpHeaderName=text,
        httpCookie=_COOKIE,
        useSourceIp=boolean,
        httpQueryParameterName=text,
        ringHash=message(minimumRingSize=integer(0, 8 * 1024 * 1024)),
        maglev=message(tableSize=_prime, required=("tableSize",)),
        minimumRingSize=integer(0, 8 * 1024 * 1024),
        rules=(at_most_one(*_HASH_KEYS), at_most_one("ringHash", "maglev", "minimumRingSize")),
    ),
    localityLbSetting=refused("all replicas of a laptop are in one place; leave it out"),
    warmupDurationSecs=duration(),
    warmup=message(
        duration=duration(),
        minimumPercent=number(0, 100),
        aggression=number(1, 1e9),
        required=("duration",),
    ),
    rules=(at_most_one("simple", "consistentHash"),),
)

_CONNECTION_POOL = message(
    tcp=message(
        maxConnections=integer(),
        connectTimeout=duration(),
        tcpKeepalive=message(probes=_UINT32, time=duration(), interval=duration()),
        maxConnectionDuration=duration(),
        idleTimeout=duration(at_least="0s"),
    ),
    http=message(
        http1MaxPendingRequests=integer(),
        http2MaxRequests=integer(),
        maxRequestsPerConnection=integer(),
        maxRetries=integer(),
        idleTimeout=duration(),
        h2UpgradePolicy=one_of("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"),
        useClientProtocol=boolean,
        maxConcurrentStreams=integer(),
        rules=(
            lambda http: (
                "useClientProtocol cannot go with h2UpgradePolicy UPGRADE"
                if http.get("useClientProtocol") and http.get("h2UpgradePolicy") == "UPGRADE"
                else None
            ),
        ),
    ),
    rules=(some_of("tcp", "http"),),
)

_OUTLIER_DETECTION = message(
    consecutive5xxErrors=_UINT32,
    consecutiveGatewayErrors=_UINT32,
    consecutiveLocalOriginFailures=_UINT32,
    splitExternalLocalOriginErrors=boolean,
    interval=duration(),
    baseEjectionTime=duration(),
    maxEjectionPercent=integer(0, 100),
    minHealthPercent=integer(0, 100),
    consecutiveErrors=refused("istiod no longer reads it; use consecutive5xxErrors"),
    rules=(
        lambda outlier: (
            "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true"
            if outlier.get("consecutiveLocalOriginFailures") and not outlier.get("splitExternalLocalOriginErrors")
            else None
        ),
    ),
)


def _tls_rules(tls: dict[str, Any]) -> str | None:
    """What istiod's own validation asks of them."""
    mode = tls.get("mode") or "DISABLE"
    files = [name for name in ("clientCertificate", "privateKey", "caCertificates") if tls.get(name)]
    if tls.get("insecureSkipVerify"):
        against = [name for name in ("caCertificates", "credentialName", "subjectAltNames") if tls.get(name)]
        if against:
            return f"{against[0]} cannot go with insecureSkipVerify"
    if mode == "ISTIO_MUTUAL" and (files or tls.get("credentialName") or tls.get("caCrl")):
        return "with ISTIO_MUTUAL the mesh gives each workload its certificate: name none"
    if tls.get("credentialName") and (files or tls.get("caCrl")):
        return "credentialName cannot go with files"
    if mode == "MUTUAL" and not tls.get("credentialName") and not {"clientCertificate", "privateKey"} <= set(files):
        return "MUTUAL needs clientCertificate and privateKey, or credentialName"
    return None


_TLS = message(
    mode=one_of("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"),
    clientCertificate=text,
    privateKey=text,
    caCertificates=text,
    credentialName=label,
    subjectAltNames=listing(text),
    sni=text,
    insecureSkipVerify=boolean,
    caCrl=text,
    rules=(_tls_rules,),
)

_TRAFFIC_POLICY = message(
    loadBalancer=_LOAD_BALANCER,
    connectionPool=_CONNECTION_POOL,
    outlierDetection=_OUTLIER_DETECTION,
    tls=_TLS,
    retryBudget=message(percent=number(0, 100), minRetryConcurrency=_UINT32),
    portLevelSettings=listing(
        message(
            port=_PORT,
            loadBalancer=_LOAD_BALANCER,
            connectionPool=_CONNECTION_POOL,
            outlierDetection=_OUTLIER_DETECTION,
            tls=_TLS,
            required=("port",),
            rules=(some_of("loadBalancer", "connectionPool", "outlierDetection", "tls"),),
        )
    ),
    tunnel=refused("call the destination directly"),
    proxyProtocol=refused("leave it out"),
    rules=(some_of("loadBalancer", "connectionPool", "outlierDetection", "tls", "retryBudget", "portLevelSettings"),),
)

DESTINATION_RULE = message(
    host=field_names.host,
    trafficPolicy=_TRAFFIC_POLICY,
    subsets=listing(message(name=label, labels=field_names.labels, trafficPolicy=_TRAFFIC_POLICY, required=("name",))),
    exportTo=export_to,
    workloadSelector=refused("every caller gets the same rule; use exportTo to choose namespaces"),
    required=("host",),
    rules=(unique("subsets", "name"),),
)
