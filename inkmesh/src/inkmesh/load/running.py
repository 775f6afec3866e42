"""One run: the load generator and the sampler beside each other until the shape ends; then the books and the audit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inkmesh.load.locust_process import GRACE_SECONDS, Locust, Plan
from inkmesh.load.recording import Recording
from inkmesh.load.target import Target

SETTLE_SECONDS = 1.5
"""After the load: holds that were under way end, so that the audit sees a ledger at rest."""

Show = Callable[[Recording], None]


async def record(target: Target, plan: Plan, locustfile: Path, folder: Path, show: Show) -> Recording:
    """Run `plan` against `target`; `show` is called each second. Raises LocalmeshError."""
    journal = folder / "journal.jsonl"
    recording = Recording(plan.as_dict(), time.time())
    words = plan.words(locustfile, target.host, journal)
    deadline = time.monotonic() + plan.total + 4 * GRACE_SECONDS
    try:
        async with Locust(words, folder, journal) as locust:
            take(recording, await locust.first_lines())
            recording.began = time.time()
            while locust.running and time.monotonic() < deadline:
                due = time.monotonic() + 1
                if sample := await target.sample():
                    recording.samples.append(sample)
                take(recording, locust.lines())
                show(recording)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            take(recording, locust.lines())
            if not locust.running:
                await locust.check_end()
        take(recording, locust.lines())
    finally:
        await target.close()
        journal.unlink(missing_ok=True)
    await asyncio.sleep(SETTLE_SECONDS)
    recording.audit = await asyncio.to_thread(target.audit)
    return recording


def take(recording: Recording, lines: list[dict[str, Any]]) -> None:
    """Put the journal's lines where they belong."""
    for line in lines:
        if "books" in line:
            recording.books = line["books"]
        else:
            recording.seconds.append(line)
