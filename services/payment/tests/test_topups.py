import asyncio

import pytest

from payment.errors import InFlight, KeyReused, UnknownCard
from payment.records import MAX_BALANCE, DecidedBy, TopUp, TopUpBegun, TopUpStatus
from payment.settings import LiveSettings
from payment.topups import CARDS, Features, Thresholds, TopUps, judge_by_rules
from runtime.live import Live

ORDINARY, RAISED, HIGH = CARDS


@pytest.fixture
def shop(bank, fraud_model):
    """Run a scenario with (ledger, TopUps, the fake model) and an account `ann` without credits."""

    def run(scenario, probability=0.0):
        async def play(ledger):
            model = fraud_model(probability)
            await ledger.open_account("ann", 0)
            result = await scenario(ledger, TopUps(ledger, model, Thresholds, bank.witness), model)
            assert (await ledger.audit()).findings == ()
            return result

        return bank.run(play)

    return run


@pytest.mark.parametrize(
    ("probability", "status", "balance"),
    [
        (0.0, TopUpStatus.APPROVED, 50),
        (0.4999, TopUpStatus.APPROVED, 50),
        (0.5, TopUpStatus.REVIEW, 0),
        (0.8999, TopUpStatus.REVIEW, 0),
        (0.9, TopUpStatus.DECLINED, 0),
        (1.0, TopUpStatus.DECLINED, 0),
    ],
)
def test_the_model_decides(shop, bank, key, probability, status, balance):
    """Only an approved top-up moves credits; the answer says who decided."""

    async def scenario(ledger, top_ups, _):
        done = await top_ups.buy("ann", key("k"), 50, ORDINARY)
        assert done == TopUp(done.id, status, DecidedBy.MODEL, balance)
        assert (await ledger.account("ann")).balance == balance

    shop(scenario, probability)
    assert bank.witness.decisions == [(status, "model")]


def test_the_thresholds_in_force_decide(bank, fraud_model, key):
    """A change of the live settings counts for the next top-up; what was decided stays so."""
    in_force = Live(LiveSettings(fraud_review=0.8))

    async def play(ledger):
        await ledger.open_account("ann", 0)
        top_ups = TopUps(ledger, fraud_model(0.7), lambda: in_force.value.thresholds, bank.witness)
        first, other = key("first"), key("other")
        assert (await top_ups.buy("ann", first, 50, ORDINARY)).status is TopUpStatus.APPROVED
        in_force.value = LiveSettings(fraud_review=0.5, fraud_decline=0.6)
        assert (await top_ups.buy("ann", other, 50, ORDINARY)).status is TopUpStatus.DECLINED
        assert (await top_ups.buy("ann", first, 50, ORDINARY)).status is TopUpStatus.APPROVED

    bank.run(play)


@pytest.mark.parametrize(
    ("features", "status"),
    [
        (Features(50, 0, 0), TopUpStatus.APPROVED),
        (Features(1000, 4, 0), TopUpStatus.APPROVED),
        (Features(1001, 0, 0), TopUpStatus.REVIEW),
        (Features(50, 5, 0), TopUpStatus.REVIEW),
        (Features(50, 0, 2), TopUpStatus.REVIEW),
        (Features(50, 0, 3), TopUpStatus.DECLINED),
        (Features(10_000, 9, 3), TopUpStatus.DECLINED),
    ],
)
def test_rules_are_as_documented(features, status):
    """High risk is declined; raised risk, more than 1000 credits or 5 other top-ups in the hour go to review."""
    assert judge_by_rules(features) is status


@pytest.mark.parametrize(("card", "balance"), [(ORDINARY, 50), (RAISED, 0), (HIGH, 0)])
def test_rules_decide_when_the_model_cannot_be_asked(shop, key, card, balance):
    """The visitor is served all the same, and told that rules did it."""

    async def scenario(ledger, top_ups, _):
        done = await top_ups.buy("ann", key("k"), 50, card)
        assert done.decided_by is DecidedBy.RULES
        assert (await ledger.account("ann")).balance == balance

    shop(scenario, None)


def test_features_come_from_the_ledger(shop, bank, key):
    """Credits by the thousand, the account's other top-ups of the last hour, the card's risk."""

    async def scenario(ledger, top_ups, model):
        await ledger.open_account("bob", 0)
        await top_ups.buy("bob", key("k0"), 10, ORDINARY)
        await top_ups.buy("ann", key("k1"), 500, ORDINARY)
        bank.clock.forward(seconds=1800)
        await top_ups.buy("ann", key("k2"), 10_000, RAISED)
        bank.clock.forward(seconds=1800)
        await top_ups.buy("ann", key("k3"), 50, HIGH)
        assert [asked.row() for asked in model.asked[1:]] == [[0.5, 0.0, 0.0], [10.0, 1.0, 2.0], [0.05, 1.0, 3.0]]

    shop(scenario)


