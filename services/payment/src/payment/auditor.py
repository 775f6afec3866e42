"""The task that proves the books while the process serves."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import structlog

from payment.ledger.book import Ledger
from payment.records import Audit
from runtime.errors import Fault

SHARE = 20
"""An audit reads the whole ledger: of the time it takes one part in so many at most, however large the ledger is."""
TOLD = 10
"""Findings that are logged; `python -m payment audit` tells all."""

log = structlog.get_logger()


class Audits(Protocol):
    """Is told of every audit."""

    def audited(self, audit: Audit) -> None:
        """Take what it found."""


async def audit_every(seconds: float, ledger: Ledger, audits: Audits) -> None:
    """Audit after so many seconds, again and again, until cancelled; a ledger that cannot be read is tried again."""
    pause = seconds
    while True:
        await asyncio.sleep(pause)
        started = time.monotonic()
        try:
            audit = await ledger.audit()
        except Fault as fault:
            log.warning("the ledger could not be audited", reason=fault.type)
        else:
            audits.audited(audit)
            if not audit.sound:
                log.error("the ledger is not sound", count=len(audit.findings), findings=audit.findings[:TOLD])
        pause = max(seconds, SHARE * (time.monotonic() - started))
