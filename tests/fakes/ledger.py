"""payment, in memory: passes the same contract tests as the adapter over gRPC."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.readings import Account, Answer, Feedback, Held, Key, TopUp
from runtime.errors import Code, Fault

STATUS_OF_CARD = {"4242424242424242": "approved", "4000000000009235": "review", "4000000000000002": "declined"}


@dataclass
class FakeLedger:
    """Accounts, holds and keys as payment keeps them, without time: a hold's lease never runs out."""

    balances: dict[str, int] = field(default_factory=dict)
    charges: dict[str, Held] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], tuple[bytes, Held | Answer | TopUp]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    def _held(self, account_id: str) -> int:
        return sum(
            charge.amount
            for charge in self.charges.values()
            if charge.account_id == account_id and self.states[charge.charge_id] == "held"
        )

    def _known(self, account_id: str) -> None:
        if account_id not in self.balances:
            raise Fault(Code.NOT_FOUND, "not-found", "No such account.")

    def _before(self, account_id: str, operation: str, key: Key):
        found = self.keys.get((account_id, operation, key.key))
        if found and found[0] != key.fingerprint:
            raise Fault(Code.KEY_REUSED, "key-reused", "The key was used with another payload.")
        return found[1] if found else None

    async def open_account(self, account_id: str, credits_: int) -> Account:
        self.balances.setdefault(account_id, credits_)
        return await self.account(account_id)

    async def account(self, account_id: str) -> Account:
        self._known(account_id)
        return Account(account_id, self.balances[account_id], self._held(account_id))

    async def hold(self, account_id: str, key: Key, amount: int) -> Held | Answer:
        self._known(account_id)
        before = self._before(account_id, "charge", key)
        if isinstance(before, Answer):
            return before
        if isinstance(before, Held):
            if before.attempt != key.attempt:
                raise Fault(Code.IN_FLIGHT, "in-flight", "The key is in flight.")
            return before
        available = self.balances[account_id] - self._held(account_id) - amount
        if available < 0:
            raise Fault(Code.PAYMENT_REQUIRED, "insufficient-credits", "Not enough credits.")
        held = Held(account_id, f"chg_{len(self.charges)}", key.attempt, amount, available)
        self.charges[held.charge_id] = held
        self.states[held.charge_id] = "held"
        self.keys[account_id, "charge", key.key] = (key.fingerprint, held)
        return held

    async def capture(self, held: Held, answer: Answer) -> None:
        self._settle(held, answer, "captured")

    async def void(self, held: Held, answer: Answer) -> None:
        self._settle(held, answer, "voided")

    def _settle(self, held: Held, answer: Answer, state: str) -> None:
        if held.charge_id not in self.charges or self.charges[held.charge_id].account_id != held.account_id:
            raise Fault(Code.NOT_FOUND, "not-found", "No such charge.")
        if self.states[held.charge_id] == state:
            return
        if self.states[held.charge_id] != "held":
            raise Fault(Code.SETTLED, "charge-not-held", "The charge is settled.")
        self.states[held.charge_id] = state
        self.answers[held.charge_id] = answer
        if state == "captured":
            self.balances[held.account_id] -= held.amount
        for name, (fingerprint, found) in self.keys.items():
            if isinstance(found, Held) and found.charge_id == held.charge_id:
                self.keys[name] = (fingerprint, answer)

    async def top_up(self, account_id: str, key: Key, credits_: int, card: str) -> TopUp:
        self._known(account_id)
        before = self._before(account_id, "top-up", key)
        if isinstance(before, TopUp):
            return TopUp(before.top_up_id, before.status, before.decided_by, before.available, True)
        if card not in STATUS_OF_CARD:
            raise Fault(Code.INVALID, "unknown-card", "Not one of the test cards.")
        status = STATUS_OF_CARD[card]
        if status == "approved":
            self.balances[account_id] += credits_
        available = self.balances[account_id] - self._held(account_id)
        done = TopUp(f"top_{len(self.keys)}", status, "model", available, False)
        self.keys[account_id, "top-up", key.key] = (key.fingerprint, done)
        return done

    async def feedback(self, account_id: str, charge_id: str, label: int) -> Feedback:
        charge = self.charges.get(charge_id)
        if charge is None or charge.account_id != account_id or self.states[charge_id] != "captured":
            raise Fault(Code.NOT_FOUND, "not-found", "No such charge.")
        if self.labels.get(charge_id, label) != label:
            raise Fault(Code.CONFLICT, "feedback-differs", "Other feedback was given.")
        first = charge_id not in self.labels
        self.labels[charge_id] = label
        return Feedback(first, self.answers[charge_id])
