"""A paid reading as a saga: hold a credit → infer → capture it, or void it when inference fails.

The visitor's key goes down to the ledger, which stores the answer with the charge in one transaction. So a repeat of
the call, at whatever point the first one died, gives one charge and one answer:

| the gateway dies | the ledger has | a repeat of the key |
|---|---|---|
| before the hold | nothing | starts anew |
| between hold and capture | a hold, under a lease | 409 while the lease runs; then takes the hold over |
| after the capture | the charge and the answer | gets that answer |
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import structlog

from runtime.errors import Fault
from runtime.propagation import Hop, current

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key on its way to the ledger; `attempt` names this one try of it."""

    key: str
    fingerprint: bytes
    attempt: str

    @classmethod
    def of(cls, key: str, operation: str, payload: bytes) -> Key:
        """The visitor's key, bound to what it was used for."""
        return cls(key, hashlib.sha256(operation.encode() + b"\0" + payload).digest(), os.urandom(12).hex())


@dataclass(frozen=True, slots=True)
class Account:
    """Posted credits, and the part of them that is held."""

    account_id: str
    balance: int
    held: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor is told, as it is stored: HTTP status and JSON body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A charge to settle. `available` is what is left when it counts as spent."""

    account_id: str
    charge_id: str
    attempt: str
    amount: int
    available: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model said of one digit: 10 probabilities, and which model it was."""

    label: int
    probabilities: list[float]
    model: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class TopUp:
    """How a top-up was decided, and by whom."""

    top_up_id: str
    status: str
    decided_by: str
    available: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """Whether it is news, and the reading it is about."""

    first: bool
    answer: Answer


class Ledger(Protocol):
    """What the gateway needs of payment. Every method raises Fault."""

    async def open_account(self, account_id: str, credits_: int) -> Account: ...
    async def account(self, account_id: str) -> Account: ...
    async def hold(self, account_id: str, key: Key, amount: int) -> Held | Answer: ...
    async def capture(self, held: Held, answer: Answer) -> None: ...
    async def void(self, held: Held, answer: Answer) -> None: ...
    async def top_up(self, account_id: str, key: Key, credits_: int, card: str) -> TopUp: ...
    async def feedback(self, account_id: str, charge_id: str, label: int) -> Feedback: ...


class Model(Protocol):
    """What the gateway needs of inference: 64 numbers, 0 to 16 → a Reading. Raises Fault."""

    async def read(self, pixels: list[float]) -> Reading: ...


@dataclass(frozen=True)
class Reader:
    """The saga.

    `hop` is this process as the path shows it; `problem` renders a Fault as the visitor will see it; `answered` hears
    of each reading that a model made.
    """

    ledger: Ledger
    model: Model
    price: int
    hop: Callable[[int], Hop]
    problem: Callable[[Fault], Answer]
    answered: Callable[[Reading], None]

    async def read(self, account_id: str, key: Key, pixels: list[float]) -> tuple[Answer, bool]:
        """Answer and whether it is a replay. Raises Fault when nothing was decided that could be stored."""
        held = await self.ledger.hold(account_id, key, self.price)
        if isinstance(held, Answer):
            return held, True
        try:
            reading = await self.model.read(pixels)
        except Fault as fault:
            return await self._give_back(held, fault), False
        self.answered(reading)
        answer = Answer(201, orjson.dumps(self._told(held, reading)))
        await self.ledger.capture(held, answer)
        return answer, False

    async def _give_back(self, held: Held, fault: Fault) -> Answer:
        answer = self.problem(fault)
        try:
            await self.ledger.void(held, answer)
        except Fault as second:
            # The ledger's sweeper gives the credit back when the hold expires.
            log.warning("void failed; the hold will expire", charge_id=held.charge_id, problem=second.type)
        return answer

    def _told(self, held: Held, reading: Reading) -> dict[str, Any]:
        call = current()
        return {
            "id": prediction_id(held.charge_id),
            "label": reading.label,
            "probabilities": reading.probabilities,
            "model": {"name": reading.model, "version": reading.version, "digest": reading.digest},
            "charge": {"id": held.charge_id, "amount": held.amount},
            "balance": held.available,
            "path": [
                {"service": hop.service, "version": hop.version, "replica": hop.replica, "attempt": hop.attempt}
                for hop in (self.hop(call.attempt), *call.hops)
            ],
        }


def prediction_id(charge_id: str) -> str:
    """`chg_…` → `prd_…`: a reading and its charge share their suffix."""
    return "prd_" + charge_id.removeprefix("chg_")


def charge_id_of(prediction: str) -> str:
    """`prd_…` → `chg_…`."""
    return "chg_" + prediction.removeprefix("prd_")
