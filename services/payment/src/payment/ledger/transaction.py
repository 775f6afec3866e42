"""What each ledger operation is given: the open transaction, the time, and the terms."""

from __future__ import annotations

import os

from payment.ledger.store import Session
from payment.records import Terms


class Transaction:
    """One group's transaction. `now` (ms) is the same for all that is in it."""

    __slots__ = ("alone", "execute", "lock", "now", "terms")

    def __init__(self, session: Session, terms: Terms) -> None:
        self.execute = session.execute
        self.lock = session.lock
        self.alone = session.alone
        self.terms = terms
        self.now = 0

    def new_ref(self, kind: str) -> str:
        """Make the id of a charge (chg), a top-up (top) or a grant (grt): in order of time, and not to be guessed."""
        return f"{kind}_{self.now:012x}{os.urandom(8).hex()}"

    def is_over(self, until: int, length: int) -> bool:
        """Whether something that is granted for `length` ms and noted to end at `until` has ended.

        An end further ahead than is ever granted was noted before the clock was put back: it does not count either.
        """
        return until <= self.now or until > self.now + 2 * length
