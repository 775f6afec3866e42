"""The gRPC side of every service: a servicer whose methods have their Call, their errors, metrics, logs and provenance.

Methods are wrapped once, when the server is made; an interceptor would cost each call more than the whole of this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from runtime import propagation
from runtime.errors import GRPC_STATUS, Code, Fault
from runtime.http import Service
from runtime.propagation import PATH_HEADER

PROBLEM_KEY = "x-inkmesh-problem"

Method = Callable[[Any, Any], Awaitable[Any]]

log = structlog.get_logger()

_OPTIONS = [
    ("grpc.so_reuseport", 0),  # a port in use is an error, not a second listener
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_send_message_length", 4 << 20),
]


def create_server(servicer: object, descriptor: ServiceDescriptor, service: Service) -> grpc.aio.Server:
    """A server, not listening yet, of the methods that `descriptor` names.

    What cannot be decoded reaches a method's wrapper as None: grpc itself would answer UNKNOWN, before anything of ours
    could count or log the call.
    """
    handlers = {
        method.name: grpc.unary_unary_rpc_method_handler(
            _wrap(getattr(servicer, method.name), f"{descriptor.full_name}/{method.name}", service),
            request_deserializer=_decoder(GetMessageClass(method.input_type)),
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in descriptor.methods
        if hasattr(servicer, method.name)
    }
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(descriptor.full_name, handlers),))
    return server


def _decoder(message: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 (a generated class)
    def decode(data: bytes) -> Any:  # noqa: ANN401
        try:
            return message.FromString(data)
        except DecodeError:
            return None

    return decode


def _wrap(method: Method, route: str, service: Service) -> Method:
    async def served(request: Any, context: Any) -> Any:  # noqa: ANN401
        started = time.perf_counter()
        call = propagation.arriving(dict(context.invocation_metadata()).get)
        token = propagation.enter(call)
        status = grpc.StatusCode.CANCELLED
        try:
            try:
                if request is None:
                    raise Fault(Code.MALFORMED, "malformed", "The message cannot be decoded.")
                if service.sick.on:
                    await service.sick.suffer()
                response = await method(request, context)
            except Fault as fault:
                status = GRPC_STATUS[fault.code]
                await _abort(context, status, fault, _path(service, call))
            except Exception:
                status = grpc.StatusCode.INTERNAL
                log.exception("unexpected error", route=route)
                general = Fault(Code.INTERNAL, "internal", "Something went wrong here.")
                await _abort(context, status, general, _path(service, call))
            else:
                status = grpc.StatusCode.OK
                context.set_trailing_metadata((_path(service, call),))
                return response
        finally:
            seconds = time.perf_counter() - started
            service.telemetry.served(call, "grpc", route, status.name, seconds)
            service.requests.write(call, route, status.name, seconds)
            propagation.leave(token)

    return served


def _path(service: Service, call: propagation.Call) -> tuple[str, str]:
    return PATH_HEADER, service.path(call)


async def _abort(context: Any, status: grpc.StatusCode, fault: Fault, path: tuple[str, str]) -> None:  # noqa: ANN401
    await context.abort(status, fault.detail, (path, (PROBLEM_KEY, fault.type)))


async def invoke(
    method: Callable[..., Any],
    request: Any,  # noqa: ANN401
    *,
    upstream: str,
    seconds: float,
) -> Any:  # noqa: ANN401
    """Call a stub's unary method with a deadline (seconds) and the current Call's metadata; note the hops it made.

    Raises Fault: the upstream's own (by `x-inkmesh-problem`), or `UPSTREAM-unavailable` or `deadline-exceeded`.
    """
    here = propagation.current()
    pending = method(request, timeout=seconds, metadata=here.outgoing())
    try:
        response = await pending
        trailing = await pending.trailing_metadata()
    except grpc.aio.AioRpcError as error:
        _note_hops(here, error.trailing_metadata())
        raise fault_from(error, upstream) from error
    except asyncio.CancelledError:
        pending.cancel()
        raise
    _note_hops(here, trailing)
    return response


def _note_hops(call: propagation.Call, metadata: Any) -> None:  # noqa: ANN401
    for name, value in metadata or ():
        if name == PATH_HEADER:
            call.hops.extend(propagation.parse_path(value))


_MEANING = {
    grpc.StatusCode.INVALID_ARGUMENT: Code.INVALID,
    grpc.StatusCode.NOT_FOUND: Code.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: Code.FORBIDDEN,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Code.TOO_MANY,
}
_BY_TYPE = {
    "insufficient-credits": Code.PAYMENT_REQUIRED,
    "key-reused": Code.KEY_REUSED,
    "in-flight": Code.IN_FLIGHT,
    "charge-not-held": Code.SETTLED,
}


def fault_from(error: grpc.aio.AioRpcError, upstream: str) -> Fault:
    """What an upstream's failure means to our own caller."""
    status = error.code()
    problem = next((str(value) for name, value in error.trailing_metadata() or () if name == PROBLEM_KEY), "")
    detail = error.details() or ""
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Fault(Code.DEADLINE, "deadline-exceeded", f"{upstream} did not answer in time.")
    if problem and problem not in {"internal", "injected-fault"}:
        if problem in _BY_TYPE:
            return Fault(_BY_TYPE[problem], problem, detail)
        if status in _MEANING:
            return Fault(_MEANING[status], problem, detail)
        if status in {grpc.StatusCode.ABORTED, grpc.StatusCode.FAILED_PRECONDITION}:
            return Fault(Code.CONFLICT, problem, detail)
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Fault(Code.TOO_MANY, "rate-limited", f"{upstream} takes no more calls now.")
    return Fault(Code.UNAVAILABLE, f"{upstream}-unavailable", f"{upstream} cannot answer now ({status.name}).")
