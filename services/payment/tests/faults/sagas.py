"""What is done to the whole product while visitors read; a scenario returns a sentence, or raises what went wrong."""

from __future__ import annotations

import asyncio
import random

from clients import verify
from mesh import LOST, Mesh
from scenarios import Options, busy, progress, until
from visitors import TIMES, Visitors


async def gateway(mesh: Mesh, options: Options) -> str:
    """SIGKILL to the gateway, between any two steps of its sagas."""
    return await _killed(mesh, options, "gateway")


async def model(mesh: Mesh, options: Options) -> str:
    """SIGKILL to a replica of the model, in the middle of paid readings."""
    return await _killed(mesh, options, "inference-v1")


async def envoy(mesh: Mesh, options: Options) -> str:
    """SIGKILL to the proxy that all calls go through."""
    return await _killed(mesh, options, "envoy")


async def answers(mesh: Mesh, options: Options) -> str:
    """Nobody dies: answers are lost after the commit, and the mesh repeats the calls."""
    async with busy(mesh, options, Visitors) as journal:
        await progress(journal, LOST * 10)
    repeated = await asyncio.to_thread(mesh.repeated)
    assert repeated
    return f"{repeated} calls repeated by the mesh; {verify(mesh, journal)}"


async def _killed(mesh: Mesh, options: Options, name: str) -> str:
    async with busy(mesh, options, Visitors) as journal:
        await until(lambda: len(journal.top_ups) == TIMES * options.clients)
        for _ in range(options.kills):
            await progress(journal, random.randrange(1, 100))
            await asyncio.to_thread(mesh.kill, name)
    return f"{options.kills} kills; {verify(mesh, journal)}"


ALL = {scenario.__name__: scenario for scenario in (gateway, model, envoy, answers)}
