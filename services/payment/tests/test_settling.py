import pytest

from payment.errors import ChargeNotHeld, ChargeTakenOver, FeedbackDiffers, NotFound
from payment.records import Account, Answer, ChargeState, Feedback


def test_capture_spends_and_void_gives_back(bank, key, answer):
    """The visitor's balance and the house's revenue say the same."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        first = await ledger.hold("ann", key("k1"), 3)
        second = await ledger.hold("ann", key("k2"), 4)
        captured = await ledger.capture("ann", first.id, "a1", answer)
        assert (captured.state, captured.available) == (ChargeState.CAPTURED, 13)
        voided = await ledger.void("ann", second.id, "a1", answer)
        assert (voided.state, voided.available) == (ChargeState.VOIDED, 17)
        assert await ledger.account("ann") == Account("ann", 17, 0)

    bank.run(scenario)
    assert bank.sql("SELECT posted FROM account WHERE id = 'house:revenue'") == [(3,)]


@pytest.mark.parametrize("how", ["capture", "void"])
def test_settling_again_is_harmless(bank, key, answer, how):
    """The owner's repeated call has the same outcome; another attempt's has not."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 3)
        settle = getattr(ledger, how)
        first = await settle("ann", charge.id, "a1", answer)
        assert await settle("ann", charge.id, "a1", answer) == first
        with pytest.raises(ChargeTakenOver):
            await settle("ann", charge.id, "a2", answer)

    bank.run(scenario)


def test_a_settled_charge_cannot_be_settled_otherwise(bank, key, answer):
    """Capture after void and void after capture are refused."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        first = await ledger.hold("ann", key("k1"), 3)
        second = await ledger.hold("ann", key("k2"), 3)
        await ledger.capture("ann", first.id, "a1", answer)
        await ledger.void("ann", second.id, "a1", answer)
        with pytest.raises(ChargeNotHeld, match="captured"):
            await ledger.void("ann", first.id, "a1", answer)
        with pytest.raises(ChargeNotHeld, match="voided"):
            await ledger.capture("ann", second.id, "a1", answer)

    bank.run(scenario)


def test_a_void_without_an_answer_frees_the_key(bank, key, answer):
    """Nothing was answered, so nothing is replayed: the same key is a new charge."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        old = await ledger.hold("ann", key("k"), 3)
        await ledger.void("ann", old.id, "a1", None)
        assert (await ledger.void("ann", old.id, "a1", None)).state is ChargeState.VOIDED
        new = await ledger.hold("ann", key("k", "a2"), 3)
        assert new.id != old.id
        await ledger.capture("ann", new.id, "a2", answer)
        assert (await ledger.audit()).findings == ()

    bank.run(scenario)


def test_charges_are_their_account_s_own(bank, key, answer):
    """Another account's charge is as unknown as one that never was."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        await ledger.open_account("bob", 20)
        charge = await ledger.hold("ann", key("k"), 3)
        for call in (
            ledger.capture("bob", charge.id, "a1", answer),
            ledger.void("bob", charge.id, "a1", answer),
            ledger.capture("ann", "chg_0", "a1", answer),
            ledger.record_feedback("bob", charge.id, 1),
        ):
            with pytest.raises(NotFound):
                await call
        grant = bank.sql("SELECT ref FROM transfer WHERE debit = 'house:grants'")[0][0]
        with pytest.raises(NotFound):
            await ledger.capture("ann", grant, "a1", answer)

    bank.run(scenario)


def test_feedback_is_noted_once(bank, key, answer):
    """The same label again is harmless and not the first; another label is refused."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        await ledger.capture("ann", charge.id, "a1", answer)
        assert await ledger.record_feedback("ann", charge.id, 7) == Feedback(True, answer)
        assert await ledger.record_feedback("ann", charge.id, 7) == Feedback(False, answer)
        with pytest.raises(FeedbackDiffers):
            await ledger.record_feedback("ann", charge.id, 1)

    bank.run(scenario)


@pytest.mark.parametrize("how", ["held", "voided", "expired"])
def test_feedback_is_for_captured_charges(bank, key, answer, how):
    """What was not paid for was not read."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        if how == "voided":
            await ledger.void("ann", charge.id, "a1", answer)
        if how == "expired":
            bank.clock.forward(seconds=60)
            await ledger.sweep()
        with pytest.raises(NotFound):
            await ledger.record_feedback("ann", charge.id, 7)

    bank.run(scenario)


def test_feedback_outlives_the_kept_answer(bank, key, answer):
    """After the key's time feedback is still taken; what was answered then is no longer known."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        charge = await ledger.hold("ann", key("k"), 1)
        await ledger.capture("ann", charge.id, "a1", answer)
        bank.clock.forward(seconds=24 * 3600)
        await ledger.sweep()
        assert await ledger.record_feedback("ann", charge.id, 7) == Feedback(True, None)
        repeated = await ledger.capture("ann", charge.id, "a1", Answer(200, b""))
        assert repeated.state is ChargeState.CAPTURED

    bank.run(scenario)


@pytest.mark.parametrize("gone", ["voided", "purged"])
def test_a_charge_s_outcome_stands_when_its_key_serves_another(bank, key, answer, gone):
    """Settling the old charge again says what became of it, whoever owns the key's new charge."""

    async def scenario(ledger):
        await ledger.open_account("ann", 20)
        old = await ledger.hold("ann", key("k", "a1"), 1)
        settle, kept = (ledger.void, None) if gone == "voided" else (ledger.capture, answer)
        first = await settle("ann", old.id, "a1", kept)
        bank.clock.forward(seconds=24 * 3600)
        await ledger.sweep()
        new = await ledger.hold("ann", key("k", "a2"), 1)
        assert (await settle("ann", old.id, "a1", kept)).state is first.state
        assert (await ledger.capture("ann", new.id, "a2", answer)).state is ChargeState.CAPTURED

    bank.run(scenario)
