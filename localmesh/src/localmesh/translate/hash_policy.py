"""Consistent hash → a route's hash policy: what of a request decides the replica."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import durations


def hash_policy(consistent_hash: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """A list of one policy, or of none without a consistent hash."""
    if not consistent_hash:
        return []
    if name := consistent_hash.get("httpHeaderName"):
        return [{"header": {"header_name": name}}]
    if cookie := consistent_hash.get("httpCookie"):
        return [{"cookie": _cookie(cookie)}]
    if consistent_hash.get("useSourceIp") is not None:
        return [{"connection_properties": {"source_ip": True} if consistent_hash["useSourceIp"] else {}}]
    if name := consistent_hash.get("httpQueryParameterName"):
        return [{"query_parameter": {"name": name}}]
    return []


def _cookie(cookie: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"name": cookie["name"]}
    if cookie.get("ttl") is not None:
        out["ttl"] = durations.envoy(cookie["ttl"])
    if cookie.get("path"):
        out["path"] = cookie["path"]
    if attributes := cookie.get("attributes"):
        out["attributes"] = [
            {"name": one["name"], **({"value": one["value"]} if one.get("value") else {})} for one in attributes
        ]
    return out
