"""Settings to a running inference's parts, closed in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from starlette.types import ASGIApp

from inference import app
from inference.administration import Administrator
from inference.admission import Admission
from inference.metrics import Predictions
from inference.predictor import Predictor
from inference.repository import Repository
from inference.runner import Limits, Runner
from inference.settings import Settings
from inference.trust import TrustedKeys
from runtime import memory
from runtime.health import Health
from runtime.http import Service
from runtime.live import follow_settings
from runtime.settings import LiveSettings
from runtime.telemetry import Telemetry


@dataclass(frozen=True)
class Running:
    """What `__main__` serves."""

    app: ASGIApp
    grpc_server: grpc.aio.Server
    service: Service


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Running]:
    """Make the server; it listens at once and is ready when every served model is. Raises Refused."""
    with closing(Telemetry.create("inference", settings, os.environ)) as telemetry:
        service = Service("inference", settings, telemetry, Health())
        predictions = Predictions(telemetry.registry, settings.drift_window_seconds)
        keys = TrustedKeys(Path(settings.trusted_keys)) if settings.trusted_keys else None
        repository = Repository(settings.models, settings.served, predictions, keys)
        runner = Runner(Limits(settings.model_seconds, settings.model_queue))
        predictor = Predictor(repository, predictions, runner, Admission(settings.wait_seconds))
        administrator = Administrator(settings.admin_token_file)

        def looked(ready: bool) -> None:
            if ready and not service.health.ready:
                memory.give_back()
            service.health.set_ready(ready)

        loading = asyncio.create_task(repository.follow(settings.look_again_seconds, looked))
        try:
            async with follow_settings(settings.live, LiveSettings, telemetry):
                yield Running(
                    app.create(predictor, service, administrator),
                    app.create_grpc(predictor, service, administrator),
                    service,
                )
        finally:
            runner.close()
            loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loading
