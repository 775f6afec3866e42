"""Nothing that a caller sends is a server's error, and nothing of it is echoed."""

import asyncio
import json

import grpc.aio
import httpx
import pytest

from contracts import payment_v1_pb2 as wire
from contracts import payment_v1_pb2_grpc as wire_grpc
from payment import app
from payment.payments import Payments
from payment.settings import Settings
from payment.topups import Thresholds, TopUps
from runtime.health import Health
from runtime.http import Service
from runtime.telemetry import Telemetry

NOT_TEXT = [None, 1, True, [], {}, "", "x" * 300, "a\x00b", "ä", "a\nb"]
NOT_A_NUMBER = [None, "1", True, 1.0, 1.5, [], {}, -1, 10**30]
ANSWER = {"status": 201, "body": "Nw=="}
BODIES = {
    "/v1/accounts": {"account_id": NOT_TEXT, "credits": [*NOT_A_NUMBER, 1_000_001]},
    "/v1/accounts/ann/holds": {
        "amount": [*NOT_A_NUMBER, 0, 1_000_001],
        "attempt": NOT_TEXT,
        "fingerprint": [1, "", "0" * 63, "G" * 64],
    },
    "/v1/accounts/ann/charges/chg_1/capture": {
        "attempt": NOT_TEXT,
        "answer": [None, 1, {}, {"status": 99, "body": ""}, {"status": 600, "body": ""}, {"status": True, "body": ""}]
        + [{"status": 200, "body": body} for body in (None, 1, "x", "====", "A" * 12_000, "\x00")],
    },
    "/v1/accounts/ann/charges/chg_1/void": {"attempt": NOT_TEXT, "answer": [1, {}, {"status": 99, "body": ""}]},
    "/v1/accounts/ann/topups": {
        "credits": [*NOT_A_NUMBER, 0, 10_001],
        "card": [*NOT_TEXT, "4242", 4242424242424242],
        "attempt": [1, "", "x" * 129],
    },
    "/v1/accounts/ann/charges/chg_1/feedback": {"label": [*NOT_A_NUMBER, 10]},
}
GOOD = {
    "account_id": "ann",
    "amount": 1,
    "attempt": "a1",
    "answer": ANSWER,
    "card": "4242424242424242",
    "label": 7,
    "credits": 1,
    "fingerprint": "0" * 64,
}
OPTIONAL = {
    ("/v1/accounts/ann/holds", "fingerprint"),
    ("/v1/accounts/ann/charges/chg_1/void", "answer"),
    ("/v1/accounts/ann/topups", "attempt"),
}
RAW = [
    b"",
    b"{",
    b"nonsense",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"text"',
    b"NaN",
    b'{"amount": NaN, "attempt": "a1"}',
    b'{"amount": Infinity, "attempt": "a1"}',
    b'{"amount": 1e400, "attempt": "a1"}',
    b'{"amount": ' + b"9" * 5000 + b', "attempt": "a1"}',
    b'{"amount": 1, "attempt": "\\ud800"}',
    b'{"amount": 1, "attempt": "a1", "\\ud800": 1}',
    b'{"amount": 1, "attempt": "a1", "more": 1}',
    b"[" * 30_000,
    b'{"amount": 1' + b" " * 70_000 + b"}",
]
KEYS = [None, "", "x" * 256, "a\x01b", "ä"]
PATHS = ["a b", "x" * 65, "%00", "%ff", "%ed%a0%80", "..%2faudit", "house:revenue", "ä"]


@pytest.fixture
def payment(bank, fraud_model):
    """Run a scenario with (Payments, Service) over a real ledger with an account `ann`."""

    def run(scenario):
        async def with_ledger(ledger):
            await ledger.open_account("ann", 20)
            settings = Settings()
            payments = Payments(ledger, TopUps(ledger, fraud_model(0.0), Thresholds, bank.witness))
            service = Service("payment", settings, Telemetry.create("payment", settings, {}), Health())
            await scenario(payments, service)
            assert (await ledger.account("ann")).held == 0
            assert (await ledger.audit()).findings == ()

        bank.run(with_ledger)

    return run


