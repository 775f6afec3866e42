"""What the gateway expects of a ledger: the hand-written fake and payment itself, over gRPC, both keep to it."""

import asyncio
from contextlib import asynccontextmanager

import grpc.aio
import pytest

from fakes.ledger import FakeLedger
from gateway.clients import GrpcLedger
from gateway.readings import Answer, Held, Key
from payment.bootstrap import bootstrap
from payment.settings import Settings
from runtime.errors import Code, Fault

CARD = "4242424242424242"
TOLD = Answer(201, b'{"label":7}')


@asynccontextmanager
async def fake(_):
    yield FakeLedger()


@asynccontextmanager
async def real(folder):
    """payment in this process; its fraud model is not there, so rules decide."""
    settings = Settings(database=folder / "payment.db", inference_url="http://127.0.0.1:1", fraud_seconds=0.2)
    async with bootstrap(settings) as running:
        port = running.grpc_server.add_insecure_port("127.0.0.1:0")
        await running.grpc_server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield GrpcLedger(channel, 5)
        await running.grpc_server.stop(None)


@pytest.fixture(params=[fake, real], ids=["fake", "payment"])
def with_ledger(request, tmp_path):
    """Run a story with a ledger that has one account, a, of 2 credits."""

    def run(story):
        async def whole():
            async with request.param(tmp_path) as ledger:
                await ledger.open_account("a", 2)
                await story(ledger)

        asyncio.run(whole())

    return run


async def refused(call, code, type_):
    with pytest.raises(Fault) as caught:
        await call
    assert (caught.value.code, caught.value.type) == (code, type_)


def test_accounts(with_ledger):
    """Opening twice is opening once; an unknown account is not found."""

    async def story(ledger):
        again = await ledger.open_account("a", 999)
        assert (again.balance, again.held) == (2, 0)
        await refused(ledger.account("b"), Code.NOT_FOUND, "not-found")
        await refused(ledger.hold("b", Key.of("k", "op", b""), 1), Code.NOT_FOUND, "not-found")

    with_ledger(story)


def test_hold_and_capture(with_ledger):
    """A hold reserves, a capture spends, both say what is left; repeating either is harmless."""

    async def story(ledger):
        key = Key.of("k", "op", b"")
        held = await ledger.hold("a", key, 1)
        assert (held.amount, held.available) == (1, 1)
        assert (await ledger.hold("a", key, 1)).charge_id == held.charge_id
        assert ((await ledger.account("a")).balance, (await ledger.account("a")).held) == (2, 1)
        await ledger.capture(held, TOLD)
        await ledger.capture(held, TOLD)
        account = await ledger.account("a")
        assert (account.balance, account.held) == (1, 0)
        await refused(ledger.void(held, TOLD), Code.SETTLED, "charge-not-held")

    with_ledger(story)


def test_void(with_ledger):
    """A void gives back, and its answer is replayed too."""

    async def story(ledger):
        held = await ledger.hold("a", Key.of("k", "op", b""), 2)
        await ledger.void(held, Answer(503, b"{}"))
        account = await ledger.account("a")
        assert (account.balance, account.held) == (2, 0)
        assert await ledger.hold("a", Key.of("k", "op", b""), 2) == Answer(503, b"{}")

    with_ledger(story)


def test_keys(with_ledger):
    """In flight for another attempt, refused for another payload, replayed when finished, apart for each account."""

    async def story(ledger):
        held = await ledger.hold("a", Key.of("k", "op", b"x"), 1)
        await refused(ledger.hold("a", Key.of("k", "op", b"x"), 1), Code.IN_FLIGHT, "in-flight")
        await refused(ledger.hold("a", Key.of("k", "op", b"y"), 1), Code.KEY_REUSED, "key-reused")
        await ledger.capture(held, TOLD)
        assert await ledger.hold("a", Key.of("k", "op", b"x"), 1) == TOLD
        await ledger.open_account("b", 1)
        assert isinstance(await ledger.hold("b", Key.of("k", "op", b"x"), 1), Held)

    with_ledger(story)


def test_no_credits(with_ledger):
    """What is held cannot be held again."""

    async def story(ledger):
        await ledger.hold("a", Key.of("k1", "op", b""), 2)
        await refused(ledger.hold("a", Key.of("k2", "op", b""), 1), Code.PAYMENT_REQUIRED, "insufficient-credits")

    with_ledger(story)


def test_feedback(with_ledger):
    """Once for a captured charge of one's own; the same label again is no news, another is refused."""

    async def story(ledger):
        held = await ledger.hold("a", Key.of("k", "op", b""), 1)
        await refused(ledger.feedback("a", held.charge_id, 1), Code.NOT_FOUND, "not-found")
        await ledger.capture(held, TOLD)
        first = await ledger.feedback("a", held.charge_id, 1)
        assert (first.first, first.answer) == (True, TOLD)
        assert not (await ledger.feedback("a", held.charge_id, 1)).first
        await refused(ledger.feedback("a", held.charge_id, 2), Code.CONFLICT, "feedback-differs")
        await ledger.open_account("b", 1)
        await refused(ledger.feedback("b", held.charge_id, 1), Code.NOT_FOUND, "not-found")

    with_ledger(story)


def test_top_ups(with_ledger):
    """Each test card has its outcome; only an approved one adds credits; a repeat is a replay of the same."""

    async def story(ledger):
        done = await ledger.top_up("a", Key.of("t", "top-up", b""), 50, CARD)
        assert (done.status, done.available, done.replayed) == ("approved", 52, False)
        again = await ledger.top_up("a", Key.of("t", "top-up", b""), 50, CARD)
        assert (again.top_up_id, again.available, again.replayed) == (done.top_up_id, 52, True)
        await refused(ledger.top_up("a", Key.of("t", "top-up", b"x"), 5, CARD), Code.KEY_REUSED, "key-reused")
        for card, status in (("4000000000009235", "review"), ("4000000000000002", "declined")):
            other = await ledger.top_up("a", Key.of(card, "top-up", b""), 50, card)
            assert (other.status, other.available) == (status, 52)
        await refused(
            ledger.top_up("a", Key.of("u", "top-up", b""), 5, "4000000000000119"), Code.INVALID, "unknown-card"
        )

    with_ledger(story)
