"""HTTPMatchRequest → RouteMatch, and which callers and gateways it is for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from localmesh.translate.callers import Caller
from localmesh.translate.string_match import is_presence, specifier


def applies(match: Mapping[str, Any] | None, caller: Caller, gateways: Collection[str], port: int) -> bool:
    """Whether the match is for this caller at this port; istiod leaves it out of the others' routes.

    `gateways` are the names under which the caller is known here: `mesh`, or a Gateway's `namespace/name`.
    """
    if match is None:
        return True
    if match.get("port") and match["port"] != port:
        return False
    if match.get("gateways"):
        return any(name in gateways for name in match["gateways"])
    wanted = match.get("sourceLabels") or {}
    if any(caller.labels.get(key) != value for key, value in wanted.items()):
        return False
    return match.get("sourceNamespace") in (None, "", caller.namespace)


def route_match(match: Mapping[str, Any] | None) -> dict[str, Any]:
    """Envoy's RouteMatch; headers sorted by name, then method, authority and scheme."""
    if match is None:
        return {"prefix": "/"}
    out: dict[str, Any] = {**_path(match.get("uri") or {}), "case_sensitive": not match.get("ignoreUriCase", False)}
    headers = [_header(name, value) for name, value in (match.get("headers") or {}).items()]
    headers += [_without(name, value) for name, value in (match.get("withoutHeaders") or {}).items()]
    headers.sort(key=lambda header: str(header["name"]))
    for name in ("method", "authority", "scheme"):
        if match.get(name) is not None:
            headers.append(_header(f":{name}", match[name]))
    if headers:
        out["headers"] = headers
    if parameters := match.get("queryParams"):
        out["query_parameters"] = [
            {"name": name, **specifier(value or {})} for name, value in sorted(parameters.items())
        ]
    return out


def is_catch_all(route: Mapping[str, Any]) -> bool:
    """Whether nothing can come after this Envoy route."""
    match = route["match"]
    anything = match.get("prefix") == "/" or match.get("safe_regex", {}).get("regex") == ".*"
    return anything and not match.get("headers") and not match.get("query_parameters")


def _path(uri: Mapping[str, Any]) -> dict[str, Any]:
    if uri.get("exact") is not None:
        return {"path": uri["exact"]}
    if uri.get("regex") is not None:
        return {"safe_regex": {"regex": uri["regex"]}}
    if uri.get("prefix") is not None:
        return {"prefix": uri["prefix"]}
    return {"prefix": "/"}


def _header(name: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"name": name, **specifier(value or {})}


def _without(name: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    header = {**_header(name, value), "invert_match": True}
    if not is_presence(value or {}):
        header["treat_missing_header_as_empty"] = True
    return header
