"""The fields of Istio's security kinds that are translated, and the words for those that are not."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from localmesh.translate import field_names
from localmesh.translate.field_values import Check, FieldError, boolean, duration, one_of, some_text, text
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


def _plain_header(value: object, path: str) -> None:
    """Of the names of headers that are made of claims istiod asks more."""
    some_text(value, path)
    if not re.fullmatch(r"[-_A-Za-z0-9]+", str(value)):
        raise FieldError(path, f"{value!r} is no header's name")


_NAMES = listing(some_text)
_JWT_RULE = message(
    issuer=some_text,
    audiences=_NAMES,
    jwks=_keys,
    jwksUri=_url,
    fromHeaders=listing(message(name=some_text, prefix=text, required=("name",))),
    fromParams=_NAMES,
    fromCookies=_NAMES,
    forwardOriginalToken=boolean,
    outputPayloadToHeader=text,
    outputClaimToHeaders=listing(message(header=_plain_header, claim=some_text, required=("header", "claim"))),
    spaceDelimitedClaims=_NAMES,
    timeout=duration(),
    required=("issuer",),
    rules=(some_of("jwks", "jwksUri"), at_most_one("jwks", "jwksUri")),
)
REQUEST_AUTHENTICATION = message(
    selector=field_names.selector,
    targetRef=field_names.no_targets,
    targetRefs=field_names.no_targets,
    jwtRules=listing(_JWT_RULE),
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
    selector=field_names.selector,
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
    # Python also takes netmasks and zones.
    is_range = re.fullmatch(r"[^/%]+(/(0|[1-9][0-9]*))?", str(value)) is not None
    try:
        ip_network(str(value), strict=False)
    except ValueError:
        is_range = False
    if not is_range:
        raise FieldError(path, f"{value!r} is neither an address nor a range such as 10.0.0.0/8")


def _path(value: object, path: str) -> None:
    some_text(value, path)
    if re.search(r"[{}]", str(value)) and not re.fullmatch(r"(/(\{\*\}|\{\*\*\}|[^{}*/]*))+", str(value)):
        raise FieldError(path, "in a template {*} and {**} stand for whole segments, without other stars")
    if "{*" in str(value) and re.search(r"[^-\w.~%!$&'()+,;:@=/{}*]|//", str(value), re.ASCII):
        raise FieldError(path, "a template's other segments are plain text, and none is empty")
    if "{**}" in str(value)[: str(value).rfind("{**}")] or "{*}" in str(value).partition("{**}")[2]:
        raise FieldError(path, "{**} must be the last of the operators of a template")


def _accounts(value: object, path: str) -> None:
    """At most 16, each `ACCOUNT` or `NAMESPACE/ACCOUNT`."""
    _NAMES(value, path)
    names = list(value) if isinstance(value, list) else []
    if len(names) > 16:
        raise FieldError(path, "has 16 entries at most")
    for index, one in enumerate(names):
        if not re.fullmatch(r"[^/*]+(/[^/*]+)?", one) or len(one) > 320:
            raise FieldError(f"{path}[{index}]", f"{one!r} is neither ACCOUNT nor NAMESPACE/ACCOUNT")


_LISTS = {
    "source": {
        "principals": _NAMES,
        "requestPrincipals": _NAMES,
        "namespaces": _NAMES,
        "serviceAccounts": described(_NAMES, _accounts),
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


_WHEN_VALUES: dict[str, Check] = {
    **dict.fromkeys(("source.ip", "remote.ip", "destination.ip"), listing(_block)),
    "destination.port": listing(_port_text),
    "source.serviceAccount": _accounts,
}
"""Conditions whose values are more than text."""


def _when_values(condition: dict[str, Any]) -> str | None:
    if check := _WHEN_VALUES.get(condition["key"]):
        try:
            for name in ("values", "notValues"):
                check(condition.get(name) or [], name)
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
        "selector": field_names.selector,
        "targetRef": field_names.no_targets,
        "targetRefs": field_names.no_targets,
        "action": _action,
        "provider": refused("only action CUSTOM has a provider"),
        "rules": listing(_RULE),
    },
    rules=(
        lambda spec: (
            "DENY without rules denies nothing; `rules: [{}]` denies everything"
            if spec.get("action") == "DENY" and not spec.get("rules")
            else None
        ),
    ),
)
