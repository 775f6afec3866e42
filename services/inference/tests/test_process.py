"""`python -m inference` as a process: quickly ready, modest in memory, gone on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys

import grpc
import httpx

from contracts import open_inference_pb2 as wire
from contracts import open_inference_pb2_grpc as wire_grpc


def test_ready_soon_and_gone_on_sigterm(serve):
    """Ready within seconds of its start, answers, and on SIGTERM exits with 0 after saying so."""
    serving = serve(serve="digits=v2,fraud=v1")
    answer = httpx.get(f"http://127.0.0.1:{serving.http_port}/v2/models/digits", timeout=5)
    assert answer.json()["versions"] == ["v2"]
    serving.process.send_signal(signal.SIGTERM)
    serving.process.wait(60)
    output = serving.output.read_bytes()
    assert serving.process.returncode == 0
    assert b'"model ready"' in output
    assert b'"stopped"' in output


def test_an_idle_stream_holds_up_no_shutdown(serve):
    """A stream is answered, and when the process stops it ends with UNAVAILABLE long before the grace is over."""
    serving = serve(serve="digits=v2")
    request = wire.ModelInferRequest(model_name="digits")
    request.inputs.add(name="pixels", datatype="FP32", shape=[1, 64]).contents.fp32_contents.extend([8] * 64)

    async def scenario():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{serving.grpc_port}") as channel:
            call = wire_grpc.GRPCInferenceServiceStub(channel).ModelStreamInfer()
            for _ in range(3):
                await call.write(request)
                assert (await call.read()).infer_response.model_name == "digits"
            serving.process.send_signal(signal.SIGTERM)
            return await asyncio.wait_for(call.code(), 10)

    assert asyncio.run(scenario()) is grpc.StatusCode.UNAVAILABLE
    assert serving.process.wait(10) == 0


def test_a_taken_port_is_named(start_process):
    """A port in use ends the process with one line that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serving = start_process(http_port=port)
        serving.process.wait(60)
    assert serving.process.returncode == 1
    assert f"127.0.0.1:{port}".encode() in serving.output.read_bytes().splitlines()[-1]


def test_serving_needs_no_training_library():
    """No module that serves imports scikit-learn, onnx, skl2onnx, pickle's friends, or the trainer."""
    code = (
        "import sys, inference.bootstrap, inference.__main__;"
        "found = {'sklearn', 'skl2onnx', 'onnx', 'joblib', 'scipy', 'inference.training'} & set(sys.modules);"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
