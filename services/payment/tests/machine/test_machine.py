"""The ledger against a model in memory that is too simple to be wrong.

INKMESH_STEPS (500) is how many steps are made at least, INKMESH_SEED (0) where they begin.
"""

import asyncio
import itertools
import os
import sys

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from payment.errors import (
    ChargeNotHeld,
    ChargeTakenOver,
    FeedbackDiffers,
    InsufficientCredits,
    NotFound,
)
from payment.records import Account, Answer, ChargeState, DecidedBy, Feedback, TopUp, TopUpStatus
from runtime.errors import Fault

ACCOUNTS = st.sampled_from(["ann", "bob"])
KEYS = st.sampled_from(["k1", "k2", "k3"])
ATTEMPTS = st.sampled_from(["a1", "a2"])
MEANINGS = st.sampled_from(["one", "two"])
ANSWERS = st.builds(Answer, st.sampled_from([201, 503]), st.binary(max_size=8))


class LedgerMachine(RuleBasedStateMachine):
    """Every rule does the same to both, and compares what each says."""

    bank = key = new_books = None  # set by the test
    steps = 0

    @initialize()
    def open(self):
        self.books, self.runner = self.new_books(), asyncio.Runner()
        self.bank.renew()
        self.begin()

    def begin(self):
        self.opened = self.bank.open()
        self.ledger = self.runner.run(self.opened.__aenter__())

    def teardown(self):
        if hasattr(self, "opened"):
            audit = self.runner.run(self.ledger.audit())
            self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()
            assert audit.findings == ()

    def both(self, model, call):
        """What the ledger says, or the type of its refusal; it must be the model's."""
        try:
            expected = model()
        except Fault as fault:
            expected = type(fault)
        try:
            told = self.runner.run(call)
        except Fault as fault:
            told = type(fault)
        assert told == expected if isinstance(expected, type) or not callable(expected) else expected(told)

    @rule(account=ACCOUNTS, grant=st.integers(0, 6))
    def open_account(self, account, grant):
        def model():
            self.books.balance.setdefault(account, grant)
            return Account(account, self.books.balance[account], self.books.held(account))

        self.both(model, self.ledger.open_account(account, grant))

    @rule(account=ACCOUNTS, text=KEYS, attempt=ATTEMPTS, meaning=MEANINGS, amount=st.integers(1, 3))
    def hold(self, account, text, attempt, meaning, amount):
        books = self.books

        def model():
            keys = dict(books.keys)
            matter = books.find("hold", account, text, attempt, meaning)
            if matter is not None:
                if matter.answer is not None:
                    return matter.answer
                return lambda told: (
                    (told.id, told.amount, told.available)
                    == (
                        matter.ref,
                        matter.amount,
                        books.available(account),
                    )
                )
            if books.available(account) < amount:
                books.keys = keys  # refused: nothing of it happened, not even the old one's expiry
                old = keys.get(("hold", account, text))
                if old is not None:
                    old.state = "held"
                raise InsufficientCredits(amount, 0)

            def new(told):
                books.charge(told.id, account, text, amount, attempt, meaning)
                return (told.amount, told.state, told.available) == (
                    amount,
                    ChargeState.HELD,
                    books.available(account),
                )

            return new

        self.both(model, self.ledger.hold(account, self.key(text, attempt, meaning), amount))

    @precondition(lambda self: self.books.charges)
    @rule(data=st.data(), account=ACCOUNTS, attempt=ATTEMPTS, answer=ANSWERS, how=st.sampled_from(["capture", "void"]))
    def settle(self, data, account, attempt, answer, how):
        books = self.books
        ref = data.draw(st.sampled_from(list(books.charges)))
        if how == "void" and data.draw(st.booleans()):
            answer = None

        def model():
            charge = books.charges[ref]
            name = next((name for name, matter in books.keys.items() if matter is charge), None)
            wanted = {"capture": "captured", "void": "voided"}[how]
            if charge.account != account:
                raise NotFound("charge")
            if charge.state not in {"held", wanted}:
                raise ChargeNotHeld(charge.state)
            if name is not None and charge.owner != attempt:
                raise ChargeTakenOver
            if charge.state == "held":
                if charge.until <= books.now:
                    raise ChargeNotHeld("expired")
                charge.state = wanted
                books.answer(charge, answer)
                if how == "capture":
                    books.balance[account] -= charge.amount
                if answer is None:
                    del books.keys[name]
            return lambda told: (
                (told.amount, told.state, told.available)
                == (
                    charge.amount,
                    wanted,
                    books.available(account),
                )
            )

        self.both(model, getattr(self.ledger, how)(account, ref, attempt, answer))

    @precondition(lambda self: self.books.charges)
    @rule(data=st.data(), account=ACCOUNTS, label=st.integers(0, 2))
    def feedback(self, data, account, label):
        books = self.books
        ref = data.draw(st.sampled_from(list(books.charges)))

        def model():
            charge = books.charges[ref]
            if charge.account != account or charge.state != "captured":
                raise NotFound("charge")
            if charge.label not in {None, label}:
                raise FeedbackDiffers
            first, charge.label = charge.label is None, label
            kept = any(matter is charge for matter in books.keys.values())
            return Feedback(first, charge.answer if kept else None)

        self.both(model, self.ledger.record_feedback(account, ref, label))

    @rule(account=ACCOUNTS, text=KEYS, attempt=ATTEMPTS, meaning=MEANINGS, status=st.sampled_from(TopUpStatus))
    def top_up(self, account, text, attempt, meaning, status):
        books, key = self.books, self.key(text, attempt, meaning)
        begun = None

        def begin():
            matter = books.find("topup", account, text, attempt, meaning)
            if matter is not None and matter.answer is not None:
                return matter.answer.again()

            def new(told):
                nonlocal begun
                begun = matter or books.top_up(told.id, account, text, 4, attempt, meaning)
                return told.id == begun.ref

            return new

        self.both(begin, self.ledger.begin_top_up(account, key, 4, "4242"))
        if begun is None or (attempt == "a2" and status is TopUpStatus.REVIEW):
            return  # answered, refused, or its decider crashed

        def finish():
            books.balance[account] += 4 if status is TopUpStatus.APPROVED else 0
            books.answer(begun, TopUp(begun.ref, status, DecidedBy.MODEL, books.available(account)))
            return begun.answer

        self.both(finish, self.ledger.finish_top_up(account, key, begun.ref, status, DecidedBy.MODEL))

    @rule(seconds=st.sampled_from([1, 14, 15, 45, 60, 3600, 24 * 3600]), sweep=st.booleans())
    def wait(self, seconds, sweep):
        self.books.now += seconds
        self.bank.clock.forward(seconds=seconds)
        if sweep:
            self.books.sweep()
            self.runner.run(self.ledger.sweep())

    @rule()
    def restart(self):
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.begin()

    @invariant()
    def balances_agree(self):
        LedgerMachine.steps += 1
        if not hasattr(self, "ledger"):
            return
        for account, balance in self.books.balance.items():
            told = self.runner.run(self.ledger.account(account))
            assert told == Account(account, balance, self.books.held(account))


@pytest.mark.timeout(3660)  # 10,000 steps on PostgreSQL take six minutes
def test_the_ledger_does_what_the_model_says(bank, key, books):
    """Any sequence of calls, waits, sweeps and restarts has the model's answers, refusals and balances."""
    LedgerMachine.bank, LedgerMachine.key, LedgerMachine.new_books = bank, staticmethod(key), books
    LedgerMachine.steps = 0
    first = int(os.environ.get("INKMESH_SEED", "0"))
    for number in itertools.count(first):
        sys.stdout.write(f"{bank.kind}: seed {number} after {LedgerMachine.steps} steps\n")
        if LedgerMachine.steps >= int(os.environ.get("INKMESH_STEPS", "500")):
            return
        run_state_machine_as_test(
            seed(number)(LedgerMachine),
            settings=settings(
                max_examples=25,
                stateful_step_count=40,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
