"""REST to the core object and back; no decisions. What gRPC says, as JSON."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from payment.checks import ID, MAX_KEY
from payment.errors import InvalidField, KeyMissing
from payment.payments import Payments
from payment.records import Answer, Key
from payment.schemas import (
    AccountAnswer,
    AuditAnswer,
    CaptureBody,
    ChargeAnswer,
    FeedbackAnswer,
    FeedbackBody,
    HoldAnswer,
    HoldBody,
    OpenAccountBody,
    Problem,
    StoredAnswer,
    TopUpAnswer,
    TopUpBody,
    VoidBody,
)
from runtime import propagation

REPLAYED = "Idempotent-Replayed"

_TYPES = {
    400: "`malformed` (no JSON); `key-missing`, where a key is needed",
    402: "`insufficient-credits`",
    404: "`not-found`: no such account or charge, or another account's",
    409: "`in-flight`: another attempt works on this key; `charge-not-held`; `charge-taken-over`; `feedback-differs`",
    413: "`too-large`",
    422: "`invalid-request`; `key-reused`: the key was used for another request; `unknown-card`",
    503: "`ledger-unavailable`: the outcome is unknown, repeat with the same key",
}
_PROBLEM = {"application/problem+json": {"schema": Problem.model_json_schema()}}
_REPLAYED_HEADER = {
    REPLAYED: {
        "description": "`true`: this key was answered before, and this is that answer",
        "schema": {"const": "true"},
    }
}
# FastAPI's own declaration would answer 422 where the key is missing; the draft says 400.
_KEYED: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": f"1 to {MAX_KEY} printable ASCII characters; kept for at least 24 hours after its answer",
            "schema": {"type": "string", "pattern": rf"^[!-~]([ -~]{{0,{MAX_KEY - 2}}}[!-~])?$"},
        }
    ]
}


def _idempotency_key(request: Request) -> str:
    values = request.headers.getlist("idempotency-key")
    if not values or not values[0]:
        raise KeyMissing
    if len(values) > 1:
        raise InvalidField("Idempotency-Key", "one, not several")
    return values[0]


AccountId = Annotated[str, Path(pattern=f"^{ID}$")]
ChargeId = Annotated[str, Path(pattern=f"^{ID}$")]
KeyText = Annotated[str, Depends(_idempotency_key)]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    every = {*statuses, 400, 413, 422, 503}
    return {status: {"description": _TYPES[status], "content": _PROBLEM} for status in sorted(every)}


def _replayed(status: int, **more: Any) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401
    return {status: {"headers": _REPLAYED_HEADER, **more}}


def routes(payments: Payments) -> APIRouter:
    """Every operation under /v1."""
    router = APIRouter(prefix="/v1", tags=["ledger"])

    @router.post("/accounts", status_code=201, responses=_problems(), summary="Open an account with a grant")
    async def open_account(body: OpenAccountBody) -> AccountAnswer:
        return AccountAnswer.of(await payments.open_account(body.account_id, body.credits))

    @router.get("/accounts/{account_id}", responses=_problems(404), summary="Balance and held credits")
    async def account(account_id: AccountId) -> AccountAnswer:
        return AccountAnswer.of(await payments.account(account_id))

    @router.post(
        "/accounts/{account_id}/holds",
        status_code=201,
        responses=_problems(402, 404, 409) | _replayed(200, model=HoldAnswer, description="Answered before"),
        summary="Reserve credits under a key",
        openapi_extra=_KEYED,
    )
    async def hold(account_id: AccountId, key: KeyText, body: HoldBody, response: Response) -> HoldAnswer:
        meaning = bytes.fromhex(body.fingerprint) if body.fingerprint else _sha256(f"hold {body.amount}")
        outcome = await payments.hold(account_id, Key(key, meaning, body.attempt), body.amount)
        if isinstance(outcome, Answer):
            response.status_code = 200
            response.headers[REPLAYED] = "true"
            return HoldAnswer(finished=StoredAnswer.of(outcome))
        return HoldAnswer(charge=ChargeAnswer.of(outcome))

    charge_path = "/accounts/{account_id}/charges/{charge_id}"

    @router.post(charge_path + "/capture", responses=_problems(404, 409), summary="Post a held charge")
    async def capture(account_id: AccountId, charge_id: ChargeId, body: CaptureBody) -> ChargeAnswer:
        charge = await payments.capture(account_id, charge_id, body.attempt, body.answer.plain())
        return ChargeAnswer.of(charge)

    @router.post(charge_path + "/void", responses=_problems(404, 409), summary="Give a held charge back")
    async def void(account_id: AccountId, charge_id: ChargeId, body: VoidBody) -> ChargeAnswer:
        answer = body.answer.plain() if body.answer is not None else None
        return ChargeAnswer.of(await payments.void(account_id, charge_id, body.attempt, answer))

    @router.post(
        "/accounts/{account_id}/topups",
        status_code=201,
        responses=_problems(404, 409) | _replayed(201),
        summary="Buy credits with a test card",
        openapi_extra=_KEYED,
    )
    async def top_up(account_id: AccountId, key: KeyText, body: TopUpBody, response: Response) -> TopUpAnswer:
        meaning = _sha256(f"topup {body.credits} {body.card[-4:]}")
        attempt = body.attempt or propagation.current().request_id
        done = await payments.top_up(account_id, Key(key, meaning, attempt), body.credits, body.card)
        if done.replayed:
            response.headers[REPLAYED] = "true"
        return TopUpAnswer(top_up_id=done.id, status=done.status, decided_by=done.decided_by, available=done.available)

    @router.post(charge_path + "/feedback", responses=_problems(404, 409), summary="Say what a reading really was")
    async def feedback(account_id: AccountId, charge_id: ChargeId, body: FeedbackBody) -> FeedbackAnswer:
        noted = await payments.record_feedback(account_id, charge_id, body.label)
        return FeedbackAnswer(first=noted.first, answer=StoredAnswer.of(noted.answer) if noted.answer else None)

    @router.get("/audit", responses=_problems(), summary="Prove the books")
    async def audit() -> AuditAnswer:
        found = await payments.audit()
        return AuditAnswer(
            sound=found.sound,
            findings=list(found.findings),
            accounts=found.accounts,
            transfers=found.transfers,
            held=found.held,
        )

    return router


def _sha256(meaning: str) -> bytes:
    return hashlib.sha256(meaning.encode()).digest()
