"""The fields of a VirtualService that are translated, and the words for those that are not."""

from __future__ import annotations

from base64 import b64decode
from itertools import combinations
from typing import Any

from localmesh.translate import field_names
from localmesh.translate.callers import MESH
from localmesh.translate.fault import GRPC_STATUS
from localmesh.translate.field_values import (
    Check,
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
from localmesh.translate.fields import at_most_one, described, export_to, listing, mapping, message, refused, some_of
from localmesh.translate.fields_http_match import HTTP_MATCH, STRING_MATCH
from localmesh.translate.hosts import matches
from localmesh.translate.retries import CONDITIONS, unknown_conditions


def _percentage(value: object, path: str) -> None:
    number(0, 100)(value, path)
    if isinstance(value, (int, float)) and 0 < value < 0.0001:
        raise FieldError(path, "must be 0, or 0.0001 at least, a millionth")


_PERCENT = message(value=_percentage)
_PORT = message(number=integer(1, 65535), required=("number",))
_DESTINATION = message(host=field_names.destination, subset=label, port=_PORT, required=("host",))
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*")


def _changeable(name: object, path: str) -> None:
    some_text(name, path)
    if str(name).startswith(":") or str(name).lower() == "host":
        raise FieldError(path, "can only be set or added on a request, where it means the host")


def _settable(name: object, path: str) -> None:
    if str(name).lower() not in ("host", ":authority"):
        _changeable(name, path)


def _changes(name: Check) -> Check:
    values = mapping(field_names.header_value, name)
    return message(set=values, add=values, remove=listing(_changeable))


_HEADERS = message(request=_changes(_settable), response=_changes(_changeable))


def _attempts(retries: dict[str, Any]) -> str | None:
    extra = [name for name in ("perTryTimeout", "retryOn", "retryRemoteLocalities") if retries.get(name)]
    return f"{extra[0]} needs attempts above 0" if extra and not retries.get("attempts") else None


def _conditions(value: object, path: str) -> None:
    text(value, path)
    if unknown := unknown_conditions(str(value)):
        raise FieldError(path, f"{unknown[0]!r} is not known; known: status codes, {', '.join(sorted(CONDITIONS))}")


_RETRIES = message(
    attempts=integer(),
    perTryTimeout=duration(),
    retryOn=_conditions,
    retryRemoteLocalities=boolean,
    retryIgnorePreviousHosts=boolean,
    backoff=duration(),
    rules=(_attempts,),
)

_FAULT = message(
    delay=message(
        fixedDelay=duration(),
        percentage=_PERCENT,
        percent=integer(0, 100),
        exponentialDelay=refused("use fixedDelay"),
        required=("fixedDelay",),
    ),
    abort=message(
        httpStatus=integer(200, 599),
        grpcStatus=one_of(*GRPC_STATUS),
        percentage=_PERCENT,
        http2Error=refused("use httpStatus or grpcStatus"),
        rules=(at_most_one("httpStatus", "grpcStatus"), some_of("httpStatus", "grpcStatus")),
    ),
    rules=(some_of("delay", "abort"),),
)


def _redirect_code(value: object, path: str) -> None:
    if value not in (301, 302, 303, 307, 308):
        raise FieldError(path, "must be 301, 302, 303, 307 or 308")


_REDIRECT = message(
    uri=text,
    authority=text,
    port=integer(1, 65535),
    derivePort=one_of("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"),
    scheme=one_of("http", "https"),
    redirectCode=_redirect_code,
    rules=(at_most_one("port", "derivePort"), some_of("uri", "authority", "port", "derivePort", "scheme")),
)


def _base64(value: object, path: str) -> None:
    text(value, path)
    try:
        b64decode(str(value), validate=True)
    except ValueError:
        raise FieldError(path, "must be base64; text goes into string") from None


_DIRECT_RESPONSE = message(
    status=integer(200, 599),
    body=message(string=text, bytes=_base64, rules=(at_most_one("string", "bytes"),)),
    required=("status",),
)

_REWRITE = message(
    uri=text,
    authority=text,
    uriRegexRewrite=message(match=field_names.regex, rewrite=some_text, required=("match", "rewrite")),
    rules=(at_most_one("uri", "uriRegexRewrite"), some_of("uri", "uriRegexRewrite", "authority")),
)


def _cors_header(name: object, path: str) -> None:
    if name != "*":
        field_names.header(name, path)


def _origin(value: object, path: str) -> None:
    STRING_MATCH(value, path)
    if isinstance(value, dict) and not any(value.values()):
        raise FieldError(path, "needs exact, prefix or regex")


_CORS = message(
    allowOrigins=listing(described(STRING_MATCH, _origin)),
    allowOrigin=listing(text),
    allowMethods=listing(one_of(*_METHODS)),
    allowHeaders=listing(_cors_header),
    exposeHeaders=listing(_cors_header),
    maxAge=duration(step="1s"),
    allowCredentials=boolean,
    unmatchedPreflights=one_of("UNSPECIFIED", "FORWARD", "IGNORE"),
)


def _one_action(route: dict[str, Any]) -> str | None:
    actions = [name for name in ("route", "redirect", "directResponse", "delegate") if route.get(name)]
    if len(actions) != 1:
        return "needs exactly one of route, redirect, directResponse, delegate"
    extra = [name for name in ("fault", "rewrite") if route.get(name) is not None]
    return f"{extra[0]} cannot go with {actions[0]}" if extra and actions[0] not in ("route", "delegate") else None


def _some_weight(route: dict[str, Any]) -> str | None:
    destinations = route.get("route") or []
    if len(destinations) > 1 and not any(one.get("weight") for one in destinations):
        return "the weights of its destinations add up to 0"
    return None


def _one_host(route: dict[str, Any]) -> str | None:
    request = (route.get("headers") or {}).get("request") or {}
    names = [name.lower() for kind in ("set", "add") for name in request.get(kind) or {}]
    hosts = sum(name in ("host", ":authority") for name in names)
    rewritten = bool((route.get("rewrite") or {}).get("authority"))
    return "the host is set more than once" if hosts + rewritten > 1 else None


_HTTP_ROUTE = message(
    name=text,
    match=listing(HTTP_MATCH),
    route=listing(message(destination=_DESTINATION, weight=integer(), headers=_HEADERS, required=("destination",))),
    redirect=_REDIRECT,
    directResponse=_DIRECT_RESPONSE,
    delegate=message(name=text, namespace=label, required=("name",)),
    rewrite=_REWRITE,
    timeout=duration(),
    retries=_RETRIES,
    fault=_FAULT,
    mirror=_DESTINATION,
    mirrors=listing(message(destination=_DESTINATION, percentage=_PERCENT, required=("destination",))),
    mirrorPercent=integer(0, 100),
    mirrorPercentage=_PERCENT,
    corsPolicy=_CORS,
    headers=_HEADERS,
    rules=(_one_action, _some_weight, _one_host, at_most_one("mirror", "mirrors")),
)


def _no_root(spec: dict[str, Any]) -> str | None:
    """What a delegate, which has no hosts, may not have either."""
    if spec.get("gateways"):
        return "a VirtualService without hosts is a delegate: its gateways are those of the one that names it"
    if any(rule.get("delegate") for rule in spec["http"]):
        return "a VirtualService without hosts is a delegate, and cannot delegate further"
    matches = [match for rule in spec["http"] for match in rule.get("match") or []]
    named = {name for match in matches for name in ("sourceLabels", "sourceNamespace", "gateways") if match.get(name)}
    return f"a delegate's match cannot have {min(named)}" if named else None


def _distinct_hosts(spec: dict[str, Any]) -> str | None:
    gateways = spec.get("gateways") or [MESH]
    if not spec.get("hosts"):
        return _no_root(spec)
    if "*" in spec["hosts"] and MESH in gateways:
        return "the host * is for gateways; name the services, or the gateways without mesh"
    twice = [pair for pair in combinations(spec["hosts"], 2) if matches(*pair)]
    return f"the hosts {' and '.join(twice[0])} overlap" if twice else None


# A sidecar takes whatever bytes its pod sends; a laptop's processes have ways out for HTTP, by address and port.
_HTTP_ALONE = "each way through the laptop's Envoy speaks HTTP alone; use http routes"
VIRTUAL_SERVICE = message(
    hosts=listing(field_names.or_address(field_names.host)),
    gateways=listing(field_names.gateway),
    http=listing(_HTTP_ROUTE, at_least=1),
    tls=refused(_HTTP_ALONE),
    tcp=refused(_HTTP_ALONE),
    exportTo=export_to,
    required=("http",),
    rules=(_distinct_hosts,),
)
