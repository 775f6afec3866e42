"""The fields of a DestinationRule that are translated, and the words for those that are not."""

from __future__ import annotations

from math import isqrt

from localmesh.translate.fields import (
    FieldError,
    at_most_one,
    boolean,
    duration,
    export_to,
    integer,
    label,
    listing,
    mapping,
    message,
    number,
    one_of,
    refused,
    some_of,
    text,
    unique,
)

_PORT = message(number=integer(1, 65535), required=("number",))
_UINT32 = integer(0, 2**32 - 1)

_COOKIE = message(
    name=text,
    path=text,
    ttl=duration(at_least="0s", step="1ns"),
    attributes=listing(message(name=text, value=text, required=("name",))),
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


def _tls_mode(value: object, path: str) -> None:
    if value in ("SIMPLE", "MUTUAL"):
        raise FieldError(path, f"{value} is for services outside of the mesh; inside use ISTIO_MUTUAL or DISABLE")
    one_of("DISABLE", "ISTIO_MUTUAL")(value, path)


_OWN_CERTIFICATES = refused("the mesh gives each workload its certificate; use mode: ISTIO_MUTUAL")
_TLS = message(
    mode=_tls_mode,
    clientCertificate=_OWN_CERTIFICATES,
    privateKey=_OWN_CERTIFICATES,
    caCertificates=_OWN_CERTIFICATES,
    credentialName=_OWN_CERTIFICATES,
    subjectAltNames=_OWN_CERTIFICATES,
    sni=_OWN_CERTIFICATES,
    insecureSkipVerify=_OWN_CERTIFICATES,
    caCrl=_OWN_CERTIFICATES,
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
    host=text,
    trafficPolicy=_TRAFFIC_POLICY,
    subsets=listing(message(name=label, labels=mapping(text), trafficPolicy=_TRAFFIC_POLICY, required=("name",))),
    exportTo=export_to,
    workloadSelector=refused("every caller gets the same rule; use exportTo to choose namespaces"),
    required=("host",),
    rules=(unique("subsets", "name"),),
)
