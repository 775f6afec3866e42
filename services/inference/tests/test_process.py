"""`python -m inference` as a process: quickly ready, modest in memory, gone on SIGTERM."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def run(models):
    """Start a process with settings; stopped at the end."""
    started = []

    def start(**settings):
        environment = {"PATH": os.environ["PATH"], "INFERENCE_MODELS": str(models)}
        environment |= {f"INFERENCE_{name.upper()}": str(value) for name, value in settings.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "inference"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_ready_soon_and_gone_on_sigterm(run):
    """Ready within seconds of its start, answers, and on SIGTERM exits with 0 after saying so."""
    http_port, grpc_port = free_ports(2)
    process = run(http_port=http_port, grpc_port=grpc_port, serve="digits=v2,fraud=v1")
    deadline = time.monotonic() + 20
    with httpx.Client(base_url=f"http://127.0.0.1:{http_port}", timeout=5) as client:
        while True:
            try:
                if client.get("/healthz/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None
            assert time.monotonic() < deadline
        assert client.get("/v2/models/digits").json()["versions"] == ["v2"]
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b'"model ready"' in output
    assert b'"stopped"' in output


def test_a_taken_port_is_named(run):
    """A port in use ends the process with one line that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run(http_port=port, grpc_port=free_ports(1)[0])
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"127.0.0.1:{port}".encode() in output.splitlines()[-1]


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
