"""The models, trained once a session, and a process to ask over both transports without a socket for HTTP."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest

from contracts import open_inference_pb2_grpc as wire_grpc
from inference import app
from inference.metrics import Predictions
from inference.predictor import Predictor
from inference.repository import Repository
from inference.settings import Settings
from inference.training.__main__ import main as train
from runtime.health import Health
from runtime.http import Service
from runtime.telemetry import Telemetry

EVERYTHING = "digits=v1,digits=v2,digits=v3,fraud=v1"


class Process:
    """An inference process: `http` and `grpc` ask it, each call in a loop of its own."""

    def __init__(self, folder: Path, serve: str = EVERYTHING) -> None:
        settings = Settings(models=folder, serve=serve)
        telemetry = Telemetry.create("inference", settings, {})
        self.service = Service("inference", settings, telemetry, Health())
        self.repository = Repository(settings.models, settings.served)
        self.predictor = Predictor(self.repository, Predictions(telemetry.registry))
        self.app = app.create(self.predictor, self.service)

    def load(self) -> Process:
        """Do what the background task does, now."""
        self.service.health.set_ready(self.repository.load())
        return self

    def http(self, method: str, path: str, **options) -> httpx.Response:
        """One HTTP request."""
        return self.http_all([(method, path, options)])[0]

    def http_all(self, requests: Sequence[tuple[str, str, dict]]) -> list[httpx.Response]:
        """HTTP requests, one after another."""

        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://inference") as client:
                return [await client.request(method, path, **options) for method, path, options in requests]

        return asyncio.run(ask())

    def grpc(self, method: str, request):
        """One gRPC call: its answer, or the AioRpcError."""
        return self.grpc_all([(method, request)])[0]

    def grpc_all(self, requests) -> list:
        """gRPC calls, one after another, over a real channel."""

        async def ask() -> list:
            server = app.create_grpc(self.predictor, self.service)
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
