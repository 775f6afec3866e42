"""Ending a held charge: captured or voided, with the answer to replay, in one transaction."""

from __future__ import annotations

from payment.errors import ChargeNotHeld, ChargeTakenOver, FeedbackDiffers, NotFound
from payment.ledger.transaction import Transaction
from payment.records import Answer, Charge, ChargeState, Feedback

# The key counts only as long as it still stands for this very charge.
_LOOK = """
SELECT p.amount, s.kind, a.posted - a.held, k.id, k.attempt, k.kept_until
FROM transfer p
JOIN account a ON a.id = p.debit
LEFT JOIN transfer s ON s.ref = p.ref AND s.step = 2
LEFT JOIN idempotency k ON k.account = p.debit AND k.operation = 'hold' AND k.key = p.key AND k.ref = p.ref
WHERE p.ref = ? AND p.step = 1 AND p.kind = 'pending' AND p.debit = ?
"""
_SETTLE = (
    "INSERT INTO transfer (ref, step, kind, debit, credit, amount, made_at) VALUES (?, 2, ?, ?, 'house:revenue', ?, ?)"
)
_ANSWER = "UPDATE idempotency SET status = ?, body = ?, kept_until = ? WHERE id = ?"
_FORGET_KEY = "DELETE FROM idempotency WHERE id = ?"
_STATES = {"posted": ChargeState.CAPTURED, "voided": ChargeState.VOIDED, "expired": ChargeState.EXPIRED}

_CAPTURED = """
SELECT f.label, k.status, k.body
FROM transfer p
JOIN transfer s ON s.ref = p.ref AND s.step = 2 AND s.kind = 'posted'
LEFT JOIN idempotency k ON k.account = p.debit AND k.operation = 'hold' AND k.key = p.key AND k.ref = p.ref
LEFT JOIN feedback f ON f.charge = p.ref
WHERE p.ref = ? AND p.step = 1 AND p.debit = ?
"""
_NOTE = "INSERT INTO feedback (charge, label, given_at) VALUES (?, ?, ?)"


def capture(tx: Transaction, account: str, charge: str, attempt: str, answer: Answer) -> Charge:
    """Post a held charge. Raises NotFound, ChargeNotHeld, ChargeTakenOver."""
    return _settle(tx, account, charge, attempt, answer, "posted")


def void(tx: Transaction, account: str, charge: str, attempt: str, answer: Answer | None) -> Charge:
    """Give a held charge back; without an answer its key is free for another try. Raises as capture does."""
    return _settle(tx, account, charge, attempt, answer, "voided")


def _settle(tx: Transaction, account: str, charge: str, attempt: str, answer: Answer | None, outcome: str) -> Charge:
    row = tx.execute(_LOOK, (charge, account)).fetchone()
    if row is None:
        raise NotFound("charge")
    amount, settled, available, key_row, owner, kept_until = row
    if settled is not None and settled != outcome:
        raise ChargeNotHeld(_STATES[settled])
    if owner is not None and owner != attempt:
        raise ChargeTakenOver
    if settled is not None:
        return Charge(charge, amount, _STATES[settled], available)
    if owner is None or kept_until <= tx.now:
        raise ChargeNotHeld(ChargeState.EXPIRED)
    tx.write(_SETTLE, (charge, outcome, account, amount, tx.now))
    if answer is not None:
        tx.write(_ANSWER, (answer.status, answer.body, tx.now + tx.terms.key, key_row))
    else:
        tx.write(_FORGET_KEY, (key_row,))
    return Charge(charge, amount, _STATES[outcome], available if outcome == "posted" else available + amount)


def record_feedback(tx: Transaction, account: str, charge: str, label: int) -> Feedback:
    """Note what a captured reading really was, once. Raises NotFound, FeedbackDiffers."""
    row = tx.execute(_CAPTURED, (charge, account)).fetchone()
    if row is None:
        raise NotFound("charge")
    noted, status, body = row
    if noted is not None and noted != label:
        raise FeedbackDiffers
    if noted is None:
        tx.write(_NOTE, (charge, label, tx.now))
    return Feedback(noted is None, Answer(status, body) if status is not None else None)
