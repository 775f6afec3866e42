"""Settings to a running gateway's parts, closed in reverse."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio
from starlette.types import ASGIApp

from gateway import app
from gateway.clients import CHANNEL_OPTIONS, GrpcLedger, GrpcModel
from gateway.http import Api, Metrics, problem_answer
from gateway.readings import Reader
from gateway.settings import Settings
from gateway.tokens import Tokens
from runtime.health import Health
from runtime.http import Service
from runtime.telemetry import Telemetry


@dataclass(frozen=True)
class Running:
    """What `__main__` serves."""

    app: ASGIApp
    service: Service


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Running]:
    """Load the keys, open one channel an upstream, make the app. Raises NoKeys."""
    tokens = Tokens.load(settings.token_keys, settings.token_seconds)
    telemetry = Telemetry.create("gateway", settings, os.environ)
    service = Service("gateway", settings, telemetry, Health())
    async with (
        grpc.aio.insecure_channel(settings.payment_target, options=CHANNEL_OPTIONS) as payment,
        grpc.aio.insecure_channel(settings.inference_target, options=CHANNEL_OPTIONS) as inference,
    ):
        ledger = GrpcLedger(payment, settings.payment_seconds)
        model = GrpcModel(inference, settings.inference_seconds)
        reader = Reader(ledger, model, settings.reading_price, service.hop, problem_answer)
        api = Api(tokens, ledger, reader, Metrics(telemetry.registry), settings.session_credits)
        service.health.set_ready(True)
        yield Running(app.create(api, service), service)
    telemetry.close()
