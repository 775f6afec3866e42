"""Expiring charges whose caller never came back, and forgetting keys after their time."""

from __future__ import annotations

from payment.ledger.holds import expire
from payment.ledger.transaction import Transaction
from payment.records import Swept

BATCH = 500
"""Rows a sweep takes at most of each kind, so that it delays nobody for long."""

# Ends too far ahead were noted before the clock was put back (Transaction.is_over).
_OVERDUE = """
SELECT id, operation, ref, account FROM idempotency
WHERE status IS NULL AND (kept_until <= ? OR kept_until > ? AND operation = 'hold') LIMIT ?
"""
_FORGET = "DELETE FROM idempotency WHERE id = ?"
# Rows are in order of time: only the oldest need a look, however many there are.
_PURGE = """
DELETE FROM idempotency
WHERE id IN (SELECT id FROM idempotency ORDER BY id LIMIT ?) AND status IS NOT NULL AND kept_until <= ?
"""
_HELD = "SELECT count(*) FROM idempotency WHERE status IS NULL AND operation = 'hold'"


DUTY = 1
"""One process sweeps at a time, where several share the ledger."""


def sweep(tx: Transaction) -> Swept:
    """Take one batch of what is overdue; accounts that others are busy with have their turn in another sweep."""
    if not tx.alone(DUTY):
        return Swept(0, 0, tx.execute(_HELD).fetchone()[0])
    expired = 0
    overdue = _overdue(tx)
    if overdue:
        had = tx.lock({account for *_, account in overdue})
        overdue = [row for row in _overdue(tx) if row[3] in had]  # as they are now that nobody else moves them
    for key_row, operation, ref, _ in overdue:
        if operation == "hold":
            expire(tx, key_row, ref)
            expired += 1
        else:
            tx.write(_FORGET, (key_row,))  # a top-up that nobody came back for: no credits were moved
    purged = tx.change(_PURGE, (BATCH, tx.now)) + len(overdue) - expired
    held: int = tx.execute(_HELD).fetchone()[0]
    return Swept(expired, purged, held)


def _overdue(tx: Transaction) -> list[tuple[int, str, str, str]]:
    return tx.execute(_OVERDUE, (tx.now, tx.now + 2 * tx.terms.hold, BATCH)).fetchall()
