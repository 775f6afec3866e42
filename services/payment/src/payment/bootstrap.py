"""Settings to a running payment's parts, closed in reverse."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import grpc.aio
from starlette.types import ASGIApp

from payment import app
from payment.auditor import audit_every
from payment.clients import fraud_model
from payment.clock import SystemClock
from payment.ledger.book import open_ledger
from payment.ledger.stores import open_store
from payment.metrics import Metrics
from payment.payments import Payments
from payment.readiness import keep_ready
from payment.settings import LiveSettings, Settings
from payment.sweeper import sweep_every
from payment.topups import TopUps
from runtime.health import Health
from runtime.http import Service
from runtime.live import follow_settings
from runtime.telemetry import Telemetry


@dataclass(frozen=True)
class Running:
    """What `__main__` serves."""

    app: ASGIApp
    grpc_server: grpc.aio.Server
    service: Service


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Running]:
    """Open the ledger, the fraud model's client and the tasks. Raises Refused, WrongSchema, OSError, sqlite3.Error."""
    with (
        closing(Telemetry.create("payment", settings, os.environ)) as telemetry,
        closing(open_store(settings.database, settings.database_password_file, settings.replica)) as store,
    ):
        metrics = Metrics(telemetry.registry)
        service = Service("payment", settings, telemetry, Health())
        async with (
            open_ledger(store, settings.terms, SystemClock(), metrics) as ledger,
            fraud_model(settings.inference_url, settings.fraud_model, settings.fraud_seconds) as model,
            follow_settings(settings.live, LiveSettings, telemetry) as live,
        ):
            payments = Payments(ledger, TopUps(ledger, model, lambda: live.value.thresholds, metrics))
            tasks = [
                asyncio.create_task(sweep_every(settings.sweep_seconds, ledger, metrics)),
                asyncio.create_task(audit_every(settings.audit_seconds, ledger, metrics)),
                asyncio.create_task(keep_ready(store, service.health)),
            ]
            try:
                yield Running(app.create(payments, service), app.create_grpc(payments, service), service)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
