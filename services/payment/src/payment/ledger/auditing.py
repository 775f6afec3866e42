"""Proving the books: each check is a query whose every row is a fault, told in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from payment.ledger.store import Snapshot, Store, StoreUnavailable
from payment.records import Audit, Terms

SHOWN = 20
"""Faults of one kind that are told one by one."""

_HOUR = 3_600_000

_CHECKS = (
    """
    SELECT 'A row of ' || child || ' names an unknown row of account' FROM (
        SELECT 'transfer' AS child, debit AS account FROM transfer UNION ALL SELECT 'transfer', credit FROM transfer
        UNION ALL SELECT 'idempotency', account FROM idempotency UNION ALL SELECT 'topup', account FROM topup
    ) AS named WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = named.account)
    """,
    """
    SELECT 'debits and credits differ by ' || off FROM (SELECT sum(posted) AS off FROM account) AS sums
    WHERE off <> 0
    """,
    """
    SELECT 'account ' || a.id || ' has ' || a.posted || ' posted and ' || a.held || ' held; its transfers make '
        || coalesce(m.posted, 0) || ' and ' || coalesce(m.held, 0)
    FROM account a LEFT JOIN (
        SELECT id, sum(posted) AS posted, sum(held) AS held FROM (
            SELECT credit AS id, amount AS posted, 0 AS held FROM transfer WHERE kind IN ('direct', 'posted')
            UNION ALL
            SELECT debit, -amount, 0 FROM transfer WHERE kind IN ('direct', 'posted')
            UNION ALL
            SELECT debit, 0, CASE step WHEN 1 THEN amount ELSE -amount END FROM transfer WHERE kind <> 'direct'
        ) AS moved GROUP BY id) m ON m.id = a.id
    WHERE a.posted <> coalesce(m.posted, 0) OR a.held <> coalesce(m.held, 0)
    """,
    """
    SELECT 'account ' || id || ' is overdrawn: ' || posted || ' posted, ' || held || ' held'
    FROM account WHERE house = 0 AND (posted < 0 OR held < 0 OR posted < held)
    """,
    """
    SELECT 'transfer ' || s.ref || ' settles nothing of the kind' FROM transfer s
    LEFT JOIN transfer p ON p.ref = s.ref AND p.step = 1 AND p.kind = 'pending'
        AND p.debit = s.debit AND p.credit = s.credit AND p.amount = s.amount
    WHERE s.step = 2 AND p.ref IS NULL
    """,
    """
    SELECT 'charge ' || p.ref || ' is held and no key stands for it' FROM transfer p
    LEFT JOIN transfer s ON s.ref = p.ref AND s.step = 2
    LEFT JOIN idempotency k ON k.account = p.debit AND k.operation = 'hold' AND k.key = p.key AND k.ref = p.ref
        AND k.status IS NULL
    WHERE p.kind = 'pending' AND s.ref IS NULL AND k.id IS NULL
    """,
    """
    SELECT 'key ' || k.id || ' is ' || CASE WHEN k.status IS NULL THEN 'in flight' ELSE 'finished' END
        || ' and its charge ' || k.ref || ' is not'
    FROM idempotency k
    LEFT JOIN transfer p ON p.ref = k.ref AND p.step = 1 AND p.kind = 'pending' AND p.debit = k.account
    LEFT JOIN transfer s ON s.ref = k.ref AND s.step = 2
    WHERE k.operation = 'hold' AND (p.ref IS NULL
        OR (k.status IS NULL) <> (s.ref IS NULL) OR s.kind = 'expired')
    """,
    """
    SELECT 'account ' || credit || ' was granted credits ' || count(*) || ' times' FROM transfer
    WHERE debit = 'house:grants' GROUP BY credit HAVING count(*) > 1
    """,
    """
    SELECT 'top-up ' || t.id || ' is ' || coalesce(t.status, 'undecided') || ' and '
        || CASE WHEN m.ref IS NULL THEN 'its credits were not posted' ELSE 'credits were posted for it' END
    FROM topup t LEFT JOIN transfer m ON m.ref = t.id AND m.step = 1 AND m.kind = 'direct'
        AND m.debit = 'house:topups' AND m.credit = t.account AND m.amount = t.credits
    WHERE (coalesce(t.status, '') = 'approved') <> (m.ref IS NOT NULL)
    """,
    """
    SELECT 'transfer ' || m.ref || ' posts credits of no top-up' FROM transfer m LEFT JOIN topup t ON t.id = m.ref
    WHERE m.debit = 'house:topups' AND t.id IS NULL
    """,
    """
    SELECT 'feedback is kept on ' || f.charge || ', which was not captured' FROM feedback f
    LEFT JOIN transfer s ON s.ref = f.charge AND s.step = 2 AND s.kind = 'posted' WHERE s.ref IS NULL
    """,
)
# ?: a time after which an answer that was given must still be kept.
_UNANSWERED = """
SELECT 'charge ' || p.ref || ' was captured and its answer is not kept' FROM transfer s
JOIN transfer p ON p.ref = s.ref AND p.step = 1
LEFT JOIN idempotency k ON k.account = p.debit AND k.operation = 'hold' AND k.key = p.key AND k.ref = p.ref
    AND k.status IS NOT NULL
WHERE s.kind = 'posted' AND s.made_at > ? AND k.id IS NULL
"""
# ?: for how long a key is kept (ms).
_TWICE = """
SELECT 'a key of account ' || account || ' was charged twice: ' || before || ' and ' || ref FROM (
    SELECT p.debit AS account, p.ref AS ref, p.made_at AS made_at,
        lag(p.ref) OVER same AS before, lag(s.made_at) OVER same AS settled_before
    FROM transfer p JOIN transfer s ON s.ref = p.ref AND s.step = 2 AND s.kind = 'posted'
    WHERE p.step = 1 WINDOW same AS (PARTITION BY p.debit, p.key ORDER BY p.ref)) AS charged
WHERE made_at < settled_before + ?
"""
_COUNTS = """
SELECT (SELECT count(*) FROM account WHERE house = 0), (SELECT count(*) FROM transfer),
    (SELECT count(*) FROM idempotency WHERE status IS NULL AND operation = 'hold')
"""


def audit(store: Store, now: int, terms: Terms) -> Audit:
    """Look at the ledger as it stands (one snapshot). Raises StoreUnavailable when it cannot be read at all."""
    # An hour's grace, for a clock that was put forward and back.
    timed = ((_UNANSWERED, (now - terms.key + _HOUR,)), (_TWICE, (terms.key - _HOUR,)))
    with store.snapshot() as look:
        accounts, transfers, held = next(look.rows(_COUNTS))
        findings = look.guards()
        findings += _told(look.damage())
        for query in _CHECKS:
            findings += _told(_sentences(look, query))
        for query, values in timed:
            findings += _told(_sentences(look, query, values))
        return Audit(tuple(findings), accounts, transfers, held)


def _sentences(look: Snapshot, query: str, values: tuple[int, ...] = ()) -> Iterator[str]:
    for row in look.rows(query, values):
        yield row[0]


def _told(faults: Iterator[str]) -> list[str]:
    try:
        sentences = [f"{fault}." for fault in islice(faults, SHOWN)]
        more = sum(1 for _ in faults)
    except StoreUnavailable as error:
        return [f"A check could not be made: {error}."]
    return [*sentences, f"There are {more} more of this kind."] if more else sentences
