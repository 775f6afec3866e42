"""A switch that makes one replica sick, for workshops and tests: the mesh's breakers need something to break.

It is off unless the settings say `faults`. Then `PUT /faults {"ratio": 1, "status": 503, "delay_ms": 0}` makes this
replica fail that share of its business calls, over HTTP and gRPC alike, while it stays ready. `DELETE /faults` heals.
"""

from __future__ import annotations

import asyncio
import random
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import Code, Fault


class Sickness(BaseModel):
    """What goes wrong, and how often."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of the calls that are hit."""
    status: Literal[0, 500, 503] = 503
    """What they answer; 0 only delays."""
    delay_ms: int = Field(default=0, ge=0, le=30_000)
    """How long they take first."""


class SickSwitch:
    """This replica's health as an actor: well until told otherwise."""

    def __init__(self) -> None:
        self._sickness: Sickness | None = None

    @property
    def on(self) -> bool:
        """Whether `suffer` may do anything."""
        return self._sickness is not None

    async def suffer(self) -> None:
        """Delay and raise a Fault as the switch says; return at once when well."""
        sickness = self._sickness
        if sickness is None or random.random() >= sickness.ratio:  # noqa: S311 (no secret hangs on it)
            return
        if sickness.delay_ms:
            await asyncio.sleep(sickness.delay_ms / 1000)
        if sickness.status:
            code = Code.UNAVAILABLE if sickness.status == 503 else Code.INTERNAL
            raise Fault(code, "injected-fault", "This replica was told to fail: DELETE /faults heals it.")

    def router(self) -> APIRouter:
        """PUT and DELETE /faults."""
        router = APIRouter(prefix="/faults", tags=["faults"])

        @router.put("", summary="Make this replica sick")
        async def sicken(sickness: Sickness) -> Sickness:
            self._sickness = sickness
            return sickness

        @router.delete("", status_code=204, summary="Heal this replica")
        async def heal() -> Response:
            self._sickness = None
            return Response(status_code=204)

        return router
