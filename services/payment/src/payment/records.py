"""What the ledger is asked and what it tells, whichever database keeps it and whichever transport carries it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

MAX_AMOUNT = 1_000_000
"""Credits in one charge or grant."""
MAX_TOP_UP = 10_000
"""Credits in one top-up."""
MAX_BALANCE = 1_000_000_000
"""Credits in one account; schema.sql enforces it."""
MAX_BODY = 8192
"""Bytes of an answer that is kept for replay."""


class ChargeState(StrEnum):
    """A held charge ends in one of the other three, for good."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class TopUpStatus(StrEnum):
    """Only an approved top-up moves credits."""

    APPROVED = "approved"
    REVIEW = "review"
    DECLINED = "declined"


class DecidedBy(StrEnum):
    """The fraud model, or rules when it could not be asked."""

    MODEL = "model"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things last, in milliseconds."""

    lease: int = 15_000
    hold: int = 60_000
    key: int = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key: the visitor's own text, SHA-256 of what the request means, and whose try this is."""

    text: str
    fingerprint: bytes
    attempt: str


@dataclass(frozen=True, slots=True)
class Account:
    """`balance`: posted credits; `held`: the part of them that is reserved."""

    id: str
    balance: int
    held: int


@dataclass(frozen=True, slots=True)
class Charge:
    """`available`: the account's balance less what is held, as this transaction saw it."""

    id: str
    amount: int
    state: ChargeState
    available: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller was told, kept to be told again: an HTTP status and a body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class TopUpBegun:
    """A top-up that waits for its decision; `recent`: how many others this account began in the last hour."""

    id: str
    recent: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """A decided top-up; `replayed` when the key was answered before."""

    id: str
    status: TopUpStatus
    decided_by: DecidedBy
    available: int
    replayed: bool = False

    def again(self) -> TopUp:
        """The same, told once more."""
        return replace(self, replayed=True)


@dataclass(frozen=True, slots=True)
class Feedback:
    """`answer`: what the visitor was told, for as long as its key is kept."""

    first: bool
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, and how many charges are held after it."""

    expired: int
    purged: int
    held: int


@dataclass(frozen=True, slots=True)
class Audit:
    """`findings`: one sentence a fault; none when the books are sound."""

    findings: tuple[str, ...]
    accounts: int
    transfers: int
    held: int

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
