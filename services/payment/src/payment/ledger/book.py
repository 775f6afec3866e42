"""The ledger as the rest of payment sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from payment.clock import Clock
from payment.errors import LedgerUnavailable
from payment.ledger import accounts, holds, settling, sweeping, topping_up
from payment.ledger.auditing import audit
from payment.ledger.store import Store, StoreUnavailable
from payment.ledger.writer import Observer, Writer
from payment.records import (
    Account,
    Answer,
    Audit,
    Charge,
    DecidedBy,
    Feedback,
    Key,
    Swept,
    Terms,
    TopUp,
    TopUpBegun,
    TopUpStatus,
)


class Ledger:
    """Every method is one transaction, durable when it returns; repeated under the same key it is the same one.

    Each may raise LedgerUnavailable, besides what its function in this package raises.
    """

    def __init__(self, store: Store, writer: Writer, clock: Clock, terms: Terms) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._terms = terms

    async def open_account(self, account: str, grant: int) -> Account:
        """Open an account with a grant; one that exists is answered as it is."""
        return await self._writer.do(accounts.open_account, account, grant)

    async def account(self, account: str) -> Account:
        """Balance and held credits."""
        return await self._writer.do(accounts.read_account, account)

    async def hold(self, account: str, key: Key, amount: int) -> Charge | Answer:
        """Reserve credits: a charge to go on with, or what this key was answered before."""
        return await self._writer.do(holds.hold, account, key, amount)

    async def capture(self, account: str, charge: str, attempt: str, answer: Answer) -> Charge:
        """Post a held charge and keep the answer."""
        return await self._writer.do(settling.capture, account, charge, attempt, answer)

    async def void(self, account: str, charge: str, attempt: str, answer: Answer | None) -> Charge:
        """Give a held charge back and keep the answer, if there is one."""
        return await self._writer.do(settling.void, account, charge, attempt, answer)

    async def begin_top_up(self, account: str, key: Key, amount: int, last4: str) -> TopUpBegun | TopUp:
        """Begin a top-up that is to be decided, or tell what was decided before."""
        return await self._writer.do(topping_up.begin_top_up, account, key, amount, last4)

    async def finish_top_up(
        self, account: str, key: Key, top_up: str, status: TopUpStatus, decided_by: DecidedBy
    ) -> TopUp:
        """Note the decision; approved credits are posted with it."""
        return await self._writer.do(topping_up.finish_top_up, account, key, top_up, status, decided_by)

    async def record_feedback(self, account: str, charge: str, label: int) -> Feedback:
        """Note what a captured reading really was."""
        return await self._writer.do(settling.record_feedback, account, charge, label)

    async def sweep(self) -> Swept:
        """Expire what is overdue and forget old keys, batch by batch, letting others in between."""
        expired = purged = 0
        while True:
            batch = await self._writer.do(sweeping.sweep)
            expired += batch.expired
            purged += batch.purged
            if batch.expired + batch.purged < sweeping.BATCH:
                return Swept(expired, purged, batch.held)

    async def audit(self) -> Audit:
        """Prove the books, from a connection of its own and one snapshot: nobody waits for it."""
        try:
            return await asyncio.to_thread(audit, self._store, self._clock.now(), self._terms)
        except StoreUnavailable as error:
            raise LedgerUnavailable from error


@contextlib.asynccontextmanager
async def open_ledger(store: Store, terms: Terms, clock: Clock, observer: Observer) -> AsyncIterator[Ledger]:
    """Open the ledger in `store` and its writer; on leaving, finish what waits and close.

    Raises what `store.session` raises.
    """
    writer = Writer(await asyncio.to_thread(store.session), terms, clock, observer)
    try:
        yield Ledger(store, writer, clock, terms)
    finally:
        await writer.close()