def rest(payment, requests):
    """Send each (method, path, headers, content) and check that it is refused properly."""

    async def scenario(payments, service):
        transport = httpx.ASGITransport(app.create(payments, service), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://payment") as client:
            for method, path, headers, content in requests:
                response = await client.request(method, path, headers=headers, content=content)
                case = f"{method} {path} {headers} {content[:80]!r}: {response.status_code} {response.text[:200]}"
                assert 400 <= response.status_code < 500, case
                assert response.headers["content-type"] == "application/problem+json", case
                assert response.json()["type"].startswith("/problems/"), case
                assert "xxxx" not in response.text, case

    payment(scenario)


def test_fields_that_are_wrong(payment):
    """Each field of each body with values of wrong type or size, one at a time, and left out."""
    requests = []
    for path, fields in BODIES.items():
        good = {field: GOOD[field] for field in fields}
        wrong = [good | {field: value} for field, values in fields.items() for value in values]
        wrong += [{k: v for k, v in good.items() if k != field} for field in fields if (path, field) not in OPTIONAL]
        requests += [("POST", path, {"idempotency-key": "k"}, json.dumps(body).encode()) for body in wrong]
    assert len(requests) > 100
    rest(payment, requests)


def test_bodies_that_are_no_bodies(payment):
    """Not JSON, not an object, NaN, endless numbers, surrogates, deep nesting, too large."""
    requests = [("POST", path, {"idempotency-key": "k"}, raw) for path in BODIES for raw in RAW]
    rest(payment, requests)


def test_keys_that_are_none(payment):
    """A missing key is 400 key-missing; one that is too long or not printable ASCII is refused."""
    body = json.dumps({"amount": 1, "attempt": "a1"}).encode()
    requests = [
        ("POST", "/v1/accounts/ann/holds", {} if key is None else {"idempotency-key": key.encode("latin-1")}, body)
        for key in KEYS
    ]
    requests.append(("POST", "/v1/accounts/ann/holds", [("idempotency-key", "a"), ("idempotency-key", "b")], body))
    rest(payment, requests)

    async def scenario(payments, service):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app.create(payments, service)), base_url="http://payment"
        ) as client:
            for path in ("/v1/accounts/ann/holds", "/v1/accounts/ann/topups"):
                response = await client.post(path, content=b"whatever")
                assert (response.status_code, response.json()["type"]) == (400, "/problems/key-missing")

    payment(scenario)


def test_paths_that_lead_nowhere(payment):
    """Names that no account can have, methods that are not there."""
    requests = [("GET", f"/v1/accounts/{name}", {}, b"") for name in PATHS]
    requests += [("POST", f"/v1/accounts/ann/charges/{name}/feedback", {}, b'{"label": 1}') for name in PATHS]
    requests += [
        ("DELETE", "/v1/accounts/ann", {}, b""),
        ("GET", "/v1/nothing", {}, b""),
        ("PUT", "/v1/audit", {}, b""),
    ]
    rest(payment, requests)


def test_messages_that_are_wrong(payment):
    """Each field of each message out of its bounds: INVALID_ARGUMENT, with the problem's type."""
    key = {"key": "k", "fingerprint": b"x" * 32, "attempt": "a1"}
    good = {
        "OpenAccount": (wire.OpenAccountRequest, {"account_id": "ann", "credits": 1}),
        "GetAccount": (wire.GetAccountRequest, {"account_id": "ann"}),
        "Hold": (wire.HoldRequest, {"account_id": "ann", "key": key, "amount": 1}),
        "Capture": (wire.SettleRequest, {"account_id": "ann", "charge_id": "c", "attempt": "a", "answer": ANSWER}),
        "Void": (wire.SettleRequest, {"account_id": "ann", "charge_id": "c", "attempt": "a", "answer": ANSWER}),
        "TopUp": (wire.TopUpRequest, {"account_id": "ann", "key": key, "credits": 1, "card": GOOD["card"]}),
        "RecordFeedback": (wire.RecordFeedbackRequest, {"account_id": "ann", "charge_id": "c", "label": 1}),
    }
    text = ["", "x" * 300, "a\x00b", "ä"]
    bad = {
        "account_id": text,
        "charge_id": text,
        "attempt": text,
        "credits": [-1, 1_000_001, 2**63 - 1, -(2**63)],
        "amount": [0, -1, 1_000_001, 2**63 - 1, -(2**63)],
        "label": [-1, 10, 2**31 - 1],
        "card": [*text, "4242", "4000000000000119"],
        "key": [None, {}, *({**key, "key": one} for one in text), {**key, "attempt": ""}]
        + [{**key, "fingerprint": one} for one in (b"", b"x" * 31, b"x" * 33)],
        "answer": [
            {"status": 99, "body": b""},
            {"status": 4_000_000_000, "body": b""},
            {"status": 200, "body": b"x" * 8193},
        ],
    }

    async def scenario(payments, service):
        server = app.create_grpc(payments, service)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = wire_grpc.PaymentServiceStub(channel)
            for name, (message, fields) in good.items():
                fields = {k: {**v, "body": b"7"} if k == "answer" else v for k, v in fields.items()}
                for field in fields:
                    for value in bad[field]:
                        request = message(**{**fields, field: value})
                        with pytest.raises(grpc.aio.AioRpcError) as caught:
                            await getattr(stub, name)(request, timeout=60)
                        case = f"{name} {field}={value!r:.60}: {caught.value.details()}"
                        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, case
                        assert dict(caught.value.trailing_metadata())["x-inkmesh-problem"], case
        await server.stop(None)

    payment(scenario)


def test_an_answer_is_needed_to_capture(payment):
    """Over gRPC a message that is not set is refused as over REST."""

    async def scenario(payments, service):
        server = app.create_grpc(payments, service)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = wire.SettleRequest(account_id="ann", charge_id="c", attempt="a")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await wire_grpc.PaymentServiceStub(channel).Capture(request, timeout=60)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        await server.stop(None)

    payment(scenario)


def test_a_body_that_never_says_its_length_is_bounded_too(payment):
    """A chunked body is read up to the limit."""

    async def endless():
        for _ in range(100):
            yield b" " * 4096
            await asyncio.sleep(0)

    async def scenario(payments, service):
        transport = httpx.ASGITransport(app.create(payments, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://payment") as client:
            response = await client.post("/v1/accounts", content=endless())
            assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")

    payment(scenario)
