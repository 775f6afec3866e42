"""What the fields of Istio's documents are filled with, by the field's name: few values, so that documents meet."""

from __future__ import annotations

_HOSTS = ("inference", "payment", "inference.inkmesh.svc.cluster.local", "payment.inkmesh.svc.cluster.local")
_DURATIONS = (
    *("0s", "1ms", "1ms", "250ms", "250ms", "0.5s", "1s", "1s", "1.5s", "2s", "2.5s", "10s", "30s", "1m", "1h30m"),
    *("1h",),
)
_HEADERS = ("x-user", "x-cohort", "cookie", "user-agent")
_WORDS = ("a", "beta", "v1", "x-y", "1")
_PATHS = ("/", "/api", "/api/", "/v2/models", "*", "/a*", "*/b", "/{*}/c", "/x/{**}")
_CIDRS = ("10.0.0.0/8", "10.1.2.3/8", "192.168.1.7", "2001:DB8::/32", "2001:db8:0::1", "0.0.0.0/0")
_NUMBERS = ("8080", "9090", "443")
_PRINCIPALS = ("*", "cluster.local/ns/inkmesh/sa/default", "cluster.local/ns/*", "*/sa/payment.v1")
_METHODS = ("GET", "POST", "*", "P*")
_CERTIFICATES = ("/etc/certs/a.pem", "system")
_RETRIES = ("5xx", "gateway-error,reset", "connect-failure, 503", "retriable-4xx,429", "unavailable,cancelled", "503")
_WHEN = (
    "request.headers[x-user]",
    "request.auth.claims[group]",
    "request.auth.claims[realm][roles]",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "destination.ip",
    "destination.port",
    "connection.sni",
)

STRINGS: dict[str, tuple[str, ...]] = {
    "action": ("ALLOW", "DENY", "AUDIT"),
    "address": ("127.0.7.1", "api.example.com"),
    "addresses[]": ("10.1.2.3", "10.1.2.3", "10.1.2.4", "10.2.0.0/16"),
    "audiences[]": ("shop", "bank"),
    "authority": ("shop.example.com", "inference"),
    "bind": ("127.0.0.1",),
    "bytes": ("YQ==",),
    "caCertificates": _CERTIFICATES,
    "claim": ("sub", "group"),
    "clientCertificate": _CERTIFICATES,
    "credentialName": ("edge-tls",),
    "fromCookies[]": ("token",),
    "fromParams[]": ("token",),
    "from": ("region1/zone1/*", "region1"),
    "Gateway spec.servers[].hosts[]": (
        *("*", "*.example.com", "shop.example.com", "inference.inkmesh.svc.cluster.local", "inkmesh/shop.example.com"),
        *("./*", "visitors/*", "*/a.example.com"),
    ),
    "Gateway spec.servers[].tls.cipherSuites[]": ("ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA"),
    "ServiceEntry spec.hosts[]": (
        *("bank.example.com", "shop.example.com", "api.example.com", "payment", "post.example.com"),
        *("bank.example.com", "shop.example.com", "api.example.com", "*.example.com"),
    ),
    "ServiceEntry spec.addresses[]": ("10.1.2.3", "10.1.2.4", "2001:db8::1"),
    "ServiceEntry spec.resolution": ("STATIC", "DNS", "DNS_ROUND_ROBIN"),
    "VirtualService spec.http[].delegate.name": ("leaf",),
    "resolution": ("STATIC", "DNS"),
    "gateway": ("inkmesh/edge",),
    "gateways[]": ("mesh", "edge", "inkmesh/edge", "other/edge"),
    "header": ("x-sub", "x-group"),
    "host": (*_HOSTS, "*.inkmesh.svc.cluster.local", "api.example.com"),
    "egress[].hosts[]": ("./*", "*/*", "./inference.inkmesh.svc.cluster.local", "visitors/*", "inkmesh/*"),
    "endpoints[].address": ("127.0.7.1", "127.0.7.2", "api.example.com"),
    "metrics[].providers[].name": ("prometheus",),
    "accessLogging[].providers[].name": ("envoy",),
    "servers[].port.protocol": (*("HTTP",) * 5, *("HTTPS",) * 3, "GRPC", "HTTP2", "TCP"),
    "hosts[]": (*_HOSTS, *_HOSTS, "*", "*.example.com", "shop.example.com"),
    "httpHeaderName": _HEADERS,
    "httpQueryParameterName": ("user", "q"),
    "ipBlocks[]": _CIDRS,
    "issuer": ("https://a.example.com", "https://b.example.com"),
    "jwks": ('{"keys": []}',),
    "jwksUri": ("https://a.example.com/keys",),
    "key": _WHEN,
    "methods[]": _METHODS,
    "allowMethods[]": ("GET", "POST"),
    "name": ("v1", "v2", "http", "x-user", "edge"),
    "namespaces[]": ("inkmesh", "visitors", "*", "team.a", "v*.b"),
    "namespace": ("inkmesh", "visitors"),
    "sourceNamespace": ("inkmesh", "visitors"),
    "path": ("/", "/api"),
    "paths[]": _PATHS,
    "ports[]": _NUMBERS,
    "prefix": ("/", "/api", "/api/", "Bearer ", "a"),
    "principals[]": _PRINCIPALS,
    "privateKey": _CERTIFICATES,
    "protocol": ("HTTP", "HTTPS", "GRPC", "HTTP2", "TCP", "TLS"),
    "regex": (".*", "*", "a+", "^/v[0-9]+/.*$", ".+", "(?i)a", r"\pL+", "[[:alpha:]]", "a|b", "(unclosed"),
    "remoteIpBlocks[]": _CIDRS,
    "requestPrincipals[]": ("*", "https://a.example.com/*", "*/sub", "*/*", "a/b*", "c", "https://b.example.com/me"),
    "retryOn": _RETRIES,
    "rewrite": ("/new\\1", "/x"),
    "match": ("^/a/(.*)$", "/b"),
    "scheme": ("http", "https"),
    "serverCertificate": _CERTIFICATES,
    "serviceAccount": ("payment", "inference"),
    "serviceAccounts[]": ("payment", "inkmesh/payment"),
    "sni": ("api.example.com",),
    "string": ("busy", "{}"),
    "subjectAltNames[]": ("api.example.com", "spiffe://cluster.local/ns/inkmesh/sa/payment"),
    "subset": ("v1", "v2", "v3"),
    "targetHost": ("api.example.com",),
    "uri": ("/", "/new", "/new/"),
    "value": ("a", "beta"),
    "values[]": ("a", "beta*", "*", "10.0.0.0/8", "8080", "inkmesh"),
}
STRINGS |= dict.fromkeys(
    (
        *("backoff", "baseEjectionTime", "connectTimeout", "duration", "fixedDelay", "idleTimeout", "interval"),
        *("maxAge", "maxConnectionDuration", "perTryTimeout", "reportingInterval", "time", "timeout", "ttl"),
        "warmupDurationSecs",
    ),
    _DURATIONS,
)
"""Field → what it may say; a field `notX[]` says what `X[]` says."""