def test_a_decided_key_is_answered_again_without_asking(shop, key):
    """The same decision and the same balance as then, marked as replayed; another request under the key is refused."""

    async def scenario(ledger, top_ups, model):
        done = await top_ups.buy("ann", key("k"), 50, ORDINARY)
        await top_ups.buy("ann", key("k2"), 50, ORDINARY)
        model.says = 1.0
        assert await top_ups.buy("ann", key("k", "a2"), 50, ORDINARY) == done.again()
        assert len(model.asked) == 2
        with pytest.raises(KeyReused):
            await top_ups.buy("ann", key("k", meaning="another"), 60, ORDINARY)
        assert (await ledger.account("ann")).balance == 100

    shop(scenario)


def test_while_one_decides_another_waits(shop, bank, key, until):
    """The key is in flight under a lease; the repeated call of the same attempt decides with it, to one effect."""

    async def scenario(ledger, top_ups, model):
        release = asyncio.Event()
        model.before_answer = release.wait
        first = asyncio.create_task(top_ups.buy("ann", key("k"), 50, ORDINARY))
        again = asyncio.create_task(top_ups.buy("ann", key("k"), 50, ORDINARY))
        await until(lambda: len(model.asked) == 2)
        with pytest.raises(InFlight):
            await top_ups.buy("ann", key("k", "a2"), 50, ORDINARY)
        release.set()
        one, two = await asyncio.gather(first, again)
        assert one.again() == two.again()
        assert [one.replayed, two.replayed].count(True) == 1
        assert (await ledger.account("ann")).balance == 50

    shop(scenario)
    assert bank.witness.decisions == [("approved", "model")]


def test_after_a_crash_the_same_key_decides_again(shop, bank, key):
    """Once the lease is over another attempt goes on with the same top-up, and it is not counted as a recent one."""

    async def scenario(ledger, top_ups, model):
        begun = await ledger.begin_top_up("ann", key("k"), 50, "4242")  # and then the process was killed
        assert begun == TopUpBegun(begun.id, 0)
        bank.clock.forward(seconds=15)
        done = await top_ups.buy("ann", key("k", "a2"), 50, ORDINARY)
        assert (done.id, done.available) == (begun.id, 50)
        assert model.asked[0].recent == 0
        late = await ledger.finish_top_up("ann", key("k"), begun.id, TopUpStatus.DECLINED, DecidedBy.RULES)
        assert late == done.again()
        assert (await ledger.account("ann")).balance == 50

    shop(scenario)


def test_a_cancelled_buyer_leaves_the_key_in_flight(shop, bank, key, until):
    """Whoever went away while the model was asked finds a lease, and after it one effect."""

    async def scenario(ledger, top_ups, model):
        model.before_answer = asyncio.Event().wait
        gone = asyncio.create_task(top_ups.buy("ann", key("k"), 50, ORDINARY))
        await until(lambda: model.asked)
        gone.cancel()
        model.before_answer = None
        with pytest.raises(InFlight):
            await top_ups.buy("ann", key("k", "a2"), 50, ORDINARY)
        bank.clock.forward(seconds=15)
        assert (await top_ups.buy("ann", key("k", "a2"), 50, ORDINARY)).available == 50

    shop(scenario)


def test_no_account_grows_beyond_its_bound(shop, bank, key):
    """Credits that would pass the limit are declined by rules."""

    async def scenario(ledger, top_ups, _):
        bank.sql("UPDATE account SET posted = ? WHERE id = 'ann'", MAX_BALANCE - 10)
        done = await top_ups.buy("ann", key("k"), 11, ORDINARY)
        assert (done.status, done.decided_by) == (TopUpStatus.DECLINED, DecidedBy.RULES)
        assert (await top_ups.buy("ann", key("k2"), 10, ORDINARY)).available == MAX_BALANCE
        bank.sql("UPDATE account SET posted = 10 WHERE id = 'ann'")

    shop(scenario)


def test_only_test_cards_are_taken_and_no_number_is_kept(shop, bank, key):
    """An unknown number is refused before anything is written; of a known one the last four digits stay."""

    async def scenario(ledger, top_ups, model):
        with pytest.raises(UnknownCard):
            await top_ups.buy("ann", key("k"), 50, "4000000000000119")
        assert model.asked == []
        await top_ups.buy("ann", key("k"), 50, RAISED)

    shop(scenario)
    assert bank.sql("SELECT card_last4 FROM topup") == [("9235",)]
    tables = ("account", "transfer", "idempotency", "topup", "feedback")
    kept = repr([bank.sql(f"SELECT * FROM {table}") for table in tables])
    assert not any(card in kept for card in CARDS)


def test_last_four_digits_tell_the_cards_apart():
    """What a request means is fingerprinted by them."""
    assert len({card[-4:] for card in CARDS}) == len(CARDS)
