"""gRPC through the mesh: HTTP/2 on both sides, retries by gRPC status, deadlines that hold."""

import asyncio
import time

import grpc
from envoys.bench import grpc_replica, routes

METHOD = "/demo.Model/Infer"


class Servicer:
    """Answers `well`, after `delay` seconds; the first `failures` calls are UNAVAILABLE."""

    def __init__(self, failures=0, delay=0.0):
        self.failures = failures
        self.delay = delay
        self.calls = []
        self.remaining = []

    async def infer(self, _request, context):
        self.calls.append(dict(context.invocation_metadata()))
        self.remaining.append(context.time_remaining())
        await asyncio.sleep(self.delay)
        if len(self.calls) <= self.failures:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return b"well"


async def calling(bench, servicer, *documents, seconds=5.0):
    """One call through Envoy to a server with that servicer: the answer, or the error's code."""
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(servicer.infer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("demo.Model", {"Infer": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with (
            bench.running([grpc_replica(port)], *documents),
            grpc.aio.insecure_channel(f"127.0.0.1:{bench.grpc}") as channel,
        ):
            return await channel.unary_unary(METHOD)(b"", timeout=seconds)
    except grpc.aio.AioRpcError as error:
        return error.code()
    finally:
        await server.stop(None)


def test_a_call_arrives(bench):
    """A unary call goes through and says that it is the first attempt."""
    servicer = Servicer()
    assert asyncio.run(calling(bench, servicer)) == b"well"
    assert [call["x-envoy-attempt-count"] for call in servicer.calls] == ["1"]


def test_unavailable_is_retried_by_default(bench):
    """Istio's own policy repeats UNAVAILABLE twice: a call without a key may happen again."""
    servicer = Servicer(failures=2)
    assert asyncio.run(calling(bench, servicer)) == b"well"
    assert [call["x-envoy-attempt-count"] for call in servicer.calls] == ["1", "2", "3"]


def test_a_grpc_fault_is_a_grpc_status(bench):
    """An abort by grpcStatus reaches the caller as that status."""
    fault = routes("""
      - fault: {abort: {grpcStatus: RESOURCE_EXHAUSTED, percentage: {value: 100}}}
        route: [{destination: {host: model}}]
    """)
    servicer = Servicer()
    assert asyncio.run(calling(bench, servicer, fault)) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not servicer.calls


def test_a_timeout_ends_a_call_without_a_deadline(bench):
    """The route's limit is told to the service as the call's deadline; the first of the two to see it end says so."""
    limit = routes("[{timeout: 200ms, retries: {attempts: 0}, route: [{destination: {host: model}}]}]")
    began = time.monotonic()
    servicer = Servicer(delay=3)
    code = asyncio.run(calling(bench, servicer, limit, seconds=None))
    assert code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    assert 0 < servicer.remaining[0] <= 0.2
    assert time.monotonic() - began < 3


def test_a_callers_deadline_reaches_the_service(bench):
    """What is left of the caller's time is passed on, so that no work is done for nobody."""
    servicer = Servicer()
    asyncio.run(calling(bench, servicer, seconds=2.0))
    # gRPC rounds what is left up to three digits.
    assert 0 < int(servicer.calls[0]["x-envoy-expected-rq-timeout-ms"]) <= 2010