KEYS: dict[str, tuple[str, ...]] = {
    "response.set": ("x-new", "x-user"),
    "response.add": ("x-new", "x-user"),
    "headers": (*_HEADERS, ":method"),
    "withoutHeaders": _HEADERS,
    "queryParams": ("q", "user"),
    "set": ("x-user", "host", ":authority", "x-new", "X-Other"),
    "add": ("x-user", "x-new"),
    "matchLabels": ("app", "version"),
    "labels": ("version", "app"),
    "sourceLabels": ("app", "version"),
    "selector": ("istio",),
    "ports": ("http",),
    "portLevelMtls": ("8080", "9090", "7"),
    "to": ("region1/zone1/*", "region2"),
    "tagOverrides": ("response_code", "destination_port"),
}
"""A mapping's field → its free names."""
MEMBERS: dict[str, tuple[str, ...]] = {
    "app": ("inference", "payment", "gateway"),
    "version": ("v1", "v2"),
    "istio": ("ingressgateway",),
}
"""A free name → its values, where those matter."""
INTEGERS: dict[str, tuple[int, ...]] = {
    "number": (80, 443, 8080, 9090),
    "port": (8080, 9090, 80),
    "targetPort": (8080,),
    "portNumber": (8080,),
    "weight": (0, 1, 10, 50, 90, 100),
    "attempts": (0, 1, 2, 3, 5),
    "httpStatus": (400, 503, 200),
    "status": (200, 418, 503),
    "redirectCode": (301, 302, 307, 308),
    "maxEjectionPercent": (0, 10, 100),
    "minHealthPercent": (0, 50),
    "percent": (0, 5, 100),
    "mirrorPercent": (0, 50),
    "minimumRingSize": (1, 1024, 5000),
    "tableSize": (65537, 5),
}
"""Field → numbers; others are small."""


