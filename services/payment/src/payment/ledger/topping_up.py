"""The ledger's part of a top-up: begin it under a key, then note the decision, with the credits if it was approved."""

from __future__ import annotations

import json

from payment.errors import InFlight, KeyReused, NotFound
from payment.ledger.transaction import Transaction
from payment.records import MAX_BALANCE, DecidedBy, Key, TopUp, TopUpBegun, TopUpStatus

RECENT = 3_600_000
"""Milliseconds that count as recent."""

_KEY = """
SELECT a.posted, a.held, k.id, k.fingerprint, k.ref, k.attempt, k.lease_until, k.status, k.body
FROM account a LEFT JOIN idempotency k ON k.account = a.id AND k.operation = 'topup' AND k.key = ?
WHERE a.id = ? AND a.house = 0
"""
_KEEP_KEY = (
    "INSERT INTO idempotency (account, operation, key, fingerprint, ref, attempt, lease_until, kept_until)"
    " VALUES (?, 'topup', ?, ?, ?, ?, ?, ?)"
)
_TAKE_OVER = "UPDATE idempotency SET attempt = ?, lease_until = ?, kept_until = ? WHERE id = ?"
_BEGIN = "INSERT INTO topup (id, account, credits, card_last4, begun_at) VALUES (?, ?, ?, ?, ?)"
_COUNT = "SELECT count(*) FROM topup WHERE account = ? AND begun_at > ? AND id <> ?"
_CREDITS = "SELECT credits FROM topup WHERE id = ?"
_DECIDE = "UPDATE topup SET status = ?, decided_by = ? WHERE id = ?"
_CREDIT = (
    "INSERT INTO transfer (ref, step, kind, debit, credit, amount, key, made_at)"
    " VALUES (?, 1, 'direct', 'house:topups', ?, ?, ?, ?)"
)
_ANSWER = "UPDATE idempotency SET status = 201, body = ?, kept_until = ? WHERE id = ?"


def begin_top_up(tx: Transaction, account: str, key: Key, amount: int, last4: str) -> TopUpBegun | TopUp:
    """Begin a top-up, or go on with one whose decider was lost, or tell what was decided before.

    Raises NotFound, KeyReused, InFlight.
    """
    row = tx.execute(_KEY, (key.text, account)).fetchone()
    if row is None:
        raise NotFound("account")
    _, _, known, fingerprint, ref, attempt, lease_until, status, body = row
    lease, kept = tx.now + tx.terms.lease, tx.now + tx.terms.key
    if known is None:
        ref = tx.new_ref("top")
        tx.write(_KEEP_KEY, (account, key.text, key.fingerprint, ref, key.attempt, lease, kept))
        tx.write(_BEGIN, (ref, account, amount, last4, tx.now))
    elif fingerprint != key.fingerprint:
        raise KeyReused
    elif status is not None:
        return _load(ref, body).again()
    elif attempt != key.attempt:
        if not tx.is_over(lease_until, tx.terms.lease):
            raise InFlight
        tx.write(_TAKE_OVER, (key.attempt, lease, kept, known))
    recent: int = tx.execute(_COUNT, (account, tx.now - RECENT, ref)).fetchone()[0]
    return TopUpBegun(ref, recent)


def finish_top_up(
    tx: Transaction, account: str, key: Key, top_up: str, status: TopUpStatus, decided_by: DecidedBy
) -> TopUp:
    """Note the decision and post the credits. The first decision counts; a later one is told what that was."""
    row = tx.execute(_KEY, (key.text, account)).fetchone()
    if row is None or row[4] != top_up:
        raise NotFound("top-up")
    posted, held, known, _, ref, _, _, finished, body = row
    if finished is not None:
        return _load(ref, body).again()
    amount: int = tx.execute(_CREDITS, (ref,)).fetchone()[0]
    if status is TopUpStatus.APPROVED and posted + amount > MAX_BALANCE:
        status, decided_by = TopUpStatus.DECLINED, DecidedBy.RULES
    if status is TopUpStatus.APPROVED:
        tx.write(_CREDIT, (ref, account, amount, key.text, tx.now))
        posted += amount
    tx.write(_DECIDE, (status, decided_by, ref))
    decided = TopUp(ref, status, decided_by, posted - held)
    tx.write(_ANSWER, (_dump(decided), tx.now + tx.terms.key, known))
    return decided


def _dump(top_up: TopUp) -> bytes:
    kept = {"status": top_up.status, "decided_by": top_up.decided_by, "available": top_up.available}
    return json.dumps(kept).encode()


def _load(ref: str, body: bytes) -> TopUp:
    kept = json.loads(body)
    return TopUp(ref, TopUpStatus(kept["status"]), DecidedBy(kept["decided_by"]), kept["available"])
