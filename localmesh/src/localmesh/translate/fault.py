"""HTTPFaultInjection → the fault filter's settings for one route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import durations
from localmesh.translate.percent import of_hundred, of_million

FILTER = "envoy.filters.http.fault"
_TYPE = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"

GRPC_STATUS = {
    name: code
    for code, name in enumerate(
        (
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        )
    )
}


def fault(injection: Mapping[str, Any]) -> dict[str, Any]:
    """A delay, an abort, or both."""
    out: dict[str, Any] = {"@type": _TYPE}
    if delay := injection.get("delay"):
        percentage = delay.get("percentage")
        out["delay"] = {
            "fixed_delay": durations.envoy(delay["fixedDelay"]),
            "percentage": of_hundred(delay.get("percent", 0)) if percentage is None else of_million(percentage),
        }
    if abort := injection.get("abort"):
        out["abort"] = _abort(abort)
    return out


def _abort(abort: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if abort.get("percentage") is not None:
        out["percentage"] = of_million(abort["percentage"])
    if abort.get("grpcStatus") is not None:
        out["grpc_status"] = GRPC_STATUS[abort["grpcStatus"]]
    else:
        out["http_status"] = abort["httpStatus"]
    return out
