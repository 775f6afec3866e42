"""ModelInfer by gRPC from Locust's greenlets: one channel an address, made when it is first needed."""

from __future__ import annotations

import functools
import itertools
import time
from typing import Any

import grpc
import grpc.experimental.gevent

from contracts import open_inference_pb2 as v2
from contracts import open_inference_pb2_grpc as v2_grpc

NAME = "/inference.GRPCInferenceService/ModelInfer"
DEADLINE_SECONDS = 5.0


@functools.cache
def _stubs(targets: str) -> itertools.cycle[v2_grpc.GRPCInferenceServiceStub]:
    """Stubs in turn, for addresses with commas between them: what a client-side round robin does."""
    grpc.experimental.gevent.init_gevent()
    return itertools.cycle([v2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(one)) for one in targets.split(",")])


def infer(targets: str, model: str, pixels: list[int], event: Any, due: float | None) -> None:  # noqa: ANN401
    """Ask once, and tell Locust; time counts from `due` (perf_counter), else from now."""
    tensor = v2.ModelInferRequest.InferInputTensor(name="pixels", datatype="FP32", shape=[1, 64])
    tensor.contents.fp32_contents.extend(pixels)
    began = time.perf_counter() if due is None else due
    failure, size, context = None, 0, {}
    try:
        answer, call = next(_stubs(targets)).ModelInfer.with_call(
            v2.ModelInferRequest(model_name=model, inputs=[tensor]), timeout=DEADLINE_SECONDS
        )
        size = answer.ByteSize()
        context = {"path": dict(call.trailing_metadata() or ()).get("x-inkmesh-path", "")}
    except grpc.RpcError as error:
        failure = error
    event.fire(
        request_type="gRPC", name=NAME, response_time=(time.perf_counter() - began) * 1000, response_length=size,
        exception=failure, context=context,
    )  # fmt: skip
