"""Settings to a running payment's parts, closed in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio
from starlette.types import ASGIApp

from payment import app
from payment.clients import fraud_model
from payment.clock import SystemClock
from payment.ledger.book import open_ledger
from payment.metrics import Metrics
from payment.payments import Payments
from payment.settings import Settings
from payment.sweeper import sweep_every
from payment.topups import TopUps
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
    """Open the ledger, the client of the fraud model, the sweeper. Raises WrongSchema, OSError, sqlite3.Error."""
    telemetry = Telemetry.create("payment", settings, os.environ)
    metrics = Metrics(telemetry.registry)
    service = Service("payment", settings, telemetry, Health())
    async with (
        open_ledger(settings.database, settings.terms, SystemClock(), metrics) as ledger,
        fraud_model(settings.inference_url, settings.fraud_model, settings.fraud_seconds) as model,
    ):
        payments = Payments(ledger, TopUps(ledger, model, settings.thresholds, metrics))
        sweeper = asyncio.create_task(sweep_every(settings.sweep_seconds, ledger, metrics))
        service.health.set_ready(True)
        try:
            yield Running(app.create(payments, service), app.create_grpc(payments, service), service)
        finally:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper
    telemetry.close()
