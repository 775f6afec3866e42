"""REST and gRPC over the same core: each scenario is played by both, and what they tell is compared."""

import asyncio
import base64
import hashlib

import httpx
import pytest

from payment import app
from payment.payments import Payments
from payment.settings import Settings
from payment.topups import Thresholds, TopUps
from runtime.errors import GRPC_STATUS, HTTP_STATUS, Code
from runtime.health import Health
from runtime.http import Service
from runtime.telemetry import Telemetry

OTHER = hashlib.sha256(b"other").hexdigest()


def refused(client, slug, code):
    """What a client of either transport is told, by the shared tables."""
    return {"problem": slug} | ({"http": HTTP_STATUS[code]} if client.name == "rest" else {"grpc": GRPC_STATUS[code]})


def test_a_reading_is_paid(play):
    """Open, hold, capture, replay, feedback, audit: both transports tell the same."""

    async def scenario(client):
        assert await client.open("ann", 20) == {"account_id": "ann", "balance": 20, "held": 0}
        assert await client.open("ann", 99) == {"account_id": "ann", "balance": 20, "held": 0}
        charge = (await client.hold("ann", "k", 3))["charge"]
        ref = charge["charge_id"]
        assert charge == {"charge_id": ref, "amount": 3, "state": "held", "available": 17}
        assert (await client.hold("ann", "k", 3))["charge"] == charge
        assert await client.account("ann") == {"account_id": "ann", "balance": 20, "held": 3}
        settled = {"charge_id": ref, "amount": 3, "state": "captured", "available": 17}
        assert await client.settle("capture", "ann", ref) == settled
        assert await client.settle("capture", "ann", ref) == settled
        answer = {"status": 201, "body": base64.b64encode(b"7").decode()}
        assert await client.hold("ann", "k", 3, attempt="a2") == {"finished": answer}
        assert await client.feedback("ann", ref, 7) == {"first": True, "answer": answer}
        assert await client.feedback("ann", ref, 7) == {"first": False, "answer": answer}
        sound = {"sound": True, "findings": [], "accounts": 1, "transfers": 3, "held": 0}
        assert await client.audit() == sound

    play(scenario)


def test_a_reading_that_failed_is_given_back(play):
    """Void with an answer is replayed; without one the key is free."""

    async def scenario(client):
        await client.open("ann", 20)
        ref = (await client.hold("ann", "k", 3))["charge"]["charge_id"]
        voided = await client.settle("void", "ann", ref, answer=(503, b"\x00\xff"))
        assert (voided["state"], voided["available"]) == ("voided", 20)
        finished = (await client.hold("ann", "k", 3))["finished"]
        assert (finished["status"], base64.b64decode(finished["body"])) == (503, b"\x00\xff")
        ref = (await client.hold("ann", "k2", 3))["charge"]["charge_id"]
        await client.settle("void", "ann", ref, answer=None)
        assert (await client.hold("ann", "k2", 3))["charge"]["charge_id"] != ref

    play(scenario)


def test_refusals_are_told_by_their_type_and_code(play, bank):
    """One slug for both; the status is the shared table's."""

    async def scenario(client):
        await client.open("ann", 2)
        await client.open("bob", 2)
        held = (await client.hold("ann", "k", 1))["charge"]["charge_id"]
        done = (await client.hold("ann", "k2", 1))["charge"]["charge_id"]
        await client.settle("capture", "ann", done)
        await client.feedback("ann", done, 7)
        told = [
            (client.account("nobody"), "not-found", Code.NOT_FOUND),
            (client.hold("nobody", "k", 1), "not-found", Code.NOT_FOUND),
            (client.settle("capture", "bob", held), "not-found", Code.NOT_FOUND),
            (client.feedback("ann", held, 7), "not-found", Code.NOT_FOUND),
            (client.hold("ann", "k3", 1), "insufficient-credits", Code.PAYMENT_REQUIRED),
            (client.hold("ann", "k", 1, attempt="a2"), "in-flight", Code.IN_FLIGHT),
            (client.hold("ann", "k", 1, fingerprint=OTHER), "key-reused", Code.KEY_REUSED),
            (client.settle("capture", "ann", held, attempt="a2"), "charge-taken-over", Code.CONFLICT),
            (client.settle("void", "ann", done), "charge-not-held", Code.SETTLED),
            (client.feedback("ann", done, 1), "feedback-differs", Code.CONFLICT),
            (client.top_up("ann", "t", 50, "4000000000000119"), "unknown-card", Code.INVALID),
        ]
        for call, slug, code in told:
            assert await call == refused(client, slug, code)
        bank.clock.forward(seconds=60)
        expired = await client.settle("capture", "ann", held)
        assert expired == refused(client, "charge-not-held", Code.SETTLED)

    play(scenario)


