import asyncio
from collections import Counter

from contending import debit, insist

from payment.errors import InsufficientCredits
from payment.records import Account, Answer, Charge


def test_200_debits_of_100_credits_are_100(bank, key, answer):
    """However many ask at once, exactly what is there is spent."""

    async def scenario(ledger):
        await ledger.open_account("ann", 100)
        results = await asyncio.gather(
            *(debit(ledger, key(f"k{n}"), answer) for n in range(200)), return_exceptions=True
        )
        assert Counter(type(result) for result in results) == {Charge: 100, InsufficientCredits: 100}
        assert await ledger.account("ann") == Account("ann", 0, 0)
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_what_a_crowd_writes_together_is_each_one_s_own(bank, key):
    """A hundred visitors who pay at the same moment are each charged what they asked for, and answered their own."""
    visitors = [f"v{number:03}" for number in range(100)]

    async def scenario(ledger):
        await asyncio.gather(*(ledger.open_account(name, 100) for name in visitors))
        held = await asyncio.gather(*(ledger.hold(name, key("k"), n + 1) for n, name in enumerate(visitors)))
        refs = [charge.id for charge in held]
        answers = [Answer(201, name.encode()) for name in visitors]
        await asyncio.gather(
            *(ledger.capture(*who, "a1", told) for *who, told in zip(visitors, refs, answers, strict=True))
        )
        assert [await ledger.account(name) for name in visitors] == [
            Account(name, 99 - n, 0) for n, name in enumerate(visitors)
        ]
        assert [await ledger.hold(name, key("k", "a2"), n + 1) for n, name in enumerate(visitors)] == answers
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_64_requests_with_one_key_have_one_effect(bank, key):
    """Each asks with an attempt of its own, again and again while the key is in flight; all get the same answer."""
    keys, requests = 40, 64

    async def scenario(ledger):
        await ledger.open_account("ann", 1000)
        for name in (f"k{n}" for n in range(keys)):
            assert len(set(await asyncio.gather(*(insist(ledger, key, name, n) for n in range(requests))))) == 1
        assert await ledger.account("ann") == Account("ann", 1000 - keys, 0)
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)
