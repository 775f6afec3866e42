"""Istio's StringMatch, as headers, query parameters and origins use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_presence(match: Mapping[str, Any]) -> bool:
    """Whether any value will do: an empty match, or the regular expression `*`, which is none."""
    kinds = [kind for kind in ("exact", "prefix", "regex") if match.get(kind) is not None]
    return not kinds or match.get("regex") == "*"


def matcher(match: Mapping[str, Any]) -> dict[str, Any]:
    """Envoy's StringMatcher."""
    if match.get("exact") is not None:
        return {"exact": match["exact"]}
    if match.get("prefix") is not None:
        return {"prefix": match["prefix"]}
    return {"safe_regex": {"regex": match.get("regex")}}


def specifier(match: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a HeaderMatcher or QueryParameterMatcher that says what the value must be."""
    return {"present_match": True} if is_presence(match) else {"string_match": matcher(match)}
