"""bench_payment over gRPC: a server that answers everything with the same bytes, and the clients.

serve PORT …: what no payment on grpc.aio can pass. load PORT: clients who hold a credit and capture it, on
one channel as the gateway has it; prints {"rate", "p50", "p99"} as JSON; milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict

import grpc.aio
import uvloop
from bench_payment_ledger import ANSWER, Seen

from contracts import payment_v1_pb2 as wire
from contracts import payment_v1_pb2_grpc as wire_grpc

CHARGE = wire.Charge(charge_id=f"chg_{0:012x}{0:016x}", amount=1, state=wire.CHARGE_STATE_HELD, available=999_999)
CONSTANT = {
    "OpenAccount": wire.Account(account_id="a" * 32, balance=1_000_000),
    "Hold": wire.HoldResponse(charge=CHARGE),
    "Capture": CHARGE,
}


async def serve(ports: list[int]) -> None:
    """Answer on each port, until the process is ended."""

    def constant(message: bytes) -> grpc.RpcMethodHandler:
        async def answer(_: bytes, __: object) -> bytes:
            return message

        return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server()
    handlers = {name: constant(message.SerializeToString()) for name, message in CONSTANT.items()}
    service = wire.DESCRIPTOR.services_by_name["PaymentService"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    for port in ports:
        server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


async def load(port: int, clients: int, seconds: float) -> Seen:
    """Each client with an account of its own."""
    times: list[float] = []
    answer = wire.StoredAnswer(status=ANSWER.status, body=ANSWER.body)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        payment = wire_grpc.PaymentServiceStub(channel)
        names = [os.urandom(16).hex() for _ in range(clients)]
        await asyncio.gather(
            *(payment.OpenAccount(wire.OpenAccountRequest(account_id=name, credits=1_000_000)) for name in names)
        )
        started = time.perf_counter()

        async def client(name: str) -> None:
            now = time.perf_counter()
            while now < started + seconds:
                key = wire.IdempotencyKey(key=os.urandom(16).hex(), fingerprint=bytes(32), attempt="a")
                held = await payment.Hold(wire.HoldRequest(account_id=name, key=key, amount=1), timeout=10)
                between = time.perf_counter()
                settle = wire.SettleRequest(
                    account_id=name, charge_id=held.charge.charge_id, attempt="a", answer=answer
                )
                await payment.Capture(settle, timeout=10)
                before, now = now, time.perf_counter()
                times.extend((between - before, now - between))

        await asyncio.gather(*(client(name) for name in names))
        return Seen.of(times, time.perf_counter() - started)


def main() -> None:
    """Serve, or load and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=["serve", "load"])
    parser.add_argument("ports", type=int, nargs="+")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3)
    given = parser.parse_args()
    if given.role == "serve":
        uvloop.run(serve(given.ports))
    else:
        sys.stdout.write(json.dumps(asdict(uvloop.run(load(given.ports[0], given.clients, given.seconds)))) + "\n")


if __name__ == "__main__":
    main()
