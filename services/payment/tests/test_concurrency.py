import asyncio
from collections import Counter

from contending import debit, insist

from payment.errors import InsufficientCredits
from payment.records import Account, Charge


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
