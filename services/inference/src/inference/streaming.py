"""`ModelStreamInfer`: many inferences over one gRPC stream, each answered before the next is read.

A fault of one request is said in its own answer, with its id; the stream goes on. So a stream's status says how the
stream ended, and `inkmesh_requests_total` counts streams. A process that stops, or has no model yet, ends a stream that
waits for its next request with UNAVAILABLE: the caller opens another elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import structlog
from google.protobuf.message import DecodeError

from contracts import open_inference_pb2 as wire
from inference.errors import BadInput, NotReady
from inference.grpc import Context, Servicer
from runtime import propagation
from runtime.errors import Fault
from runtime.grpc import PROBLEM_KEY
from runtime.http import Service
from runtime.propagation import PATH_HEADER

_SERVICE, _METHOD = "inference.GRPCInferenceService", "ModelStreamInfer"

_LOOK_SECONDS = 0.25

log = structlog.get_logger()


def add(server: grpc.aio.Server, servicer: Servicer, service: Service) -> None:
    """Add the method beside those that answer once."""

    async def served(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[wire.ModelStreamInferResponse]:
        started = time.perf_counter()
        call = propagation.arriving({key: str(value) for key, value in context.invocation_metadata() or ()}.get)
        propagation.enter(call)  # of this stream's own task, and gone with it
        status = grpc.StatusCode.CANCELLED
        path = (PATH_HEADER, str(service.hop(call.attempt)))
        read: asyncio.Future[bytes | None] | None = None
        leaving = asyncio.create_task(_until_not_ready(service))
        try:
            while True:
                read = asyncio.ensure_future(anext(requests, None))
                await asyncio.wait({read, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not read.done():
                    status = grpc.StatusCode.UNAVAILABLE
                    await context.abort(status, NotReady().detail, (path, (PROBLEM_KEY, NotReady().type)))
                data = read.result()
                if data is None:
                    break
                yield await _answer(data, servicer, service, context)
            status = grpc.StatusCode.OK
            context.set_trailing_metadata((path,))
        finally:
            leaving.cancel()
            if read is not None:
                read.cancel()
            seconds = time.perf_counter() - started
            service.telemetry.served(call, "grpc", f"{_SERVICE}/{_METHOD}", status.name, seconds)
            service.requests.write(call, f"{_SERVICE}/{_METHOD}", status.name, seconds)

    handler: grpc.RpcMethodHandler[bytes, wire.ModelStreamInferResponse] = grpc.stream_stream_rpc_method_handler(
        served, response_serializer=wire.ModelStreamInferResponse.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),))


async def _until_not_ready(service: Service) -> None:
    while service.health.ready:  # noqa: ASYNC110 (readiness is a fact, not an event)
        await asyncio.sleep(_LOOK_SECONDS)


async def _answer(data: bytes, servicer: Servicer, service: Service, context: Context) -> wire.ModelStreamInferResponse:
    request = wire.ModelInferRequest()
    try:
        try:
            request.ParseFromString(data)
        except DecodeError:
            raise BadInput("The message cannot be decoded.") from None
        await service.sick.suffer()
        return wire.ModelStreamInferResponse(infer_response=await servicer.ModelInfer(request, context))
    except Fault as fault:
        return _said(fault.detail, request.id)
    except Exception:
        log.exception("unexpected error", route=f"{_SERVICE}/{_METHOD}")
        return _said("Something went wrong here.", request.id)


def _said(detail: str, identity: str) -> wire.ModelStreamInferResponse:
    return wire.ModelStreamInferResponse(error_message=detail, infer_response=wire.ModelInferResponse(id=identity))