FRACTIONS: dict[str, tuple[float, ...]] = {"aggression": (1, 1.5, 2), "randomSamplingPercentage": (0, 1.5, 100)}
"""Field → numbers with a point."""


SINGLE = ("Sidecar spec.egress",)
"""Lists of one entry."""


NEEDED: dict[str, tuple[str, ...]] = {
    "*.connectionPool": ("http|tcp",),
    "*.http[].delegate": ("name",),
    "*.http[].fault": ("delay|abort",),
    "*.http[].fault.delay": ("fixedDelay",),
    "*.http[].fault.abort": ("httpStatus|grpcStatus",),
    "*.http[].redirect": ("uri|authority|port|scheme",),
    "*.http[].rewrite": ("uri|uriRegexRewrite|authority",),
    "*.uriRegexRewrite": ("match", "rewrite"),
    "*.outlierDetection": ("consecutive5xxErrors|consecutiveGatewayErrors|interval|splitExternalLocalOriginErrors",),
    "*.portLevelSettings[]": ("port", "loadBalancer|connectionPool|outlierDetection|tls"),
    "*.portLevelSettings[].port": ("number",),
    "PeerAuthentication spec.selector": ("matchLabels",),
    "VirtualService spec": ("hosts", "http"),
    "VirtualService spec.http[]": ("route|route|route|route|redirect|directResponse|delegate",),
    "VirtualService spec.http[].route[]": ("destination",),
    "VirtualService spec.http[].route[].destination.port": ("number",),
    "VirtualService spec.http[].mirrors[]": ("destination",),
    "DestinationRule spec": ("host", "trafficPolicy|subsets"),
    "DestinationRule spec.trafficPolicy": ("loadBalancer|connectionPool|outlierDetection|tls|portLevelSettings",),
    "DestinationRule spec.subsets[]": ("labels",),
    "DestinationRule spec.subsets[].trafficPolicy": ("loadBalancer|connectionPool|outlierDetection",),
    "Gateway spec": ("selector", "servers"),
    "Gateway spec.servers[]": ("hosts", "port"),
    "Gateway spec.servers[].port": ("number", "name", "protocol"),
    "ServiceEntry spec": ("hosts", "ports", "resolution", "location"),
    "ServiceEntry spec.ports[]": ("number", "name", "protocol"),
    "ServiceEntry spec.endpoints[]": ("address",),
    "Sidecar spec": ("egress",),
    "Sidecar spec.egress[]": ("hosts",),
    "RequestAuthentication spec": ("jwtRules",),
    "RequestAuthentication spec.jwtRules[]": ("issuer", "jwks|jwksUri"),
    "PeerAuthentication spec": ("selector",),
    "AuthorizationPolicy spec": ("rules",),
    "AuthorizationPolicy spec.rules[].from[].source": (
        "principals|notPrincipals|namespaces|ipBlocks|requestPrincipals",
    ),
    "AuthorizationPolicy spec.rules[].to[].operation": ("paths|notPaths|methods|ports|hosts",),
    "AuthorizationPolicy spec.rules[].from[]": ("source",),
    "AuthorizationPolicy spec.rules[].to[]": ("operation",),
    "AuthorizationPolicy spec.rules[].when[]": ("values|values|notValues",),
    "Telemetry spec": ("metrics|accessLogging",),
    "Telemetry spec.metrics[]": ("providers",),
    "Telemetry spec.accessLogging[]": ("providers",),
}
"""What a document needs to mean something, though its schema does not say so: `KIND PATH` → fields, or one of some."""


def needed(path: str) -> list[str]:
    """Of `KIND PATH`, by the whole of it or its end."""
    return [one for known, fields in NEEDED.items() if _is_end(known, path) for one in fields]


def keys(path: str, field: str) -> tuple[str, ...]:
    """The names that a mapping may have."""
    longer = (found for known, found in KEYS.items() if "." in known and path.endswith(f".{known}"))
    return next(longer, KEYS.get(field, ("a", "b")))


def _is_end(known: str, path: str) -> bool:
    return path.endswith(known[1:]) if known.startswith("*") else path == known


def strings(path: str) -> tuple[str, ...]:
    """What a text field may say, by its `KIND PATH` or its path's end; without values of its own, some words."""
    if path in STRINGS:
        return STRINGS[path]
    for known, found in STRINGS.items():
        if "." in known and path.endswith(f".{known}"):
            return found
    field = path.rpartition(".")[2]
    plain = field.removeprefix("not")
    return STRINGS.get(field) or STRINGS.get(plain[:1].lower() + plain[1:]) or _WORDS
