"""Requests that meet: what one of many who ask at once does, and what it is told."""

from __future__ import annotations

from collections.abc import Callable

from payment.errors import InFlight
from payment.ledger.book import Ledger
from payment.records import Answer, Charge, Key

MakeKey = Callable[..., Key]


async def debit(ledger: Ledger, key: Key, answer: Answer) -> Charge:
    """Hold one of ann's credits and capture it."""
    charge = await ledger.hold("ann", key, 1)
    assert isinstance(charge, Charge)
    return await ledger.capture("ann", charge.id, key.attempt, answer)


async def insist(ledger: Ledger, make_key: MakeKey, name: str, number: int) -> bytes:
    """Ask under a key that others use as well, until it is answered: the answer's body, one's own or another's."""
    key = make_key(name, f"a{number}")
    while True:
        try:
            outcome = await ledger.hold("ann", key, 1)
        except InFlight:
            continue
        if isinstance(outcome, Answer):
            return outcome.body
        answer = Answer(201, f"{name} by {number}".encode())
        await ledger.capture("ann", outcome.id, key.attempt, answer)
        return answer.body
