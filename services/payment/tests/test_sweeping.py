import asyncio

import pytest

from payment.errors import ChargeNotHeld
from payment.ledger import sweeping
from payment.records import Account, Answer, Swept
from payment.sweeper import sweep_every


def test_a_hold_whose_caller_never_came_back_expires(bank, key, answer):
    """After its time its credits are available again, it can no longer be captured, and its key is free."""

    async def scenario(ledger):
        await ledger.open_account("ann", 5)
        charge = await ledger.hold("ann", key("k"), 5)
        bank.clock.forward(seconds=59.999)
        assert await ledger.sweep() == Swept(0, 0, 1)
        bank.clock.forward(seconds=0.001)
        assert await ledger.sweep() == Swept(1, 0, 0)
        assert await ledger.account("ann") == Account("ann", 5, 0)
        for settle in (ledger.capture, ledger.void):
            with pytest.raises(ChargeNotHeld, match="expired"):
                await settle("ann", charge.id, "a1", answer)
        again = await ledger.hold("ann", key("k", "a2"), 5)
        assert again.id != charge.id
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_an_answer_is_kept_for_a_day(bank, key, answer):
    """A finished key replays for 24 hours after it finished; then it may be used anew."""

    async def scenario(ledger):
        await ledger.open_account("ann", 5)
        charge = await ledger.hold("ann", key("k"), 1)
        bank.clock.forward(seconds=10)
        await ledger.capture("ann", charge.id, "a1", answer)
        bank.clock.forward(seconds=24 * 3600 - 0.001)
        assert (await ledger.sweep()).purged == 0
        assert await ledger.hold("ann", key("k", "a2"), 1) == answer
        bank.clock.forward(seconds=0.001)
        assert (await ledger.sweep()).purged == 1
        assert not isinstance(await ledger.hold("ann", key("k", "a2"), 1), Answer)
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_a_sweep_takes_all_that_is_due_in_small_batches(bank, key, monkeypatch):
    """However much is overdue, others get their turn in between."""
    monkeypatch.setattr(sweeping, "BATCH", 10)

    async def scenario(ledger):
        await ledger.open_account("ann", 100)
        await asyncio.gather(*(ledger.hold("ann", key(f"k{i}"), 1) for i in range(35)))
        bank.clock.forward(seconds=61)
        assert await ledger.sweep() == Swept(35, 0, 0)

    bank.run(scenario)
    assert sum(name == "sweep" for group in bank.witness.groups for name, _ in group) == 4


def test_a_top_up_that_nobody_finished_frees_its_key_after_a_day(bank, key):
    """No credits were moved, and the same key may begin another."""

    async def scenario(ledger):
        await ledger.open_account("ann", 0)
        begun = await ledger.begin_top_up("ann", key("k"), 50, "4242")
        bank.clock.forward(seconds=24 * 3600)
        assert await ledger.sweep() == Swept(0, 1, 0)
        assert (await ledger.begin_top_up("ann", key("k", "a2", "another"), 60, "4242")).id != begun.id
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_holds_from_before_the_clock_was_put_back_expire(bank, key):
    """Nothing is held for an hour because the clock went back by one."""

    async def scenario(ledger):
        await ledger.open_account("ann", 5)
        await ledger.hold("ann", key("k"), 5)
        bank.clock.forward(seconds=-3600)
        assert (await ledger.sweep()).expired == 1

    bank.run(scenario)


def test_the_sweeper_goes_on_by_itself(bank, key, witness, until):
    """It sweeps at once and again, tells what it saw, and stops when cancelled."""

    async def scenario(ledger):
        await ledger.open_account("ann", 5)
        await ledger.hold("ann", key("k"), 5)
        task = asyncio.create_task(sweep_every(0.01, ledger, witness))
        await until(lambda: witness.sweeps)
        bank.clock.forward(seconds=61)
        await until(lambda: not witness.sweeps[-1].held)
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
        assert sum(swept.expired for swept in witness.sweeps) == 1

    bank.run(scenario)
