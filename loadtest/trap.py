"""The gRPC trap: an inference that is scaled from one replica to three while a caller holds one connection.

Three ways to reach it, one after the other: a balancer of connections, which is what a Service is without a mesh (a
gRPC channel is one connection for as long as it lasts, so new replicas stay idle); the mesh, which balances requests;
and a round robin in the client, which must be told of the replicas. `inkmesh load trap` runs it and draws the shares.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc.aio
import psutil
from digits import read_digits
from price_copies import Copy, copies

from contracts import open_inference_pb2 as v2
from contracts import open_inference_pb2_grpc as v2_grpc

WORKLOAD, REPLICAS = "inference-v1", 3
CALLERS = 4
PAUSE_SECONDS = 0.005
"""Between two calls of one caller: who answered is the question, not how many fit."""
READY_SECONDS = 60
AGREE_SECONDS = 1.0
"""After the last replica is ready: Envoy has its endpoint, and calls from before are answered."""
_REPLICA = re.compile(r'replica="(?P<name>[^"]*)"')

Shares = dict[str, int]


class Caller:
    """Asks for readings all the time, over whatever channel is in force; counts who answered."""

    def __init__(self) -> None:
        self.channel: grpc.aio.Channel | None = None
        self.served: Counter[str] = Counter()
        tensor = v2.ModelInferRequest.InferInputTensor(name="pixels", datatype="FP32", shape=[1, 64])
        tensor.contents.fp32_contents.extend(read_digits()[0][1])
        self._request = v2.ModelInferRequest(model_name="digits", inputs=[tensor])

    async def connect(self, target: str) -> None:
        """Call `target` from now on; calls under way may end."""
        before = self.channel
        options = [("grpc.lb_policy_name", "round_robin"), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.aio.insecure_channel(target, options)
        if before is not None:
            await before.close(grace=5)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await asyncio.gather(*(self._ask_on() for _ in range(CALLERS)))
        finally:
            if self.channel is not None:
                await self.channel.close()

    async def _ask_on(self) -> None:
        while True:
            assert self.channel is not None
            call = v2_grpc.GRPCInferenceServiceStub(self.channel).ModelInfer(
                self._request, timeout=5, wait_for_ready=True
            )
            await call
            path = dict(await call.trailing_metadata()).get("x-inkmesh-path", "")
            self.served.update(one["name"] for one in _REPLICA.finditer(str(path)))
            await asyncio.sleep(PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def connection_balancer(addresses: Callable[[], list[str]]) -> AsyncIterator[str]:
    """As kube-proxy does for a Service: each new connection goes to a ready replica by chance, and stays there."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = random.choice(addresses()).rpartition(":")  # noqa: S311 (a balancer, no secret)
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@contextlib.asynccontextmanager
async def calling(target: str) -> AsyncIterator[Caller]:
    """A caller at work."""
    caller = Caller()
    await caller.connect(target)
    work = asyncio.create_task(caller.run())
    try:
        yield caller
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


class Lesson:
    """The three ways, on one copy of the product."""

    def __init__(self, copy: Copy, seconds: float) -> None:
        """`seconds`: how long shares are counted."""
        self._copy, self._seconds = copy, seconds

    async def without_mesh(self) -> Shares:
        """One channel to a balancer of connections."""
        await self._scale(1)
        async with connection_balancer(self._addresses) as service, calling(service) as caller:
            return await self._grow(caller)

    async def with_mesh(self) -> Shares:
        """The same channel to where the gateway calls inference: Envoy."""
        await self._scale(1)
        gateway = psutil.Process(self._copy.replicas("gateway")[0]["pid"]).environ()
        async with calling(gateway["GATEWAY_INFERENCE_TARGET"]) as caller:
            return await self._grow(caller)

    async def round_robin(self) -> Shares:
        """A channel that knows every replica's address, because somebody tells it when there are others."""
        await self._scale(1)
        async with calling(self._target()) as caller:
            return await self._grow(caller, tell=True)

    async def _grow(self, caller: Caller, *, tell: bool = False) -> Shares:
        await _until(lambda: bool(caller.served))  # the connection is there, to the only replica
        await self._scale(REPLICAS)
        if tell:
            await caller.connect(self._target())
        await asyncio.sleep(AGREE_SECONDS)
        caller.served.clear()
        await asyncio.sleep(self._seconds)
        return {one["name"]: caller.served[one["name"]] for one in self._copy.replicas(WORKLOAD)}

    async def _scale(self, replicas: int) -> None:
        await asyncio.to_thread(self._copy.scale, WORKLOAD, replicas)
        await _until(lambda: len(self._addresses()) == replicas)

    def _addresses(self) -> list[str]:
        return [one["own"]["grpc"] for one in self._copy.replicas(WORKLOAD) if one["ready"]]

    def _target(self) -> str:
        return "ipv4:" + ",".join(self._addresses())


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not reached():  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.1)


async def learn(copy: Copy, seconds: float) -> dict[str, Shares]:
    """Way → replica → calls that it answered once all of them were ready."""
    lesson = Lesson(copy, seconds)
    return {
        "without mesh": await lesson.without_mesh(),
        "mesh": await lesson.with_mesh(),
        "client-side round robin": await lesson.round_robin(),
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="how long shares are counted (default 10)")
    parser.add_argument("--models", type=Path, help="a folder of trained models, so that they need not be made again")
    parser.add_argument("--json", type=Path, required=True, help="write the numbers here")
    args = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder, copies(root, Path(folder), args.models) as start:
        found = asyncio.run(learn(start("trap"), args.seconds))
    args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
