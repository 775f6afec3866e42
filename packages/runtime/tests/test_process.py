"""A whole process: both transports, its spans, and its leaving."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import grpc
import httpx
import pytest

from contracts import open_inference_pb2, open_inference_pb2_grpc

PROGRAM = """
import asyncio, os, sys
import uvloop
from contracts import open_inference_pb2 as pb
from runtime import logging
from runtime.errors import Code, Fault
from runtime.grpc import create_server
from runtime.health import Health
from runtime.http import Edge, Service, create_app
from runtime.lifecycle import serve
from runtime.settings import GrpcServerSettings
from runtime.telemetry import Telemetry

class Servicer:
    async def ServerLive(self, request, context):
        return pb.ServerLiveResponse(live=True)
    async def ServerReady(self, request, context):
        raise Fault(Code.UNAVAILABLE, "model-unavailable", "Not now.")
    async def ModelReady(self, request, context):
        raise RuntimeError("secret")

async def main():
    http, rpc_port = map(int, sys.argv[1:])
    settings = GrpcServerSettings(http_port=http, grpc_port=rpc_port, replica="shop-0", drain_seconds=0.3)
    logging.configure("shop", settings)
    service = Service("shop", settings, Telemetry.create("shop", settings, os.environ), Health())
    app = create_app(service, "Shop", "")
    @app.get("/slow")
    async def slow():
        print("begun", flush=True)
        await asyncio.sleep(1)
        return "done"
    server = create_server(Servicer(), pb.DESCRIPTOR.services_by_name["GRPCInferenceService"], service)
    service.health.set_ready(True)
    await serve(Edge(app, service), service, (server, rpc_port))
    service.telemetry.close()

uvloop.run(main())
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def process(**environment):
    http, rpc = free_port(), free_port()
    command = [sys.executable, "-c", PROGRAM, str(http), str(rpc)]
    with subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"http://127.0.0.1:{http}/healthz/ready").status_code == 200:
                        break
                assert time.monotonic() < deadline, "never ready"
            yield running, f"http://127.0.0.1:{http}", f"127.0.0.1:{rpc}"
        finally:
            running.kill()


@pytest.fixture(scope="module")
def shop():
    with process() as found:
        yield found


def test_a_grpc_answer_says_who_served_it(shop):
    """Trailing metadata carries the hop with its attempt."""
    with grpc.insecure_channel(shop[2]) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer, call = stub.ServerLive.with_call(
            open_inference_pb2.ServerLiveRequest(), timeout=5, metadata=[("x-envoy-attempt-count", "3")]
        )
    assert answer.live
    assert dict(call.trailing_metadata())["x-inkmesh-path"] == 'shop;version="v1";replica="shop-0";attempt=3'


@pytest.mark.parametrize(
    ("method", "status", "problem"),
    [
        ("ServerReady", grpc.StatusCode.UNAVAILABLE, "model-unavailable"),
        ("ModelReady", grpc.StatusCode.INTERNAL, "internal"),
    ],
)
def test_grpc_failures_have_a_true_status_and_tell_no_secrets(shop, method, status, problem):
    """A Fault keeps its type; a bug says nothing of itself."""
    request = (
        open_inference_pb2.ServerReadyRequest() if method == "ServerReady" else open_inference_pb2.ModelReadyRequest()
    )
    with grpc.insecure_channel(shop[2]) as channel, pytest.raises(grpc.RpcError) as caught:
        getattr(open_inference_pb2_grpc.GRPCInferenceServiceStub(channel), method)(request, timeout=5)
    assert caught.value.code() is status
    assert dict(caught.value.trailing_metadata())["x-inkmesh-problem"] == problem
    assert "secret" not in caught.value.details()


def test_a_message_that_cannot_be_decoded_is_the_callers_fault(shop):
    """INVALID_ARGUMENT, not grpc's own UNKNOWN."""
    with grpc.insecure_channel(shop[2]) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/inference.GRPCInferenceService/ModelReady")(b"\xff\xff", timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_stop_drains():
    """SIGTERM: not ready at once, still serving for a moment, and what is in flight finishes."""
    with process() as (running, url, _):

        async def stop_in_the_middle():
            async with httpx.AsyncClient(base_url=url) as client:
                slow = asyncio.create_task(client.get("/slow"))
                while "begun" not in await asyncio.to_thread(running.stdout.readline):
                    assert running.poll() is None
                running.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + 0.25
                while (status := (await client.get("/healthz/ready")).status_code) == 200:
                    assert time.monotonic() < deadline
                return status, (await slow).json()

        assert asyncio.run(stop_in_the_middle()) == (503, "done")
        assert running.wait(10) == 0


def test_a_port_in_use_is_named():
    """The error says which address cannot be had."""
    with process() as (_, url, _):
        port = url.rsplit(":", 1)[1]
        second = subprocess.run([sys.executable, "-c", PROGRAM, port, str(free_port())], capture_output=True, text=True)
    assert second.returncode != 0
    assert f"cannot listen for HTTP on 127.0.0.1:{port}" in second.stderr


def test_spans_reach_a_collector_with_the_ids_of_the_headers():
    """With an OTLP endpoint each request becomes a span of the trace that came in."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    collector = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    with process(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_COMPRESSION="none") as (running, url, _):
        httpx.get(f"{url}/nothing", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    collector.shutdown()
    collector.server_close()
    assert any(bytes.fromhex(trace) in body for body in received)


def test_a_collector_that_cannot_be_reached_costs_nothing():
    """Requests are served, and the process leaves in time, though nobody listens at the endpoint."""
    with process(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}") as (running, url, _):
        assert {httpx.get(f"{url}/nothing").status_code for _ in range(50)} == {404}
        started = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
        assert time.monotonic() - started < 5
