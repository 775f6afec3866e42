"""Faults as `application/problem+json` (RFC 9457). Nothing of the request is ever repeated in it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from runtime import propagation
from runtime.errors import HTTP_STATUS, Code, Fault

MEDIA_TYPE = "application/problem+json"

_TYPES = {
    400: ("malformed", "The request cannot be read."),
    404: ("not-found", "There is nothing here."),
    405: ("method-not-allowed", "There is something here, but not for this method."),
    413: ("too-large", "The body is too large."),
}


def body(status: int, slug: str, detail: str) -> dict[str, Any]:
    """The problem's members; `instance` is the request's id."""
    return {
        "type": f"/problems/{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": propagation.current().request_id,
    }


def response(
    status: int, slug: str, detail: str, headers: dict[str, str] | None = None, *, retry_after: int = 1
) -> Response:
    """A problem as a whole answer; 503 and 429 say after how many seconds to try again."""
    more = {"retry-after": str(retry_after)} if status in {429, 503} else {}
    return Response(orjson.dumps(body(status, slug, detail)), status, more | (headers or {}), media_type=MEDIA_TYPE)


def of_fault(fault: Fault) -> Response:
    """The answer that a Fault gives."""
    headers = {"www-authenticate": "Bearer"} if fault.code is Code.UNAUTHENTICATED else {}
    return response(HTTP_STATUS[fault.code], fault.type, fault.detail, headers, retry_after=fault.retry_after)


def _where(error: dict[str, Any]) -> str:
    # Only names that the schema itself has: a body's own keys are the caller's input.
    known = [str(part) for part in error["loc"] if isinstance(part, int) or error["type"] != "extra_forbidden"]
    return f"{'.'.join(known)}: {error['msg']}" if error["type"] != "value_error" else ".".join(known)


async def _on_fault(_: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)  # noqa: S101 (registered for this type alone)
    return of_fault(error)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return response(400, "malformed", "The body is not JSON.")
    detail = "; ".join(_where(item) for item in found[:5])
    return response(422, "invalid-request", detail[:1000].encode("ascii", "replace").decode())


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    slug, detail = _TYPES.get(error.status_code, ("http-error", HTTPStatus(error.status_code).phrase + "."))
    return response(error.status_code, slug, detail, dict(error.headers) if error.headers else None)


def install(app: FastAPI) -> None:
    """Register the three translations; what is unexpected is the middleware's."""
    app.add_exception_handler(Fault, _on_fault)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
