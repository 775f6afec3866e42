"""The models, trained once a session, and a process to ask over both transports without a socket for HTTP."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest

from contracts import open_inference_pb2_grpc as wire_grpc
from inference import app, manifest
from inference.administration import Administrator
from inference.admission import Admission
from inference.metrics import Predictions
from inference.predictor import Predictor
from inference.repository import Repository
from inference.runner import Limits, Runner
from inference.settings import Settings
from inference.training.__main__ import main as train
from runtime.health import Health
from runtime.http import Service
from runtime.telemetry import Telemetry

EVERYTHING = "digits=v1,digits=v2,digits=v3,fraud=v1"


class Process:
    """An inference process: `http` and `grpc` ask it, each call in a loop of its own."""

    def __init__(self, folder: Path, serve: str = EVERYTHING, **more) -> None:
        settings = Settings(models=folder, serve=serve, **more)
        telemetry = Telemetry.create("inference", settings, {})
        self.service = Service("inference", settings, telemetry, Health())
        self.predictions = Predictions(telemetry.registry, settings.drift_window_seconds)
        self.repository = Repository(settings.models, settings.served, self.predictions)
        self.runner = Runner(Limits(settings.model_seconds, settings.model_queue))
        self.predictor = Predictor(self.repository, self.predictions, self.runner, Admission(settings.wait_seconds))
        self.administrator = Administrator(settings.admin_token_file)
        self.app = app.create(self.predictor, self.service, self.administrator)

    def load(self) -> Process:
        """Do what the background task does, now."""
        self.service.health.set_ready(self.repository.look())
        return self

    def grpc_server(self) -> grpc.aio.Server:
        """The gRPC side; it needs a loop."""
        return app.create_grpc(self.predictor, self.service, self.administrator)

    def http(self, method: str, path: str, **options) -> httpx.Response:
        """One HTTP request."""
        return self.http_all([(method, path, options)])[0]

    def http_all(self, requests: Sequence[tuple[str, str, dict]]) -> list[httpx.Response]:
        """HTTP requests, one after another."""

        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://inference") as client:
                answers = []
                for method, path, options in requests:
                    answers.append(await client.request(method, path, **options))
                    await asyncio.sleep(0)  # as a socket would, let the loop come round
                return answers

        return asyncio.run(ask())

    def grpc(self, method: str, request):
        """One gRPC call: its answer, or the AioRpcError."""
        return self.grpc_all([(method, request)])[0]

    def grpc_all(self, requests) -> list:
        """gRPC calls, one after another, over a real channel."""

        async def ask() -> list:
            server = self.grpc_server()
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            answers = []
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = wire_grpc.GRPCInferenceServiceStub(channel)
                for method, request in requests:
                    try:
                        answers.append(await getattr(stub, method)(request, timeout=10))
                    except grpc.aio.AioRpcError as error:
                        answers.append(error)
            await server.stop(1)
            return answers

        return asyncio.run(ask())


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every model. Read only: `own_models` is for tests that damage."""
    folder = tmp_path_factory.mktemp("models")
    assert train(["--output", str(folder)]) == 0
    return folder


@pytest.fixture
def own_models(models: Path, tmp_path: Path) -> Path:
    """A copy of the models that a test may change."""
    return Path(shutil.copytree(models, tmp_path / "models"))


@pytest.fixture(scope="session")
def process(models: Path) -> Process:
    """A process that serves every model."""
    return Process(models).load()


@pytest.fixture
def start() -> Callable[..., Process]:
    """Make a process of other models, not loaded yet."""
    return Process


@dataclass
class Serving:
    """`python -m inference` as a process. `output` is the file of its log."""

    process: subprocess.Popen
    http_port: int
    grpc_port: int
    output: Path

    def wait_until_ready(self) -> Serving:
        """Poll until it is."""
        deadline = time.monotonic() + 90
        while True:
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            try:
                if httpx.get(f"http://127.0.0.1:{self.http_port}/healthz/ready", timeout=5).status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.02)


@pytest.fixture
def start_process(models: Path, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start a process with settings; stopped at the end."""
    started = []

    def start(**settings) -> Serving:
        ports = _free_ports(2)
        settings = {"models": models, "http_port": ports[0], "grpc_port": ports[1]} | settings
        environment = {"PATH": os.environ["PATH"]}
        environment |= {f"INFERENCE_{name.upper()}": str(value) for name, value in settings.items()}
        output = tmp_path / f"inference-{len(started)}.log"
        with output.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "inference"], env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        started.append(process)
        return Serving(process, settings["http_port"], settings["grpc_port"], output)

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def serve(start_process: Callable[..., Serving]) -> Callable[..., Serving]:
    """The same, ready."""
    return lambda **settings: start_process(**settings).wait_until_ready()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def make_variant() -> Callable[[Path], Path]:
    """Make a good model of other bytes under the name digits v1; the answer is its folder within the models'."""

    def make(folder: Path) -> Path:
        variant = folder / "variant"
        shutil.copytree(folder / "digits" / "v3", variant)
        content = manifest.read(variant)
        del content["sha256"]
        content["version"] = "v1"
        (variant / manifest.MANIFEST).write_bytes(manifest.seal(content))
        return Path("variant")

    return make
