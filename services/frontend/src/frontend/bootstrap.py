"""Settings to a running frontend's parts, closed in reverse."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from frontend import app, assets
from frontend.http import Pages
from frontend.settings import Settings
from runtime.health import Health
from runtime.http import Service
from runtime.live import follow_settings
from runtime.settings import LiveSettings
from runtime.telemetry import Telemetry

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Running:
    """What `__main__` serves."""

    app: ASGIApp
    service: Service


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Running]:
    """Read the page's files and make the app. Raises Refused."""
    with closing(Telemetry.create("frontend", settings, os.environ)) as telemetry:
        service = Service("frontend", settings, telemetry, Health())
        async with follow_settings(settings.live, LiveSettings, telemetry):
            pages = Pages(assets.load(STATIC))
            service.health.set_ready(True)
            yield Running(app.create(pages, service), service)
