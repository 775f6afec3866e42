"""The fields of Istio's security kinds that are translated, and the words for those that are not."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from localmesh.translate.field_values import Check, FieldError, boolean, duration, one_of, text
from localmesh.translate.fields import (
    Rule,
    at_most_one,
    described,
    listing,
    mapping,
    message,
    message_of,
    refused,
    some_of,
)

_SELECTOR = message(matchLabels=mapping(text))
_NO_TARGETS = refused("there are no waypoints here; select workloads by `selector`")


def _set_text(value: object, path: str) -> None:
    text(value, path)
    if not value:
        raise FieldError(path, "must not be empty")


def _keys(value: object, path: str) -> None:
    text(value, path)
    try:
        keys = json.loads(str(value))["keys"]
    except (ValueError, KeyError, TypeError):
        keys = None
    if not isinstance(keys, list):
        raise FieldError(path, 'must be a JSON Web Key Set: {"keys": [...]}')


def _url(value: object, path: str) -> None:
    text(value, path)
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FieldError(path, "must be an http:// or https:// URL")


_NAMES = listing(_set_text)
_JWT_RULE = message(
    issuer=_set_text,
    audiences=_NAMES,
    jwks=_keys,
    jwksUri=_url,
    fromHeaders=listing(message(name=_set_text, prefix=text, required=("name",))),
    fromParams=_NAMES,
    fromCookies=_NAMES,
    forwardOriginalToken=boolean,
    outputPayloadToHeader=text,
    outputClaimToHeaders=listing(message(header=_set_text, claim=_set_text, required=("header", "claim"))),
    spaceDelimitedClaims=_NAMES,
    timeout=duration(),
    required=("issuer",),
    rules=(some_of("jwks", "jwksUri"), at_most_one("jwks", "jwksUri")),
)
REQUEST_AUTHENTICATION = message(
    selector=_SELECTOR, targetRef=_NO_TARGETS, targetRefs=_NO_TARGETS, jwtRules=listing(_JWT_RULE)
)

_MODE = message(mode=one_of("UNSET", "DISABLE", "PERMISSIVE", "STRICT"))


def _port(value: object, path: str) -> None:
    if not str(value).isdigit() or not 0 < int(str(value)) < 65_536:
        raise FieldError(path, f"{value!r} is no port")


def _ports(value: object, path: str) -> None:
    """Ports are numbers here, and so are a mapping's names."""
    if not isinstance(value, dict):
        raise FieldError(path, "must be a mapping of ports")
    for port, mode in value.items():
        _port(port, f"{path}.{port}")
        _MODE({} if mode is None else mode, f"{path}.{port}")


PEER_AUTHENTICATION = message(
    selector=_SELECTOR,
    mtls=_MODE,
    portLevelMtls=described(mapping(_MODE), _ports),
    rules=(
        lambda spec: (
            "portLevelMtls needs a selector with matchLabels"
            if spec.get("portLevelMtls") and not (spec.get("selector") or {}).get("matchLabels")
            else None
        ),
    ),
)


def _port_text(value: object, path: str) -> None:
    text(value, path)
    _port(value, path)


def _block(value: object, path: str) -> None:
    text(value, path)
    try:
        ip_network(str(value), strict=False)
    except ValueError:
        raise FieldError(path, f"{value!r} is neither an address nor a range such as 10.0.0.0/8") from None


def _path(value: object, path: str) -> None:
    _set_text(value, path)
    if re.search(r"[{}]", str(value)) and not re.fullmatch(r"(/(\{\*\}|\{\*\*\}|[^{}*/]*))+", str(value)):
        raise FieldError(path, "in a template {*} and {**} stand for whole segments, without other stars")
    if "{**}" in str(value)[: str(value).rfind("{**}")] or "{*}" in str(value).partition("{**}")[2]:
        raise FieldError(path, "{**} must be the last of the operators of a template")


_LISTS = {
    "source": {
        "principals": _NAMES,
        "requestPrincipals": _NAMES,
        "namespaces": _NAMES,
        "serviceAccounts": _NAMES,
        "ipBlocks": listing(_block),
        "remoteIpBlocks": listing(_block),
    },
    "operation": {
        "hosts": _NAMES,
        "ports": listing(_port_text),
        "methods": _NAMES,
        "paths": listing(_path),
    },
}
_WHEN = re.compile(
    r"request\.headers\[[^\[\]]+\]|request\.auth\.claims(\[[^\[\]]+\])+|request\.auth\.(principal|audiences|presenter)"
    r"|source\.(ip|namespace|principal|serviceAccount)|remote\.ip|destination\.(ip|port)|connection\.sni"
)


def _one_way_to_name(source: dict[str, Any]) -> str | None:
    accounts = source.get("serviceAccounts") or source.get("notServiceAccounts")
    others = [name for name in ("principals", "notPrincipals", "namespaces", "notNamespaces") if source.get(name)]
    return f"serviceAccounts cannot go with {others[0]}" if accounts and others else None


def _one(name: str, *rules: Rule) -> Check:
    """A list of `source` or `operation`: each of its lists has an opposite."""
    lists = _LISTS[name]
    both = lists | {f"not{key[0].upper()}{key[1:]}": check for key, check in lists.items()}
    return listing(message_of({name: message_of(both, (some_of(*both), *rules))}, required=(name,)), at_least=1)


def _when_key(value: object, path: str) -> None:
    text(value, path)
    if not _WHEN.fullmatch(str(value)):
        raise FieldError(path, f"{value!r} is not supported; see Istio's list of conditions")


_WHEN_VALUES = {**dict.fromkeys(("source.ip", "remote.ip", "destination.ip"), _block), "destination.port": _port_text}
"""Conditions whose values are more than text."""


def _when_values(condition: dict[str, Any]) -> str | None:
    if check := _WHEN_VALUES.get(condition["key"]):
        try:
            for name in ("values", "notValues"):
                listing(check)(condition.get(name) or [], name)
        except FieldError as error:
            return str(error)
    return None


def _action(value: object, path: str) -> None:
    if value == "CUSTOM":
        raise FieldError(path, "CUSTOM needs an authorization service beside the mesh, and a laptop has none")
    one_of("ALLOW", "DENY", "AUDIT")(value, path)


_RULE = message_of(
    {
        "from": _one("source", _one_way_to_name),
        "to": _one("operation"),
        "when": listing(
            message(
                key=_when_key,
                values=_NAMES,
                notValues=_NAMES,
                required=("key",),
                rules=(some_of("values", "notValues"), _when_values),
            )
        ),
    }
)
AUTHORIZATION_POLICY = message_of(
    {
        "selector": _SELECTOR,
        "targetRef": _NO_TARGETS,
        "targetRefs": _NO_TARGETS,
        "action": _action,
        "provider": refused("only action CUSTOM has a provider"),
        "rules": listing(_RULE),
    }
)