@pytest.mark.parametrize(
    ("probability", "status", "decided_by", "available"),
    [
        (0.1, "approved", "model", 50),
        (0.6, "review", "model", 0),
        (0.95, "declined", "model", 0),
        (None, "approved", "rules", 50),
    ],
)
def test_a_top_up_is_told(play, probability, status, decided_by, available):
    """Who decided what, and the same again under the same key."""

    async def scenario(client):
        await client.open("ann", 0)
        told = await client.top_up("ann", "t", 50, "4242424242424242")
        assert told.pop("top_up_id").startswith("top_")
        decided = {"status": status, "decided_by": decided_by, "available": available}
        assert told == decided | {"replayed": False}
        again = await client.top_up("ann", "t", 50, "4242424242424242", attempt="a2")
        assert again.items() >= (decided | {"replayed": True}).items()
        reused = await client.top_up("ann", "t", 51, "4242424242424242")
        assert reused == refused(client, "key-reused", Code.KEY_REUSED)

    play(scenario, probability)


def test_a_broken_ledger_is_unavailable(play, bank):
    """Neither transport hides it, and neither calls it an internal error."""

    async def scenario(client):
        await client.open("ann", 20)
        bank.sql("ALTER TABLE idempotency RENAME TO gone")
        assert await client.hold("ann", "k", 1) == refused(client, "ledger-unavailable", Code.UNAVAILABLE)
        bank.sql("ALTER TABLE gone RENAME TO idempotency")
        assert "charge" in await client.hold("ann", "k", 1)

    play(scenario)


def test_concurrent_readings_over_the_wire(play):
    """50 asked for at once on 20 credits: 20 are paid, the rest refused, the books are sound."""

    async def scenario(client):
        await client.open("ann", 20)
        holds = await asyncio.gather(*(client.hold("ann", f"k{n}", 1) for n in range(50)))
        charges = [told["charge"]["charge_id"] for told in holds if "charge" in told]
        assert len(charges) == 20
        await asyncio.gather(*(client.settle("capture", "ann", ref) for ref in charges))
        assert await client.account("ann") == {"account_id": "ann", "balance": 0, "held": 0}
        assert (await client.audit())["sound"]

    play(scenario)


def test_a_key_is_needed_and_has_a_length(play):
    """Missing, too long, as long as may be: the same for charges and top-ups, over either transport."""
    card = "4242424242424242"

    async def scenario(client):
        await client.open("ann", 20)
        for call in (client.hold, lambda account, key, amount: client.top_up(account, key, amount, card)):
            assert await call("ann", "", 1) == refused(client, "key-missing", Code.MALFORMED)
            assert await call("ann", "x" * 256, 1) == refused(client, "invalid-request", Code.INVALID)
            assert "problem" not in await call("ann", "x" * 255, 1)

    play(scenario)


def test_a_replay_says_so_and_is_the_same(bank, fraud_model):
    """REST: the status, the body and `Idempotent-Replayed: true`; the first answer has no such header."""

    async def scenario(ledger):
        settings = Settings()
        payments = Payments(ledger, TopUps(ledger, fraud_model(0.95), Thresholds, bank.witness))
        service = Service("payment", settings, Telemetry.create("payment", settings, {}), Health())
        transport = httpx.ASGITransport(app.create(payments, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://payment") as client:
            await client.post("/v1/accounts", json={"account_id": "ann", "credits": 20})
            body, headers = {"credits": 50, "card": "4242424242424242"}, {"idempotency-key": "t"}
            first = await client.post("/v1/accounts/ann/topups", json=body, headers=headers)
            again = await client.post("/v1/accounts/ann/topups", json=body, headers=headers)
        assert (first.status_code, first.json()["status"]) == (201, "declined")
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")

    bank.run(scenario)
