"""Settings to a running inference's parts, closed in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio
from starlette.types import ASGIApp

from inference import app
from inference.metrics import Predictions
from inference.predictor import Predictor
from inference.repository import Repository
from inference.settings import Settings
from runtime.health import Health
from runtime.http import Service
from runtime.telemetry import Telemetry


@dataclass(frozen=True)
class Running:
    """What `__main__` serves."""

    app: ASGIApp
    grpc_server: grpc.aio.Server
    service: Service


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Running]:
    """Make the server; it listens at once and is ready when every served model is."""
    telemetry = Telemetry.create("inference", settings, os.environ)
    service = Service("inference", settings, telemetry, Health())
    repository = Repository(settings.models, settings.served)
    predictor = Predictor(repository, Predictions(telemetry.registry))
    loading = asyncio.create_task(
        repository.load_until_ready(settings.look_again_seconds, lambda: service.health.set_ready(True))
    )
    try:
        yield Running(app.create(predictor, service), app.create_grpc(predictor, service), service)
    finally:
        loading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loading
        telemetry.close()
