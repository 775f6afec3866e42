"""Routes that Envoy answers itself: HTTPRedirect and HTTPDirectResponse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CODES = {302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def redirect(rule: Mapping[str, Any], port: int, *, tls: bool) -> dict[str, Any]:
    """RedirectAction; 301 is its default. `port` is the listener's, for FROM_REQUEST_PORT; `tls`: a server with TLS."""
    out: dict[str, Any] = {"path_redirect": rule.get("uri") or ""}
    if rule.get("authority"):
        out["host_redirect"] = rule["authority"]
    if rule.get("scheme"):
        out["scheme_redirect"] = rule["scheme"]
    chosen = port if rule.get("derivePort") == "FROM_REQUEST_PORT" else rule.get("port") or 0
    if chosen and chosen != _DEFAULT_PORTS[rule.get("scheme") or ("https" if tls else "http")]:
        out["port_redirect"] = chosen
    if code := _CODES.get(rule.get("redirectCode") or 301):
        out["response_code"] = code
    return out


def direct_response(rule: Mapping[str, Any]) -> dict[str, Any]:
    """DirectResponseAction; bytes are base64, as in the YAML."""
    out: dict[str, Any] = {"status": rule["status"]}
    body = rule.get("body") or {}
    if body.get("string") is not None:
        out["body"] = {"inline_string": body["string"]}
    elif body.get("bytes") is not None:
        out["body"] = {"inline_bytes": body["bytes"]}
    return out
