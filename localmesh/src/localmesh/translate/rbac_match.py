"""Values of an AuthorizationPolicy → Envoy's matchers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from localmesh.translate.jwt_authn import NAME, PAYLOAD

Matcher = dict[str, Any]
"""A Permission or Principal of Envoy's RBAC, or a StringMatcher."""

_TEMPLATE = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
_SPIFFE = "spiffe://"


def string(value: str, prefix: str = "") -> Matcher:
    """`a`, `a*`, `*a` or `*`, which is anything but nothing. `prefix` stands before the value on the wire."""
    if value == "*":
        return regex(".+")
    if value.startswith("*"):
        return regex(f"{prefix}.*{_literal(value[1:])}") if prefix else {"suffix": value[1:]}
    if value.endswith("*"):
        return {"prefix": prefix + value[:-1]}
    return {"exact": prefix + value}


def regex(expression: str) -> Matcher:
    """A string that the whole expression matches."""
    return {"safe_regex": {"regex": expression}}


def _literal(value: str) -> str:
    """The value within a regular expression, escaped as Go does it: Python escapes more."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", value)


def header(name: str, value: str) -> Matcher:
    """A header's value; `*` asks only that it is there."""
    if value == "*":
        return {"header": {"name": name, "present_match": True}}
    return {"header": {"name": name, "string_match": string(value)}}


def host(value: str) -> Matcher:
    """A host, in whatever case."""
    found = header(":authority", value)
    if "string_match" in found["header"]:
        found["header"]["string_match"]["ignore_case"] = True
    return found


def path(value: str) -> Matcher:
    """A path or a template: in that, `{*}` is a segment and `{**}` the rest."""
    if "{*}" in value or "{**}" in value:
        template = value.replace("{**}", "**").replace("{*}", "*")
        settings = {"@type": _TEMPLATE, "path_template": template}
        return {"uri_template": {"name": "uri-template", "typed_config": settings}}
    return {"url_path": {"path": string(value)}}


def cidr(value: str) -> Matcher:
    """An address or a range of them."""
    network = ip_network(value, strict=False)
    return {"address_prefix": str(ip_address(value.partition("/")[0])), "prefix_len": network.prefixlen}


def peer(matcher: Matcher) -> Matcher:
    """Who the other side is, by its certificate."""
    return {"authenticated": {"principal_name": matcher}}


def principal(value: str) -> Matcher:
    """A workload's identity, as `cluster.local/ns/NAMESPACE/sa/ACCOUNT`."""
    return peer(string(value, _SPIFFE))


def namespace(value: str) -> Matcher:
    """The namespace within the identity."""
    return peer(regex(f".*/ns/{'.*'.join(map(_literal, value.split('*')))}/.*"))


def service_account(value: str, home: str) -> Matcher:
    """`ACCOUNT` of the policy's own namespace, or `NAMESPACE/ACCOUNT`."""
    space, slash, account = value.rpartition("/")
    return peer(regex(f"spiffe://.+/ns/{_literal(space if slash else home)}/(.+/|)sa/{_literal(account)}(/.+)?"))


def claim(names: Sequence[str], values: Sequence[str]) -> Matcher:
    """A claim that is one of the values, or a list with one of them."""
    one = _either([{"string_match": string(value)} for value in values])
    return _claim(names, _either([{"list_match": {"one_of": one}}, one]))


def request_principal(values: Sequence[str]) -> Matcher:
    """`ISSUER/SUBJECT` of a good token; an issuer may have slashes."""
    found = [_issuer_and_subject(value) for value in values]
    return found[0] if len(found) == 1 else {"or_ids": {"ids": found}}


def _issuer_and_subject(value: str) -> Matcher:
    """A `*` first is for the issuer, one last for the subject; of a value without slash the other is any, or none."""
    issuer, slash, subject = value.rpartition("/")
    anything = regex(".+")
    if value == "*":
        matchers = anything, anything
    elif value.startswith("*"):
        matchers = (string(issuer), {"exact": subject}) if slash else (anything, string(value))
    elif value.endswith("*"):
        rest = anything if subject == "*" else {"prefix": subject[:-1]}
        matchers = ({"exact": issuer}, rest) if slash else (string(value), anything)
    else:
        matchers = ({"exact": issuer}, {"exact": subject}) if slash else ({"exact": value}, {"exact": ""})
    ids = [_claim([name], {"string_match": one}) for name, one in zip(("iss", "sub"), matchers, strict=True)]
    return {"and_ids": {"ids": ids}}


def _claim(names: Sequence[str], value: Matcher) -> Matcher:
    keys = [{"key": name} for name in (PAYLOAD, *names)]
    return {"metadata": {"filter": NAME, "path": keys, "value": value}}


def _either(matchers: list[Matcher]) -> Matcher:
    return matchers[0] if len(matchers) == 1 else {"or_match": {"value_matchers": matchers}}


def bracketed(key: str) -> list[str]:
    """The names in brackets: `request.auth.claims[a][b]` → a, b."""
    return re.findall(r"\[([^\[\]]+)\]", key)
