"""The gRPC trap without a product: replicas are servers of this process, that say who they are."""

import asyncio
import contextlib

import grpc.aio
import pytest
from trap import Lesson

from contracts import open_inference_pb2 as v2
from contracts import open_inference_pb2_grpc as v2_grpc


class Replica(v2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, name):
        self.name = name

    async def ModelInfer(self, request, context):  # noqa: N802 (the proto's)
        context.set_trailing_metadata((("x-inkmesh-path", f'inference;version="v1";replica="{self.name}";attempt=1'),))
        return v2.ModelInferResponse(model_name=request.model_name)


class Copy:
    """What Lesson needs of price_copies.Copy: servers, as many of them as were asked for last."""

    def __init__(self, addresses):
        self._addresses = addresses
        self._count = 1

    def scale(self, workload, replicas):
        self._count = replicas

    def replicas(self, workload):
        names = list(self._addresses)[: self._count]
        return [{"name": name, "own": {"grpc": self._addresses[name]}, "ready": True} for name in names]


@contextlib.asynccontextmanager
async def copy():
    async with contextlib.AsyncExitStack() as stack:
        addresses = {}
        for name in ("inference-v1-0", "inference-v1-1", "inference-v1-2"):
            server = grpc.aio.server()
            v2_grpc.add_GRPCInferenceServiceServicer_to_server(Replica(name), server)
            addresses[name] = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
            await server.start()
            stack.push_async_callback(server.stop, 0)
        yield Copy(addresses)


@pytest.mark.parametrize(("way", "busy"), [("without_mesh", 1), ("round_robin", 3)])
def test_who_works_after_more_were_added(way, busy):
    """A balancer of connections leaves them idle; a client that is told of them uses all."""

    async def shares():
        async with copy() as found:
            return await getattr(Lesson(found, 0.5), way)()

    assert sum(count > 0 for count in asyncio.run(shares()).values()) == busy
