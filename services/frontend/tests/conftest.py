import asyncio
from collections.abc import Callable

import httpx
import pytest

from frontend.bootstrap import bootstrap
from frontend.settings import Settings


@pytest.fixture
def get() -> Callable[..., httpx.Response]:
    """Asks the whole frontend, in this process: get(path, method="GET", **headers)."""

    def ask(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def run() -> httpx.Response:
            async with bootstrap(Settings(replica="frontend-0")) as running:
                transport = httpx.ASGITransport(running.app)
                async with httpx.AsyncClient(transport=transport, base_url="http://frontend") as client:
                    return await client.request(method, path, headers=headers)

        return asyncio.run(run())

    return ask
