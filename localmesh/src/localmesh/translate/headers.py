"""Headers → what Envoy adds to, sets on and removes from requests and responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SET = "OVERWRITE_IF_EXISTS_OR_ADD"


def operations(headers: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Envoy's four lists, those that are empty left out; set comes before add."""
    request, response = headers.get("request") or {}, headers.get("response") or {}
    out: dict[str, list[Any]] = {
        "request_headers_to_add": _additions(request),
        "request_headers_to_remove": _removals(request),
        "response_headers_to_add": _additions(response),
        "response_headers_to_remove": _removals(response),
    }
    return {name: entries for name, entries in out.items() if entries}


def authority(headers: Mapping[str, Any]) -> str:
    """What the request's host becomes when `host` or `:authority` is set or added; empty when neither is."""
    request = headers.get("request") or {}
    for operation in ("set", "add"):
        for name, value in (request.get(operation) or {}).items():
            if name.lower() in ("host", ":authority") and value:
                return str(value)
    return ""


def _additions(side: Mapping[str, Any]) -> list[dict[str, Any]]:
    def entries(operation: str) -> list[tuple[str, str]]:
        return sorted((name, value) for name, value in (side.get(operation) or {}).items() if not _is_internal(name))

    sets = [{"header": _header(name, value), "append_action": _SET} for name, value in entries("set")]
    return sets + [{"header": _header(name, value)} for name, value in entries("add")]


def _header(name: str, value: str) -> dict[str, str]:
    return {"key": name, "value": value} if value else {"key": name}


def _removals(side: Mapping[str, Any]) -> list[str]:
    return [name for name in side.get("remove") or [] if not _is_internal(name)]


def _is_internal(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"
