"""A client of payment over REST and one over gRPC that tell the same words, and `play` for scenarios with both."""

import base64
import hashlib
from contextlib import asynccontextmanager

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

FINGERPRINT = hashlib.sha256(b"one").hexdigest()


class Rest:
    """Payment's client over HTTP; every call tells a dictionary."""

    name = "rest"

    def __init__(self, client):
        self.client = client

    async def _tell(self, method, path, body=None, key=None):
        headers = {"idempotency-key": key} if key is not None else {}
        response = await self.client.request(method, "/v1" + path, json=body, headers=headers)
        told = response.json()
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.status_code == told["status"]
            return {"problem": told["type"].removeprefix("/problems/"), "http": response.status_code}
        if response.headers.get("Idempotent-Replayed") == "true":
            told["replayed"] = True
        return told

    async def open(self, account, credits_):
        return await self._tell("POST", "/accounts", {"account_id": account, "credits": credits_})

    async def account(self, account):
        return await self._tell("GET", f"/accounts/{account}")

    async def hold(self, account, key, amount, attempt="a1", fingerprint=FINGERPRINT):
        body = {"amount": amount, "attempt": attempt, "fingerprint": fingerprint}
        told = await self._tell("POST", f"/accounts/{account}/holds", body, key)
        told.pop("replayed", None)
        return {name: value for name, value in told.items() if value is not None}

    async def settle(self, how, account, charge, attempt="a1", answer=(201, b"7")):
        body = {"attempt": attempt}
        if answer:
            body["answer"] = {"status": answer[0], "body": base64.b64encode(answer[1]).decode()}
        return await self._tell("POST", f"/accounts/{account}/charges/{charge}/{how}", body)

    async def top_up(self, account, key, credits_, card, attempt="a1"):
        told = await self._tell(
            "POST", f"/accounts/{account}/topups", {"credits": credits_, "card": card, "attempt": attempt}, key
        )
        return told if "problem" in told else {"replayed": False} | told

    async def feedback(self, account, charge, label):
        return await self._tell("POST", f"/accounts/{account}/charges/{charge}/feedback", {"label": label})

    async def audit(self):
        return await self._tell("GET", "/audit")


class Grpc:
    """The same over gRPC."""

    name = "grpc"

    def __init__(self, channel):
        self.stub = wire_grpc.PaymentServiceStub(channel)

    async def _tell(self, method, request, read):
        try:
            return read(await method(request, timeout=60))
        except grpc.aio.AioRpcError as error:
            trailing = dict(error.trailing_metadata())
            return {"problem": trailing["x-inkmesh-problem"], "grpc": error.code()}

    async def open(self, account, credits_):
        request = wire.OpenAccountRequest(account_id=account, credits=credits_)
        return await self._tell(self.stub.OpenAccount, request, self._account)

    async def account(self, account):
        return await self._tell(self.stub.GetAccount, wire.GetAccountRequest(account_id=account), self._account)

    async def hold(self, account, key, amount, attempt="a1", fingerprint=FINGERPRINT):
        request = wire.HoldRequest(account_id=account, key=self._key(key, attempt, fingerprint), amount=amount)
        return await self._tell(
            self.stub.Hold,
            request,
            lambda told: (
                {"charge": self._charge(told.charge)}
                if told.HasField("charge")
                else {"finished": self._answer(told.finished)}
            ),
        )

    async def settle(self, how, account, charge, attempt="a1", answer=(201, b"7")):
        stored = wire.StoredAnswer(status=answer[0], body=answer[1]) if answer else None
        request = wire.SettleRequest(account_id=account, charge_id=charge, attempt=attempt, answer=stored)
        return await self._tell(getattr(self.stub, how.capitalize()), request, self._charge)

    async def top_up(self, account, key, credits_, card, attempt="a1"):
        meaning = hashlib.sha256(f"topup {credits_} {card[-4:]}".encode()).hexdigest()
        request = wire.TopUpRequest(
            account_id=account, key=self._key(key, attempt, meaning), credits=credits_, card=card
        )
        return await self._tell(
            self.stub.TopUp,
            request,
            lambda told: {
                "top_up_id": told.top_up_id,
                "status": wire.TopUpStatus.Name(told.status).removeprefix("TOP_UP_STATUS_").lower(),
                "decided_by": wire.DecidedBy.Name(told.decided_by).removeprefix("DECIDED_BY_").lower(),
                "available": told.available,
                "replayed": told.replayed,
            },
        )

    async def feedback(self, account, charge, label):
        request = wire.RecordFeedbackRequest(account_id=account, charge_id=charge, label=label)
        return await self._tell(
            self.stub.RecordFeedback,
            request,
            lambda told: {
                "first": told.first,
                "answer": self._answer(told.answer) if told.HasField("answer") else None,
            },
        )

    async def audit(self):
        return await self._tell(
            self.stub.Audit,
            wire.AuditRequest(),
            lambda told: {
                "sound": told.sound,
                "findings": list(told.findings),
                "accounts": told.accounts,
                "transfers": told.transfers,
                "held": told.held,
            },
        )

    @staticmethod
    def _key(key, attempt, fingerprint):
        return wire.IdempotencyKey(key=key, fingerprint=bytes.fromhex(fingerprint), attempt=attempt)

    @staticmethod
    def _account(told):
        return {"account_id": told.account_id, "balance": told.balance, "held": told.held}

    @staticmethod
    def _charge(told):
        state = wire.ChargeState.Name(told.state).removeprefix("CHARGE_STATE_").lower()
        return {"charge_id": told.charge_id, "amount": told.amount, "state": state, "available": told.available}

    @staticmethod
    def _answer(told):
        return {"status": told.status, "body": base64.b64encode(told.body).decode()}


@pytest.fixture(params=[Rest, Grpc])
def play(request, bank, fraud_model):
    """Play a scenario with a client of either transport; the real app and server, a real ledger, a fake model."""

    @asynccontextmanager
    async def client_of(payments, service):
        if request.param is Rest:
            transport = httpx.ASGITransport(app.create(payments, service))
            async with httpx.AsyncClient(transport=transport, base_url="http://payment") as client:
                yield Rest(client)
        else:
            server = app.create_grpc(payments, service)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Grpc(channel)
            await server.stop(None)

    def run(scenario, probability=0.0):
        async def with_ledger(ledger):
            settings = Settings()
            payments = Payments(ledger, TopUps(ledger, fraud_model(probability), Thresholds, bank.witness))
            service = Service("payment", settings, Telemetry.create("payment", settings, {}), Health())
            async with client_of(payments, service) as client:
                return await scenario(client)

        return bank.run(with_ledger)

    return run
