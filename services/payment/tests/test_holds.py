import pytest

from payment.errors import ChargeNotHeld, ChargeTakenOver, InFlight, InsufficientCredits, KeyReused, NotFound
from payment.records import Account, Answer, ChargeState


def test_a_hold_reserves_credits(bank, key):
    """Held credits stay in the balance and are no longer available."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 3)
        assert (charge.amount, charge.state, charge.available) == (3, ChargeState.HELD, 17)
        assert charge.id.startswith("chg_")
        assert await ledger.account("ann") == Account("ann", 20, 3)

    bank.run(scenario)


def test_the_same_attempt_gets_the_same_charge(bank, key):
    """A call that the network repeated holds nothing more."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        first = await ledger.hold("ann", key("k"), 1)
        assert await ledger.hold("ann", key("k"), 1) == first
        assert await ledger.account("ann") == Account("ann", 20, 1)

    bank.run(scenario)


def test_another_attempt_waits_for_the_lease_and_then_takes_over(bank, key, answer):
    """While the lease runs the key is in flight; after it the same charge has a new owner, and the old one has none."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        first = await ledger.hold("ann", key("k", "a1"), 1)
        bank.clock.forward(seconds=14.999)
        with pytest.raises(InFlight):
            await ledger.hold("ann", key("k", "a2"), 1)
        bank.clock.forward(seconds=0.001)
        assert await ledger.hold("ann", key("k", "a2"), 1) == first
        for settle in (ledger.capture, ledger.void):
            with pytest.raises(ChargeTakenOver):
                await settle("ann", first.id, "a1", answer)
        with pytest.raises(InFlight):
            await ledger.hold("ann", key("k", "a1"), 1)
        assert (await ledger.capture("ann", first.id, "a2", answer)).state is ChargeState.CAPTURED
        with pytest.raises(ChargeTakenOver):
            await ledger.capture("ann", first.id, "a1", answer)
        assert await ledger.account("ann") == Account("ann", 19, 0)

    bank.run(scenario)


def test_a_late_owner_that_nobody_replaced_may_still_settle(bank, key, answer):
    """The end of a lease lets others in; it takes nothing from an owner who is alone."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        bank.clock.forward(seconds=30)
        assert (await ledger.capture("ann", charge.id, "a1", answer)).state is ChargeState.CAPTURED

    bank.run(scenario)


def test_a_key_means_one_request(bank, key, answer):
    """Another fingerprint is refused while the key is in flight and after it finished."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        with pytest.raises(KeyReused):
            await ledger.hold("ann", key("k", meaning="another"), 1)
        await ledger.capture("ann", charge.id, "a1", answer)
        with pytest.raises(KeyReused):
            await ledger.hold("ann", key("k", meaning="another"), 1)

    bank.run(scenario)


@pytest.mark.parametrize("how", ["capture", "void"])
def test_a_finished_key_gives_its_answer_again(bank, key, answer, how):
    """Any attempt is told what the first was told, and nothing is held for it."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        await getattr(ledger, how)("ann", charge.id, "a1", answer)
        assert await ledger.hold("ann", key("k", "a1"), 1) == answer
        assert await ledger.hold("ann", key("k", "a9"), 1) == answer
        assert (await ledger.account("ann")).held == 0

    bank.run(scenario)


def test_keys_belong_to_their_account(bank, key, answer):
    """The same text under another account is another key."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        await ledger.open_account("bob", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        other = await ledger.hold("bob", key("k", "a2", "another"), 2)
        assert other.id != charge.id
        await ledger.capture("ann", charge.id, "a1", answer)
        assert not isinstance(await ledger.hold("bob", key("k", "a2", "another"), 2), Answer)

    bank.run(scenario)


def test_keys_belong_to_their_operation(bank, key):
    """A top-up and a charge may carry the same key."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        await ledger.hold("ann", key("k"), 1)
        assert (await ledger.begin_top_up("ann", key("k", "a2", "another"), 50, "4242")).id.startswith("top_")

    bank.run(scenario)


def test_credits_that_are_held_cannot_be_held_again(bank, key):
    """A hold beyond what is available is refused, changes nothing, and leaves its key unused."""

    async def scenario(ledger):
        await ledger.open_account("ann", 5)
        await ledger.hold("ann", key("k1"), 3)
        with pytest.raises(InsufficientCredits, match="costs 3 credits and 2 are left"):
            await ledger.hold("ann", key("k2"), 3)
        assert await ledger.account("ann") == Account("ann", 5, 3)
        assert (await ledger.hold("ann", key("k2", meaning="less"), 2)).available == 0

    bank.run(scenario)


def test_an_unknown_account_holds_nothing(bank, key):
    """There is no such account."""

    async def scenario(ledger):
        with pytest.raises(NotFound):
            await ledger.hold("nobody", key("k"), 1)

    bank.run(scenario)


def test_a_hold_that_outlived_its_time_frees_its_key_even_before_the_sweep(bank, key, answer):
    """After 60 s the same key starts a new charge, whatever it means now; the old one can no longer be settled."""

    async def scenario(ledger):
        await ledger.open_account("ann", 1)
        old = await ledger.hold("ann", key("k"), 1)
        bank.clock.forward(seconds=60)
        with pytest.raises(ChargeNotHeld):
            await ledger.capture("ann", old.id, "a1", answer)
        new = await ledger.hold("ann", key("k", "a2", "another"), 1)
        assert new.id != old.id
        assert await ledger.account("ann") == Account("ann", 1, 1)
        with pytest.raises(ChargeNotHeld):
            await ledger.capture("ann", old.id, "a1", answer)
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_a_take_over_gives_the_new_owner_the_whole_time(bank, key, answer):
    """A charge that was taken over late does not expire under its new owner's hands."""

    async def scenario(ledger):
        await ledger.open_account("ann", 1)
        charge = await ledger.hold("ann", key("k", "a1"), 1)
        bank.clock.forward(seconds=59)
        await ledger.hold("ann", key("k", "a2"), 1)
        bank.clock.forward(seconds=59)
        assert (await ledger.capture("ann", charge.id, "a2", answer)).state is ChargeState.CAPTURED

    bank.run(scenario)


def test_a_lease_from_before_the_clock_was_put_back_is_over(bank, key):
    """A key is never in flight for an hour because the clock went back by one."""

    async def scenario(ledger):
        await ledger.open_account("ann", 1)
        charge = await ledger.hold("ann", key("k", "a1"), 1)
        bank.clock.forward(seconds=-3600)
        assert (await ledger.hold("ann", key("k", "a2"), 1)).id == charge.id

    bank.run(scenario)
