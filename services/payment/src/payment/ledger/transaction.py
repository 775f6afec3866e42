"""What each ledger operation is given: the open transaction, the time, and the terms."""

from __future__ import annotations

import os
from collections.abc import Sequence

from payment.ledger.store import Session
from payment.records import Terms


class Transaction:
    """One group's transaction. `now` (ms) is the same for all that is in it; `execute` is for reading.

    What operations write waits until somebody must see it: an operation on the same account, or the commit. So the rows
    of a group go to the database many at a time.
    """

    __slots__ = ("_account", "_session", "_touched", "_waiting", "alone", "execute", "lock", "now", "terms", "wrote")

    def __init__(self, session: Session, terms: Terms) -> None:
        self._session = session
        self.execute = session.execute
        self.lock = session.lock
        self.alone = session.alone
        self.terms = terms
        self.now = 0
        self.wrote = False
        """Whether the operation wrote anything: without a savepoint it cannot be undone alone."""
        self._account: str | None = None
        self._waiting: dict[str, list[Sequence[object]]] = {}
        self._touched: set[str] = set()

    def write(self, statement: str, values: Sequence[object]) -> None:
        """Write before the group's commit. Statements are run in the order in which the group first used them."""
        self.wrote = True
        self._waiting.setdefault(statement, []).append(values)

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Write at once, after all that waits; how many rows it changed."""
        self.wrote = True
        self.flush()
        return self.execute(statement, values).rowcount

    def begin(self, now: int, accounts: Sequence[str]) -> None:
        """Begin a group, with nothing left of the one before."""
        self.now = now
        self._waiting.clear()
        self._touched.clear()
        self._session.begin(accounts)

    def enter(self, account: str | None) -> None:
        """Begin an operation on an account, or on any (None): it sees what was written there before."""
        self.wrote = False
        self._account = account
        if account is None or account in self._touched:
            self.flush()
        if account is not None:
            self._session.have(account)

    def leave(self) -> None:
        """End the operation."""
        if self._account is None:
            self.flush()
        elif self.wrote:
            self._touched.add(self._account)

    def undo(self) -> None:
        """Undo the operation, which stands apart: nothing of others waits."""
        self._waiting.clear()
        self._session.undo()

    def flush(self) -> None:
        """Send to the database what waits."""
        for statement, rows in self._waiting.items():
            self._session.write(statement, rows)
        self._waiting.clear()
        self._touched.clear()

    def new_ref(self, kind: str) -> str:
        """Make the id of a charge (chg), a top-up (top) or a grant (grt): in order of time, and not to be guessed."""
        return f"{kind}_{self.now:012x}{os.urandom(8).hex()}"

    def is_over(self, until: int, length: int) -> bool:
        """Whether something that is granted for `length` ms and noted to end at `until` has ended.

        An end further ahead than is ever granted was noted before the clock was put back: it does not count either.
        """
        return until <= self.now or until > self.now + 2 * length
