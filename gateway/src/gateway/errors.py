"""What the gateway itself refuses, and why."""

from __future__ import annotations

from runtime.errors import Code, Fault


def unauthenticated(detail: str) -> Fault:
    """401: no token, or not one of ours that is still good."""
    return Fault(Code.UNAUTHENTICATED, "unauthenticated", detail)


def key_missing() -> Fault:
    """400, as the IETF's draft on Idempotency-Key has it."""
    return Fault(Code.MALFORMED, "key-missing", "This call needs an Idempotency-Key header: 1 to 255 characters.")


def malformed(detail: str) -> Fault:
    """400: the body is not what it says it is."""
    return Fault(Code.MALFORMED, "malformed", detail)


def invalid(detail: str) -> Fault:
    """422: readable, but out of bounds."""
    return Fault(Code.INVALID, "invalid-request", detail)


def not_found() -> Fault:
    """404: nothing of this name that is the caller's own."""
    return Fault(Code.NOT_FOUND, "not-found", "You have no such prediction.")


def overloaded() -> Fault:
    """503: as much is under way as can be done in time."""
    return Fault(Code.UNAVAILABLE, "overloaded", "Too many readings are under way: try again after 1 s.")


def too_many(what: str, seconds: int) -> Fault:
    """429: more than the limit; `seconds` until the next is welcome."""
    return Fault(Code.TOO_MANY, "rate-limited", f"Too many {what}s: try again after {seconds} s.", retry_after=seconds)
