"""What payment tells its callers when it does not do what they asked.

Fault
├── InvalidField, UnknownCard                  the request
├── KeyMissing, KeyReused, InFlight            its idempotency key
├── NotFound                                   the account or the charge
├── InsufficientCredits
├── ChargeNotHeld, ChargeTakenOver             settling
├── FeedbackDiffers
└── LedgerUnavailable                          the outcome is unknown: repeat with the same key
"""

from __future__ import annotations

from runtime.errors import Code, Fault


class InvalidField(Fault):
    """A field is missing or out of bounds."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(Code.INVALID, "invalid-request", f"{field}: {rule}")


class UnknownCard(Fault):
    """Not one of the documented test numbers."""

    def __init__(self) -> None:
        super().__init__(Code.INVALID, "unknown-card", "Only the documented test card numbers are taken.")


class KeyMissing(Fault):
    """A call that moves credits came without its key."""

    def __init__(self) -> None:
        super().__init__(Code.MALFORMED, "key-missing", "This call needs an Idempotency-Key.")


class KeyReused(Fault):
    """The key was used before, for another request."""

    def __init__(self) -> None:
        super().__init__(Code.KEY_REUSED, "key-reused", "This Idempotency-Key was used for another request.")


class InFlight(Fault):
    """Another attempt works on this key now."""

    def __init__(self) -> None:
        super().__init__(Code.IN_FLIGHT, "in-flight", "A request with this Idempotency-Key is being worked on.")


class NotFound(Fault):
    """No such account or charge, or another account's: a caller cannot tell which."""

    def __init__(self, what: str) -> None:
        super().__init__(Code.NOT_FOUND, "not-found", f"There is no such {what}.")


class InsufficientCredits(Fault):
    """The account cannot pay."""

    def __init__(self, amount: int, available: int) -> None:
        super().__init__(
            Code.PAYMENT_REQUIRED,
            "insufficient-credits",
            f"This costs {amount} credit{'s' if amount != 1 else ''} and {available} are left.",
        )


class ChargeNotHeld(Fault):
    """The charge was settled otherwise, or expired."""

    def __init__(self, state: str) -> None:
        super().__init__(Code.SETTLED, "charge-not-held", f"The charge is no longer held: it is {state}.")


class ChargeTakenOver(Fault):
    """The attempt's lease ended and another attempt has the charge now."""

    def __init__(self) -> None:
        super().__init__(Code.CONFLICT, "charge-taken-over", "Another attempt has this charge now.")


class FeedbackDiffers(Fault):
    """Another label was noted for this charge before."""

    def __init__(self) -> None:
        super().__init__(Code.CONFLICT, "feedback-differs", "Other feedback was given for this before.")


class LedgerUnavailable(Fault):
    """The ledger cannot be written now, or may have been: the outcome is unknown."""

    def __init__(self) -> None:
        super().__init__(Code.UNAVAILABLE, "ledger-unavailable", "The ledger cannot be written now.")
