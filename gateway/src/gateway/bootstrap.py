"""Settings to a running gateway's parts, closed in reverse."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import grpc.aio
from starlette.types import ASGIApp

from gateway import app, keys
from gateway.admission import Admission
from gateway.clients import CHANNEL_OPTIONS, GrpcLedger, GrpcModel
from gateway.http import Api, Metrics, problem_answer
from gateway.rates import Rates
from gateway.readings import Reader
from gateway.settings import LiveSettings, Settings
from gateway.tokens import Tokens
from runtime.health import Health
from runtime.http import Service
from runtime.live import follow, follow_settings
from runtime.telemetry import Telemetry


@dataclass(frozen=True)
class Running:
    """What `__main__` serves."""

    app: ASGIApp
    service: Service


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Running]:
    """Load keys and live settings, open one channel an upstream, make the app. Raises Refused."""
    with closing(Telemetry.create("gateway", settings, os.environ)) as telemetry:
        service = Service("gateway", settings, telemetry, Health())
        async with (
            follow("token-keys", settings.token_keys, keys.parse, telemetry.reloads) as key_set,
            follow_settings(settings.live, LiveSettings, telemetry) as live,
            grpc.aio.insecure_channel(settings.payment_target, options=CHANNEL_OPTIONS) as payment,
            grpc.aio.insecure_channel(settings.inference_target, options=CHANNEL_OPTIONS) as inference,
        ):
            ledger = GrpcLedger(payment, settings.payment_seconds)
            model = GrpcModel(inference, settings.inference_seconds)
            metrics = Metrics(telemetry.registry)
            reader = Reader(ledger, model, settings.reading_price, service.hop, problem_answer, metrics.answered)
            tokens = Tokens(key_set, settings.token_seconds)
            api = Api(tokens, Admission(live), Rates(live), ledger, reader, metrics, settings.session_credits)
            service.health.set_ready(True)
            yield Running(app.create(api, service), service)
