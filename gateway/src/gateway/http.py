"""HTTP to the domain and back. Each takes a Starlette request, so that the hot call can skip FastAPI."""

from __future__ import annotations

import secrets
from array import array
from dataclasses import dataclass

import orjson
from fastapi import Request, Response
from prometheus_client import CollectorRegistry, Counter

from gateway import requests
from gateway.admission import Admission
from gateway.errors import not_found
from gateway.rates import Rates
from gateway.readings import Answer, Key, Ledger, Reader, Reading, charge_id_of
from gateway.tokens import Tokens
from runtime import problems
from runtime.errors import HTTP_STATUS, Code, Fault

JSON = "application/json"
KEYS_SECONDS = 300
"""How long a copy of the published keys may be used."""


class Metrics:
    """What the visitors' feedback says of each model version."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.feedback = Counter(
            "inkmesh_feedback",
            "Readings that a visitor judged, by model version and whether the label was right",
            ["model", "version", "correct"],
            registry=registry,
        )
        self._seen: set[tuple[str, str]] = set()

    def answered(self, reading: Reading) -> None:
        """Begin a version's series at 0 with its first answer: increase() does not see what a series begins with."""
        version = reading.model, reading.version
        if version not in self._seen:
            self._seen.add(version)
            for correct in ("true", "false"):
                self.feedback.labels(*version, correct)


def problem_answer(fault: Fault) -> Answer:
    """A Fault as it is told, and stored for replay."""
    status = HTTP_STATUS[fault.code]
    return Answer(status, orjson.dumps(problems.body(status, fault.type, fault.detail)))


@dataclass(frozen=True)
class Api:
    """The endpoints. Each reads the request, calls one thing, and renders what it got."""

    tokens: Tokens
    admission: Admission
    rates: Rates
    ledger: Ledger
    reader: Reader
    metrics: Metrics
    session_credits: int

    async def open_session(self, _: Request) -> Response:
        self.rates.session()
        account_id = "acc_" + secrets.token_hex(12)
        await self.ledger.open_account(account_id, self.session_credits)
        token, expires_at = self.tokens.issue(account_id)
        return _json(201, {"token": token, "account_id": account_id, "expires_at": expires_at})

    async def account(self, request: Request) -> Response:
        found = await self.ledger.account(self._account_of(request))
        return _json(200, {"account_id": found.account_id, "balance": found.balance, "held": found.held})

    async def predict(self, request: Request) -> Response:
        began = self.admission.enter()  # before all work
        try:
            return await self._predict(request)
        finally:
            self.admission.leave(began)

    async def _predict(self, request: Request) -> Response:
        account_id = self._account_of(request)
        self.rates.reading(account_id)  # before the key: a 429 is never stored
        name = requests.idempotency_key(request.headers.get("idempotency-key"))
        pixels = requests.pixels(await request.body())
        key = Key.of(name, "prediction", array("d", pixels).tobytes())
        answer, replayed = await self.reader.read(account_id, key, pixels)
        return _stored(answer, replayed)

    async def feedback(self, request: Request) -> Response:
        account_id = self._account_of(request)
        prediction = requests.prediction(request.path_params["prediction_id"])
        label = requests.label(await request.body())
        try:
            done = await self.ledger.feedback(account_id, charge_id_of(prediction), label)
        except Fault as fault:
            raise (not_found() if fault.code is Code.NOT_FOUND else fault) from fault
        if done.first and done.answer.body:  # the answer itself is kept for 24 hours
            told = orjson.loads(done.answer.body)
            model = told["model"]
            correct = str(told["label"] == label).lower()
            self.metrics.feedback.labels(model["name"], model["version"], correct).inc()
        return Response(status_code=204)

    async def top_up(self, request: Request) -> Response:
        account_id = self._account_of(request)
        name = requests.idempotency_key(request.headers.get("idempotency-key"))
        credits_, card = requests.top_up(await request.body())
        key = Key.of(name, "top-up", f"{credits_} {card}".encode())
        done = await self.ledger.top_up(account_id, key, credits_, card)
        told = {
            "id": done.top_up_id,
            "status": done.status,
            "balance": done.available,
            "decided_by": done.decided_by,
        }
        return _stored(Answer(201, orjson.dumps(told)), done.replayed)

    async def published_keys(self, _: Request) -> Response:
        headers = {"cache-control": f"public, max-age={KEYS_SECONDS}"}
        return Response(orjson.dumps(self.tokens.keys.jwks), 200, headers, JSON)

    def _account_of(self, request: Request) -> str:
        return self.tokens.account_of(requests.bearer(request.headers.get("authorization")))


def _json(status: int, value: object) -> Response:
    return Response(orjson.dumps(value), status, media_type=JSON)


def _stored(answer: Answer, replayed: bool) -> Response:
    headers = {"idempotent-replayed": "true"} if replayed else {}
    if answer.status in {429, 503}:
        headers["retry-after"] = "1"
    media_type = JSON if answer.status < 400 else problems.MEDIA_TYPE
    return Response(answer.body, answer.status, headers, media_type)
