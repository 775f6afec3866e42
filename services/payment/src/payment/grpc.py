"""gRPC to the core object and back; no decisions."""

from __future__ import annotations

from typing import Any

from contracts import payment_v1_pb2 as wire
from payment.payments import Payments
from payment.records import Account, Answer, Charge, ChargeState, DecidedBy, Key, TopUpStatus

_STATES = {
    ChargeState.HELD: wire.CHARGE_STATE_HELD,
    ChargeState.CAPTURED: wire.CHARGE_STATE_CAPTURED,
    ChargeState.VOIDED: wire.CHARGE_STATE_VOIDED,
    ChargeState.EXPIRED: wire.CHARGE_STATE_EXPIRED,
}
_STATUSES = {
    TopUpStatus.APPROVED: wire.TOP_UP_STATUS_APPROVED,
    TopUpStatus.REVIEW: wire.TOP_UP_STATUS_REVIEW,
    TopUpStatus.DECLINED: wire.TOP_UP_STATUS_DECLINED,
}
_DECIDERS = {DecidedBy.MODEL: wire.DECIDED_BY_MODEL, DecidedBy.RULES: wire.DECIDED_BY_RULES}


class Servicer:
    """inkmesh.payment.v1.PaymentService; runtime.grpc wraps each method and turns faults into statuses."""

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    async def OpenAccount(self, request: wire.OpenAccountRequest, _: Any) -> wire.Account:  # noqa: ANN401, N802
        """Open an account with a grant."""
        return _account(await self._payments.open_account(request.account_id, request.credits))

    async def GetAccount(self, request: wire.GetAccountRequest, _: Any) -> wire.Account:  # noqa: ANN401, N802
        """Balance and held credits."""
        return _account(await self._payments.account(request.account_id))

    async def Hold(self, request: wire.HoldRequest, _: Any) -> wire.HoldResponse:  # noqa: ANN401, N802
        """Reserve credits."""
        outcome = await self._payments.hold(request.account_id, _key(request.key), request.amount)
        if isinstance(outcome, Answer):
            return wire.HoldResponse(finished=_stored(outcome))
        return wire.HoldResponse(charge=_charge(outcome))

    async def Capture(self, request: wire.SettleRequest, _: Any) -> wire.Charge:  # noqa: ANN401, N802
        """Post a held charge."""
        answer = Answer(request.answer.status, request.answer.body)  # one that is missing has no status: refused
        return _charge(await self._payments.capture(request.account_id, request.charge_id, request.attempt, answer))

    async def Void(self, request: wire.SettleRequest, _: Any) -> wire.Charge:  # noqa: ANN401, N802
        """Give a held charge back."""
        given = request.HasField("answer")
        answer = Answer(request.answer.status, request.answer.body) if given else None
        return _charge(await self._payments.void(request.account_id, request.charge_id, request.attempt, answer))

    async def TopUp(self, request: wire.TopUpRequest, _: Any) -> wire.TopUpResponse:  # noqa: ANN401, N802
        """Buy credits."""
        done = await self._payments.top_up(request.account_id, _key(request.key), request.credits, request.card)
        return wire.TopUpResponse(
            top_up_id=done.id,
            status=_STATUSES[done.status],
            decided_by=_DECIDERS[done.decided_by],
            available=done.available,
            replayed=done.replayed,
        )

    async def RecordFeedback(  # noqa: N802
        self,
        request: wire.RecordFeedbackRequest,
        _: Any,  # noqa: ANN401
    ) -> wire.RecordFeedbackResponse:
        """Note what a reading really was."""
        noted = await self._payments.record_feedback(request.account_id, request.charge_id, request.label)
        return wire.RecordFeedbackResponse(
            first=noted.first, answer=_stored(noted.answer) if noted.answer is not None else None
        )

    async def Audit(self, _: wire.AuditRequest, __: Any) -> wire.AuditResponse:  # noqa: ANN401, N802
        """Prove the books."""
        audit = await self._payments.audit()
        return wire.AuditResponse(
            sound=audit.sound,
            findings=audit.findings,
            accounts=audit.accounts,
            transfers=audit.transfers,
            held=audit.held,
        )


def _key(key: wire.IdempotencyKey) -> Key:
    return Key(key.key, key.fingerprint, key.attempt)


def _account(account: Account) -> wire.Account:
    return wire.Account(account_id=account.id, balance=account.balance, held=account.held)


def _charge(charge: Charge) -> wire.Charge:
    return wire.Charge(
        charge_id=charge.id, amount=charge.amount, state=_STATES[charge.state], available=charge.available
    )


def _stored(answer: Answer) -> wire.StoredAnswer:
    return wire.StoredAnswer(status=answer.status, body=answer.body)
