import pytest

from payment.errors import NotFound
from payment.records import Account


def test_opening_grants_credits_once(bank):
    """Opening the same account again, with whatever grant, answers it as it is."""

    async def scenario(ledger):
        assert await ledger.open_account("ann", 20) == Account("ann", 20, 0)
        assert await ledger.open_account("ann", 500) == Account("ann", 20, 0)
        assert await ledger.account("ann") == Account("ann", 20, 0)
        assert (await ledger.audit()).transfers == 1

    bank.run(scenario)


def test_a_grant_of_nothing_makes_no_transfer(bank):
    """An account may be opened empty."""

    async def scenario(ledger):
        assert await ledger.open_account("ann", 0) == Account("ann", 0, 0)
        assert (await ledger.audit()).transfers == 0

    bank.run(scenario)


@pytest.mark.parametrize("name", ["nobody", "house:revenue"])
def test_unknown_and_house_accounts_are_not_found(bank, name):
    """Nobody outside can read an account of the house."""

    async def scenario(ledger):
        with pytest.raises(NotFound):
            await ledger.account(name)

    bank.run(scenario)


def test_what_was_acknowledged_is_there_after_a_restart(bank):
    """The ledger is a file: closing and opening it changes nothing."""
    bank.run(lambda ledger: ledger.open_account("ann", 20))
    assert bank.run(lambda ledger: ledger.account("ann")) == Account("ann", 20, 0)
