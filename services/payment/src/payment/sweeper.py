"""The task that expires overdue charges while the process serves."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from payment.ledger.book import Ledger
from payment.records import Swept
from runtime.errors import Fault

log = structlog.get_logger()


class Sweeps(Protocol):
    """Is told of every sweep."""

    def swept(self, swept: Swept) -> None:
        """Take what it did."""


async def sweep_every(seconds: float, ledger: Ledger, sweeps: Sweeps) -> None:
    """Sweep at once and then again and again, until cancelled; a ledger that cannot be written is tried again."""
    while True:
        try:
            swept = await ledger.sweep()
        except Fault as fault:
            log.warning("the ledger could not be swept", reason=fault.type)
        else:
            sweeps.swept(swept)
            if swept.expired:
                log.info("charges expired", expired=swept.expired)
        await asyncio.sleep(seconds)
