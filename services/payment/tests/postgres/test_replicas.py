"""Several processes of payment on one PostgreSQL: what one ledger promises, all of them promise together."""

import asyncio
import itertools
import random
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from contending import debit, insist

from payment.errors import InsufficientCredits
from payment.records import Account, Charge


@pytest.fixture
def together(postgres_bank):
    """Run a scenario with three ledgers, each with its own connections and writer, and audit what is left."""

    def run(scenario):
        async def play():
            async with AsyncExitStack() as stack:
                ledgers = [await stack.enter_async_context(postgres_bank.open()) for _ in range(3)]
                await scenario(ledgers)
                assert (await ledgers[0].audit()).findings == ()

        asyncio.run(play())
        assert {outcome for group in postgres_bank.witness.groups for _, outcome in group}.isdisjoint({"error"})

    return run


def test_200_debits_of_100_credits_are_100(together, key, answer):
    """Whichever replica each goes to."""

    async def scenario(ledgers):
        await ledgers[0].open_account("ann", 100)
        calls = (
            debit(ledger, key(f"k{n}"), answer) for ledger, n in zip(itertools.cycle(ledgers), range(200), strict=False)
        )
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert Counter(type(result) for result in results) == {Charge: 100, InsufficientCredits: 100}
        assert await ledgers[1].account("ann") == Account("ann", 0, 0)

    together(scenario)


def test_requests_with_one_key_have_one_effect(together, key):
    """A key belongs to whoever came first, on whichever replica; all are told the same."""
    keys, requests = 10, 30

    async def scenario(ledgers):
        await ledgers[0].open_account("ann", 1000)
        for name in (f"k{n}" for n in range(keys)):
            calls = (
                insist(ledger, key, name, n)
                for ledger, n in zip(itertools.cycle(ledgers), range(requests), strict=False)
            )
            assert len(set(await asyncio.gather(*calls))) == 1
        assert await ledgers[2].account("ann") == Account("ann", 1000 - keys, 0)

    together(scenario)


def test_an_account_is_opened_once(together):
    """Replicas that open the same accounts at once, in any order, grant credits once each."""
    names = [f"a{n}" for n in range(40)]

    async def scenario(ledgers):
        calls = [(ledger, name) for ledger in ledgers for name in random.sample(names, len(names))]
        opened = await asyncio.gather(*(ledger.open_account(name, 20) for ledger, name in calls))
        assert {(account.balance, account.held) for account in opened} == {(20, 0)}

    together(scenario)


def test_charges_of_many_accounts_do_not_stand_in_each_other_s_way(together, key, answer):
    """Whatever each replica's groups are made of, nobody is refused and nothing is left."""
    names = [f"a{n}" for n in range(12)]

    async def pay(ledger, name, number):
        charge = await ledger.hold(name, key(f"k{number}"), 1)
        await (ledger.capture if number % 3 else ledger.void)(name, charge.id, "a1", answer)

    async def scenario(ledgers):
        for name in names:
            await ledgers[0].open_account(name, 1000)
        calls = [(random.choice(ledgers), random.choice(names), number) for number in range(600)]
        await asyncio.gather(*(pay(*call) for call in calls))
        left = [await ledgers[0].account(name) for name in names]
        assert sum(account.balance for account in left) == 12_000 - 400
        assert sum(account.held for account in left) == 0

    together(scenario)


def test_sweeps_do_not_meet(together, postgres_bank, key):
    """Each overdue charge expires once, while others hold and settle on the same accounts."""

    async def scenario(ledgers):
        await ledgers[0].open_account("ann", 200)
        await asyncio.gather(*(ledgers[n % 3].hold("ann", key(f"old{n}"), 1) for n in range(100)))
        postgres_bank.clock.forward(seconds=61)
        busy = (ledgers[n % 3].hold("ann", key(f"new{n}"), 1) for n in range(60))
        swept = asyncio.gather(*(ledger.sweep() for ledger in ledgers * 3))
        await asyncio.gather(*busy)
        expired = sum(one.expired for one in await swept) + (await ledgers[0].sweep()).expired
        assert expired == 100
        assert await ledgers[0].account("ann") == Account("ann", 200, 60)

    together(scenario)
