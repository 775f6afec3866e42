"""One rule of an AuthorizationPolicy → a policy of Envoy's: what is asked for (permissions) and who asks (principals).

Both are lists of which one must hold. What one `to` or `from` says must all hold; of a list's values each will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localmesh.translate import rbac_match
from localmesh.translate.rbac_match import Matcher

Each = Callable[[str], Matcher]
Some = Callable[[Sequence[str]], Matcher]
Condition = tuple[Some, Sequence[str], Sequence[str]]
"""What makes a matcher of values, the values of which one must be, and those of which none may be."""

_OPERATION: dict[str, Each] = {
    "hosts": rbac_match.host,
    "methods": lambda value: rbac_match.header(":method", value),
    "paths": rbac_match.path,
    "ports": lambda value: {"destination_port": int(value)},
}
_REQUESTED: dict[str, Each] = {
    "destination.ip": lambda value: {"destination_ip": rbac_match.cidr(value)},
    "destination.port": _OPERATION["ports"],
    "connection.sni": lambda value: {"requested_server_name": rbac_match.string(value)},
}
_SOURCE: dict[str, Each] = {
    "principals": rbac_match.principal,
    "namespaces": rbac_match.namespace,
    "remoteIpBlocks": lambda value: {"remote_ip": rbac_match.cidr(value)},
    "ipBlocks": lambda value: {"direct_remote_ip": rbac_match.cidr(value)},
}
_ASKING: dict[str, Each] = {
    "source.ip": _SOURCE["ipBlocks"],
    "remote.ip": _SOURCE["remoteIpBlocks"],
    "source.namespace": _SOURCE["namespaces"],
    "source.principal": _SOURCE["principals"],
}
_SOURCE_ORDER = ("principals", "requestPrincipals", "serviceAccounts", "namespaces", "remoteIpBlocks", "ipBlocks")
_CLAIMS = {"request.auth.audiences": "aud", "request.auth.presenter": "azp"}


def envoy_policy(rule: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """What a rule of that namespace's policy allows or denies."""
    when = rule.get("when") or []
    requested = [_when(_each("rule", _REQUESTED[one["key"]]), one) for one in when if one["key"] in _REQUESTED]
    asking = [_when(_principal(one["key"], namespace), one) for one in when if one["key"] not in _REQUESTED]
    permissions = [_operation(one["operation"]) + requested for one in rule.get("to") or []]
    principals = [_source(one["source"], namespace) + asking for one in rule.get("from") or []]
    return {
        "permissions": [_all("rule", one) for one in permissions or [requested]],
        "principals": [_all("id", one) for one in principals or [asking]],
    }


def _operation(operation: Mapping[str, Any]) -> list[Condition]:
    return [_condition(_each("rule", make), operation, name) for name, make in _OPERATION.items()]


def _source(source: Mapping[str, Any], namespace: str) -> list[Condition]:
    made: dict[str, Some] = {name: _each("id", make) for name, make in _SOURCE.items()}
    made["requestPrincipals"] = rbac_match.request_principal
    made["serviceAccounts"] = _accounts(namespace)
    return [_condition(made[name], source, name) for name in _SOURCE_ORDER]


def _principal(key: str, namespace: str) -> Some:
    if key in _ASKING:
        return _each("id", _ASKING[key])
    if key == "source.serviceAccount":
        return _accounts(namespace)
    if key == "request.auth.principal":
        return rbac_match.request_principal
    if key.startswith("request.headers["):
        return _each("id", lambda value: rbac_match.header(rbac_match.bracketed(key)[0], value))
    names = [_CLAIMS[key]] if key in _CLAIMS else rbac_match.bracketed(key)
    return lambda values: rbac_match.claim(names, values)


def _accounts(namespace: str) -> Some:
    return _each("id", lambda value: rbac_match.service_account(value, namespace))


def _each(kind: str, make: Each) -> Some:
    """Any of the values. `kind`: rule or id, as Envoy names the parts of permissions and principals."""
    return lambda values: {f"or_{kind}s": {f"{kind}s": [make(value) for value in values]}}


def _condition(make: Some, of: Mapping[str, Any], name: str) -> Condition:
    return make, of.get(name) or [], of.get(f"not{name[0].upper()}{name[1:]}") or []


def _when(make: Some, when: Mapping[str, Any]) -> Condition:
    return make, when.get("values") or [], when.get("notValues") or []


def _all(kind: str, conditions: Sequence[Condition]) -> Matcher:
    found: list[Matcher] = []
    for make, values, others in conditions:
        if values:
            found.append(make(values))
        if others:
            found.append({f"not_{kind}": make(others)})
    return {f"and_{kind}s": {f"{kind}s": found or [{"any": True}]}}
