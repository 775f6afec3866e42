"""Outbound calls: payment and inference over gRPC, one channel an upstream, a deadline on each call.

Retries, ejection and splits are the mesh's; these adapters translate and carry on headers (runtime.grpc.invoke).
"""

from __future__ import annotations

import struct
from array import array
from functools import partial

import grpc.aio

from contracts import open_inference_pb2 as v2
from contracts import open_inference_pb2_grpc as v2_grpc
from contracts import payment_v1_pb2 as pay
from contracts import payment_v1_pb2_grpc as pay_grpc
from gateway.readings import Account, Answer, Feedback, Held, Key, Reading, TopUp
from runtime.errors import Code, Fault
from runtime.grpc import invoke

CHANNEL_OPTIONS = [
    ("grpc.enable_retries", 0),  # one layer retries, and it is the mesh
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]

_STATUS = {
    pay.TOP_UP_STATUS_APPROVED: "approved",
    pay.TOP_UP_STATUS_REVIEW: "review",
    pay.TOP_UP_STATUS_DECLINED: "declined",
}
_DECIDED_BY = {pay.DECIDED_BY_MODEL: "model", pay.DECIDED_BY_RULES: "rules"}


class GrpcLedger:
    """readings.Ledger over payment's gRPC."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float) -> None:
        self._stub = pay_grpc.PaymentServiceStub(channel)
        self._invoke = partial(invoke, upstream="payment", seconds=seconds)

    async def open_account(self, account_id: str, credits_: int) -> Account:
        request = pay.OpenAccountRequest(account_id=account_id, credits=credits_)
        return _account(await self._invoke(self._stub.OpenAccount, request))

    async def account(self, account_id: str) -> Account:
        return _account(await self._invoke(self._stub.GetAccount, pay.GetAccountRequest(account_id=account_id)))

    async def hold(self, account_id: str, key: Key, amount: int) -> Held | Answer:
        request = pay.HoldRequest(account_id=account_id, key=_key(key), amount=amount)
        response = await self._invoke(self._stub.Hold, request)
        if response.HasField("finished"):
            return Answer(response.finished.status, response.finished.body)
        charge = response.charge
        return Held(account_id, charge.charge_id, key.attempt, charge.amount, charge.available)

    async def capture(self, held: Held, answer: Answer) -> None:
        await self._invoke(self._stub.Capture, _settle(held, answer))

    async def void(self, held: Held, answer: Answer) -> None:
        await self._invoke(self._stub.Void, _settle(held, answer))

    async def top_up(self, account_id: str, key: Key, credits_: int, card: str) -> TopUp:
        request = pay.TopUpRequest(account_id=account_id, key=_key(key), credits=credits_, card=card)
        done = await self._invoke(self._stub.TopUp, request)
        return TopUp(done.top_up_id, _STATUS[done.status], _DECIDED_BY[done.decided_by], done.available, done.replayed)

    async def feedback(self, account_id: str, charge_id: str, label: int) -> Feedback:
        request = pay.RecordFeedbackRequest(account_id=account_id, charge_id=charge_id, label=label)
        done = await self._invoke(self._stub.RecordFeedback, request)
        return Feedback(done.first, Answer(done.answer.status, done.answer.body))


class GrpcModel:
    """readings.Model over inference's gRPC: the model `digits`, whichever version the mesh routes to."""

    def __init__(self, channel: grpc.aio.Channel, seconds: float) -> None:
        self._stub = v2_grpc.GRPCInferenceServiceStub(channel)
        self._invoke = partial(invoke, upstream="inference", seconds=seconds)

    async def read(self, pixels: list[float]) -> Reading:
        request = v2.ModelInferRequest(
            model_name="digits",
            inputs=[v2.ModelInferRequest.InferInputTensor(name="pixels", datatype="FP32", shape=[1, 64])],
            raw_input_contents=[array("f", pixels).tobytes()],
        )
        response = await self._invoke(self._stub.ModelInfer, request)
        try:
            raw = dict(zip((output.name for output in response.outputs), response.raw_output_contents, strict=True))
            (label,) = struct.unpack("<q", raw["label"])
            probabilities = struct.unpack("<10f", raw["probabilities"])
            digest = response.parameters["digest"].string_param
        except (KeyError, ValueError, struct.error) as error:
            raise Fault(Code.UNAVAILABLE, "inference-unavailable", "inference answered what cannot be read.") from error
        return Reading(label, [round(p, 6) for p in probabilities], response.model_name, response.model_version, digest)


def _account(message: pay.Account) -> Account:
    return Account(message.account_id, message.balance, message.held)


def _key(key: Key) -> pay.IdempotencyKey:
    return pay.IdempotencyKey(key=key.key, fingerprint=key.fingerprint, attempt=key.attempt)


def _settle(held: Held, answer: Answer) -> pay.SettleRequest:
    return pay.SettleRequest(
        account_id=held.account_id,
        charge_id=held.charge_id,
        attempt=held.attempt,
        answer=pay.StoredAnswer(status=answer.status, body=answer.body),
    )
