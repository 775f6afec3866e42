"""What payment can do: the one object behind REST and gRPC."""

from __future__ import annotations

from payment import checks
from payment.ledger.book import Ledger
from payment.records import Account, Answer, Audit, Charge, Feedback, Key, TopUp
from payment.topups import TopUps


class Payments:
    """Checks every field, then asks the ledger. Raises the faults of errors.py."""

    def __init__(self, ledger: Ledger, top_ups: TopUps) -> None:
        self._ledger = ledger
        self._top_ups = top_ups

    async def open_account(self, account: str, grant: int) -> Account:
        """Open an account with a grant; one that exists is answered as it is."""
        checks.account_id(account)
        checks.grant(grant)
        return await self._ledger.open_account(account, grant)

    async def account(self, account: str) -> Account:
        """Balance and held credits."""
        checks.account_id(account)
        return await self._ledger.account(account)

    async def hold(self, account: str, key: Key, amount: int) -> Charge | Answer:
        """Reserve credits: a charge to go on with, or what this key was answered before."""
        checks.account_id(account)
        checks.key(key)
        checks.amount(amount)
        return await self._ledger.hold(account, key, amount)

    async def capture(self, account: str, charge: str, attempt: str, answer: Answer) -> Charge:
        """Post a held charge and keep the answer."""
        checks.account_id(account)
        checks.charge_id(charge)
        checks.attempt(attempt)
        checks.answer(answer)
        return await self._ledger.capture(account, charge, attempt, answer)

    async def void(self, account: str, charge: str, attempt: str, answer: Answer | None) -> Charge:
        """Give a held charge back; the answer is kept, or without one the key is free for another try."""
        checks.account_id(account)
        checks.charge_id(charge)
        checks.attempt(attempt)
        if answer is not None:
            checks.answer(answer)
        return await self._ledger.void(account, charge, attempt, answer)

    async def top_up(self, account: str, key: Key, amount: int, card: str) -> TopUp:
        """Buy credits: decided once for each key."""
        checks.account_id(account)
        checks.key(key)
        checks.top_up(amount)
        return await self._top_ups.buy(account, key, amount, card)

    async def record_feedback(self, account: str, charge: str, label: int) -> Feedback:
        """Note what a captured reading really was."""
        checks.account_id(account)
        checks.charge_id(charge)
        checks.label(label)
        return await self._ledger.record_feedback(account, charge, label)

    async def audit(self) -> Audit:
        """Prove the books."""
        return await self._ledger.audit()
