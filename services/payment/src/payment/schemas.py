"""REST's bodies. Strict: nothing is coerced, nothing unknown is taken, everything is bounded."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from payment.checks import ID, MAX_ATTEMPT
from payment.records import (
    MAX_AMOUNT,
    MAX_BODY,
    MAX_TOP_UP,
    Account,
    Answer,
    Charge,
    ChargeState,
    DecidedBy,
    TopUpStatus,
)
from payment.topups import CARDS

Id = Annotated[str, Field(pattern=f"^{ID}$")]
Attempt = Annotated[str, Field(pattern=rf"^[\x20-\x7e]{{1,{MAX_ATTEMPT}}}$", description="Names one try of one caller")]
# Groups of four characters are three bytes each; 8192 bytes are 2730 of them and one of two bytes.
_B64 = "[A-Za-z0-9+/]"
Base64 = Annotated[str, Field(pattern=rf"^(?:{_B64}{{4}}){{0,{MAX_BODY // 3}}}(?:{_B64}{{2}}==|{_B64}{{3}}=)?$")]


class Body(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class OpenAccountBody(Body):
    """A new account and its grant."""

    account_id: Id
    credits: int = Field(ge=0, le=MAX_AMOUNT)


class HoldBody(Body):
    """`fingerprint`: SHA-256 of what the request means to the caller's own caller; without it, the amount's."""

    amount: int = Field(ge=1, le=MAX_AMOUNT)
    attempt: Attempt
    fingerprint: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class StoredAnswer(Body):
    """An answer to replay: an HTTP status and a body of at most 8 KiB, in Base64."""

    status: int = Field(ge=100, le=599)
    body: Base64

    def plain(self) -> Answer:
        """As the ledger keeps it."""
        return Answer(self.status, base64.b64decode(self.body))

    @classmethod
    def of(cls, answer: Answer) -> StoredAnswer:
        """As REST tells it."""
        return cls(status=answer.status, body=base64.b64encode(answer.body).decode())


class CaptureBody(Body):
    """The try that holds the charge, and what its caller is told."""

    attempt: Attempt
    answer: StoredAnswer


class VoidBody(Body):
    """Without an answer the key is free for another try."""

    attempt: Attempt
    answer: StoredAnswer | None = None


class TopUpBody(Body):
    """Credits for a test card. `attempt` is the request's id unless it is given."""

    credits: int = Field(ge=1, le=MAX_TOP_UP)
    card: str = Field(pattern=r"^[0-9]{12,19}$", json_schema_extra={"enum": list(CARDS)})
    attempt: Attempt | None = None


class FeedbackBody(Body):
    """What the reading really was."""

    label: int = Field(ge=0, le=9)


class AccountAnswer(BaseModel):
    """Posted credits, and the part of them that is reserved."""

    account_id: str
    balance: int
    held: int

    @classmethod
    def of(cls, account: Account) -> AccountAnswer:
        """As REST tells it."""
        return cls(account_id=account.id, balance=account.balance, held=account.held)


class ChargeAnswer(BaseModel):
    """`available`: balance less what is held."""

    charge_id: str
    amount: int
    state: ChargeState
    available: int

    @classmethod
    def of(cls, charge: Charge) -> ChargeAnswer:
        """As REST tells it."""
        return cls(charge_id=charge.id, amount=charge.amount, state=charge.state, available=charge.available)


class HoldAnswer(BaseModel):
    """One of two: a charge to go on with, or what this key was answered before."""

    charge: ChargeAnswer | None = None
    finished: StoredAnswer | None = None


class TopUpAnswer(BaseModel):
    """A decided top-up."""

    top_up_id: str
    status: TopUpStatus
    decided_by: DecidedBy
    available: int


class FeedbackAnswer(BaseModel):
    """`answer`: what the visitor was told, as long as its key is kept."""

    first: bool
    answer: StoredAnswer | None


class AuditAnswer(BaseModel):
    """One sentence a fault; none when the books are sound."""

    sound: bool
    findings: list[str]
    accounts: int
    transfers: int
    held: int


class Problem(BaseModel):
    """RFC 9457; `type` is stable, `instance` is the request's id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
