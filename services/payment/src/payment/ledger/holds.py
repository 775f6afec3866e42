"""Reserving credits under a key."""

from __future__ import annotations

from payment.errors import InFlight, InsufficientCredits, KeyReused, NotFound
from payment.ledger.transaction import Transaction
from payment.records import Answer, Charge, ChargeState, Key

_LOOK = """
SELECT a.posted - a.held, k.id, k.fingerprint, k.ref, k.attempt, k.lease_until, k.kept_until, k.status, k.body
FROM account a LEFT JOIN idempotency k ON k.account = a.id AND k.operation = 'hold' AND k.key = ?
WHERE a.id = ? AND a.house = 0
"""
_AMOUNT = "SELECT amount FROM transfer WHERE ref = ? AND step = 1"
_TAKE_OVER = "UPDATE idempotency SET attempt = ?, lease_until = ?, kept_until = ? WHERE id = ?"
_KEEP_KEY = (
    "INSERT INTO idempotency (account, operation, key, fingerprint, ref, attempt, lease_until, kept_until)"
    " VALUES (?, 'hold', ?, ?, ?, ?, ?, ?)"
)
_RESERVE = (
    "INSERT INTO transfer (ref, step, kind, debit, credit, amount, key, made_at)"
    " VALUES (?, 1, 'pending', ?, 'house:revenue', ?, ?, ?)"
)
_EXPIRE = (
    "INSERT INTO transfer (ref, step, kind, debit, credit, amount, made_at)"
    " SELECT ref, 2, 'expired', debit, credit, amount, ? FROM transfer WHERE ref = ? AND step = 1"
)
_FORGET_KEY = "DELETE FROM idempotency WHERE id = ?"


def hold(tx: Transaction, account: str, key: Key, amount: int) -> Charge | Answer:
    """Reserve `amount`: a charge to go on with, or what this key was answered before.

    Raises NotFound, KeyReused, InFlight, InsufficientCredits.
    """
    row = tx.execute(_LOOK, (key.text, account)).fetchone()
    if row is None:
        raise NotFound("account")
    available, known, fingerprint, ref, attempt, lease_until, kept_until, status, body = row
    if known is not None and status is None and kept_until <= tx.now:
        available += expire(tx, known, ref)  # the sweeper has not come by yet
        known = None
    if known is None:
        return _reserve(tx, account, key, amount, available)
    if fingerprint != key.fingerprint:
        raise KeyReused
    if status is not None:
        return Answer(status, body)
    if attempt != key.attempt:
        if not tx.is_over(lease_until, tx.terms.lease):
            raise InFlight
        tx.write(_TAKE_OVER, (key.attempt, tx.now + tx.terms.lease, tx.now + tx.terms.hold, known))
    return Charge(ref, _amount(tx, ref), ChargeState.HELD, available)


def _reserve(tx: Transaction, account: str, key: Key, amount: int, available: int) -> Charge:
    if available < amount:
        raise InsufficientCredits(amount, available)
    now, terms = tx.now, tx.terms
    ref = tx.new_ref("chg")
    tx.write(_KEEP_KEY, (account, key.text, key.fingerprint, ref, key.attempt, now + terms.lease, now + terms.hold))
    tx.write(_RESERVE, (ref, account, amount, key.text, now))
    return Charge(ref, amount, ChargeState.HELD, available - amount)


def expire(tx: Transaction, key_row: int, ref: str) -> int:
    """Give a held charge back and free its key; the credits that are available again."""
    tx.write(_EXPIRE, (tx.now, ref))
    tx.write(_FORGET_KEY, (key_row,))
    return _amount(tx, ref)


def _amount(tx: Transaction, ref: str) -> int:
    amount: int = tx.execute(_AMOUNT, (ref,)).fetchone()[0]
    return amount
