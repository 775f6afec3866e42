"""Proving the books: each check is a query whose every row is a fault, told in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from payment.ledger.database import connect_to_read, schema
from payment.records import Audit, Terms

Check = Callable[[sqlite3.Connection], Iterator[str]]

SHOWN = 20
"""Faults of one kind that are told one by one."""

_HOUR = 3_600_000

# :since is a time after which an answer that was given must still be kept, :kept for how long keys are.
_CHECKS = (
    """
    SELECT 'debits and credits differ by ' || off FROM (SELECT sum(posted) AS off FROM account) WHERE off <> 0
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
        ) GROUP BY id) m ON m.id = a.id
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
    SELECT 'charge ' || p.ref || ' was captured and its answer is not kept' FROM transfer s
    JOIN transfer p ON p.ref = s.ref AND p.step = 1
    LEFT JOIN idempotency k ON k.account = p.debit AND k.operation = 'hold' AND k.key = p.key AND k.ref = p.ref
        AND k.status IS NOT NULL
    WHERE s.kind = 'posted' AND s.made_at > :since AND k.id IS NULL
    """,
    """
    SELECT 'a key of account ' || account || ' was charged twice: ' || before || ' and ' || ref FROM (
        SELECT p.debit AS account, p.ref AS ref, p.made_at AS made_at,
            lag(p.ref) OVER same AS before, lag(s.made_at) OVER same AS settled_before
        FROM transfer p JOIN transfer s ON s.ref = p.ref AND s.step = 2 AND s.kind = 'posted'
        WHERE p.step = 1 WINDOW same AS (PARTITION BY p.debit, p.key ORDER BY p.ref))
    WHERE made_at < settled_before + :kept
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
    WHERE (t.status IS 'approved') <> (m.ref IS NOT NULL)
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
_COUNTS = """
SELECT (SELECT count(*) FROM account WHERE house = 0), (SELECT count(*) FROM transfer),
    (SELECT count(*) FROM idempotency WHERE status IS NULL AND operation = 'hold')
"""


def audit(path: Path, now: int, terms: Terms) -> Audit:
    """Look at the ledger at `path` as it stands (one snapshot). Raises sqlite3.Error when it cannot be read at all."""
    # An hour's grace, for a clock that was put forward and back.
    times = {"since": now - terms.key + _HOUR, "kept": terms.key - _HOUR}
    connection = connect_to_read(path)
    try:
        connection.execute("BEGIN")
        accounts, transfers, held = connection.execute(_COUNTS).fetchone()
        findings = _guards(connection)
        checks: list[Check] = [_damage, _strays, *(partial(_ask, query, times) for query in _CHECKS)]
        for check in checks:
            findings += _told(connection, check)
        return Audit(tuple(findings), accounts, transfers, held)
    finally:
        connection.close()


def _told(connection: sqlite3.Connection, check: Check) -> list[str]:
    try:
        faults = check(connection)
        sentences = [f"{fault}." for fault in islice(faults, SHOWN)]
        more = sum(1 for _ in faults)
    except sqlite3.DatabaseError as error:  # a ledger so broken that a question cannot even be asked
        return [f"A check could not be made: {error}."]
    return [*sentences, f"There are {more} more of this kind."] if more else sentences


def _ask(query: str, times: dict[str, int], connection: sqlite3.Connection) -> Iterator[str]:
    return (row[0] for row in connection.execute(query, times))


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    return (f"The file is damaged: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok")


def _strays(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute("PRAGMA foreign_key_check")
    return (f"A row of {table} names an unknown row of {parent}" for table, _, parent, _ in rows)


def _guards(connection: sqlite3.Connection) -> list[str]:
    parts = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    fresh = sqlite3.connect(":memory:")
    for statement in schema():
        fresh.execute(statement)
    wanted, present = dict(fresh.execute(parts)), dict(connection.execute(parts))
    fresh.close()
    return [f"The {part} is missing or changed." for part, sql in wanted.items() if present.get(part) != sql]
