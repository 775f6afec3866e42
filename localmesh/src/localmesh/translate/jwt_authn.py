"""RequestAuthentication → Envoy's JWT filter: a token that is there must be good; none is let through.

Keys are inline. Those of a `jwksUri` come from `keys`; until they are there no token of that issuer is good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from localmesh.mesh import Document
from localmesh.translate.callers import Caller
from localmesh.translate.documents import Item
from localmesh.translate.selection import acting_on

NAME = "envoy.filters.http.jwt_authn"
PAYLOAD = "payload"
"""Where in the filter's metadata policies find a token's claims."""

_TYPE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_X, _Y = "jMrfLTc2G7oDVYmbcimbcpdoAbFprB_u0RFufMDH6XQ", "KbpyjwTUit5dwBr3zbxCoRz3pL950WlB6K78n1BtfxQ"
_NO_KEYS = f'{{"keys":[{{"kty":"EC","crv":"P-256","x":"{_X}","y":"{_Y}"}}]}}'
"""A key that nobody has the other half of, for Envoy takes no empty set: x is SHA-256 of "localmesh: no keys yet"."""
_SPACE_DELIMITED = ("permission", "scope")


def jwt_authn(items: Sequence[Item], caller: Caller, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """The filter of a workload, none when no document asks for tokens. `keys`: jwksUri → its key set as JSON."""
    rules = [rule for item in acting_on(caller, items) for rule in item.spec.get("jwtRules") or []]
    if not rules:
        return []
    rules.sort(key=lambda rule: str(rule["issuer"]))
    names = [f"origins-{index}" for index in range(len(rules))]
    # At the edge routes may ask for claims.
    routed = {"clear_route_cache": True} if caller.is_gateway else {}
    settings = {
        "@type": _TYPE,
        "providers": {name: _provider(rule, keys) | routed for name, rule in zip(names, rules, strict=True)},
        "rules": [{"match": {"prefix": "/"}, "requires": _requires(names)}],
        "bypass_cors_preflight": True,
    }
    return [{"name": NAME, "typed_config": settings}]


def key_sources(documents: Iterable[Document]) -> frozenset[str]:
    """All addresses that keys come from; the documents have been translated without an error."""
    wanted = (document for document in documents if document.get("kind") == "RequestAuthentication")
    rules = (rule for document in wanted for rule in (document.get("spec") or {}).get("jwtRules") or [])
    return frozenset(rule["jwksUri"] for rule in rules if rule.get("jwksUri"))


def _provider(rule: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    jwks = rule.get("jwks") or keys.get(rule.get("jwksUri") or "") or _NO_KEYS
    claims = sorted({*_SPACE_DELIMITED, *(rule.get("spaceDelimitedClaims") or [])})
    found: dict[str, Any] = {
        "issuer": rule["issuer"],
        "local_jwks": {"inline_string": jwks},
        "payload_in_metadata": PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": claims},
    }
    for ours, theirs in (("audiences", "audiences"), ("fromParams", "from_params"), ("fromCookies", "from_cookies")):
        if rule.get(ours):
            found[theirs] = rule[ours]
    if rule.get("fromHeaders"):
        found["from_headers"] = [_header(one) for one in rule["fromHeaders"]]
    if rule.get("forwardOriginalToken"):
        found["forward"] = True
    if rule.get("outputPayloadToHeader"):
        found["forward_payload_header"] = rule["outputPayloadToHeader"]
    if rule.get("outputClaimToHeaders"):
        found["claim_to_headers"] = [
            {"header_name": one["header"], "claim_name": one["claim"]} for one in rule["outputClaimToHeaders"]
        ]
    return found


def _header(one: Mapping[str, str]) -> dict[str, str]:
    return {"name": one["name"], **({"value_prefix": one["prefix"]} if one.get("prefix") else {})}


def _requires(names: Sequence[str]) -> dict[str, Any]:
    """A good token of one issuer, or for each of them a good one or none: a bad one never passes."""
    good = [{"provider_name": name} for name in names]
    good_or_none = [_any(one, {"allow_missing": {}}) for one in good]
    if len(names) == 1:
        return good_or_none[0]
    return _any(*good, {"requires_all": {"requirements": good_or_none}})


def _any(*requirements: dict[str, Any]) -> dict[str, Any]:
    return {"requires_any": {"requirements": list(requirements)}}
