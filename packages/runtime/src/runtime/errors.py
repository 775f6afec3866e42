"""Faults that a caller may see, named without a transport, and their two translations.

Fault(Code.PAYMENT_REQUIRED, "insufficient-credits", "This reading costs 1 credit and 0 are left.")
"""

from __future__ import annotations

from enum import StrEnum

import grpc


class Code(StrEnum):
    """What went wrong, in a caller's terms."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    PAYMENT_REQUIRED = "payment-required"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    IN_FLIGHT = "in-flight"
    CONFLICT = "conflict"
    SETTLED = "settled"
    KEY_REUSED = "key-reused"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"
    INTERNAL = "internal"


HTTP_STATUS: dict[Code, int] = {
    Code.MALFORMED: 400,
    Code.INVALID: 422,
    Code.UNAUTHENTICATED: 401,
    Code.PAYMENT_REQUIRED: 402,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.IN_FLIGHT: 409,
    Code.CONFLICT: 409,
    Code.SETTLED: 409,
    Code.KEY_REUSED: 422,
    Code.TOO_LARGE: 413,
    Code.TOO_MANY: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE: 504,
    Code.INTERNAL: 500,
}

GRPC_STATUS: dict[Code, grpc.StatusCode] = {
    Code.MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
    Code.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Code.PAYMENT_REQUIRED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Code.IN_FLIGHT: grpc.StatusCode.ABORTED,
    Code.CONFLICT: grpc.StatusCode.ABORTED,
    Code.SETTLED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.KEY_REUSED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.TOO_LARGE: grpc.StatusCode.OUT_OF_RANGE,
    Code.TOO_MANY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
}


class Fault(Exception):
    """Something the caller is told.

    `type` is a stable slug; on the wire it is `/problems/SLUG`, and gRPC's trailing metadata `x-inkmesh-problem`.
    `detail` is for a person and never repeats the caller's input. `retry_after` is told with 429 and 503, in seconds.
    """

    def __init__(
        self,
        code: Code,
        type: str,  # noqa: A002 (RFC 9457's own word)
        detail: str,
        *,
        retry_after: int = 1,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.type = type
        self.detail = detail
        self.retry_after = retry_after
