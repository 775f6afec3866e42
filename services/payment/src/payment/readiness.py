"""The task that says whether this replica is ready: when its database answers and has the right schema."""

from __future__ import annotations

import asyncio
import random

import structlog

from payment.ledger.store import Store, StoreUnavailable, WrongSchema
from runtime.health import Health

CHECK_SECONDS = 2.0
"""How often a database that answers is asked again."""
ANSWER_SECONDS = 5.0
"""How long it may take to answer."""
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 3.0

log = structlog.get_logger()


async def keep_ready(store: Store, health: Health) -> None:
    """Ask the store again and again, until cancelled, and set `health` by it; while it fails, with growing pauses.

    A replica that was ready stays so when the schema moves on under it: a revision only adds, so that the replicas of
    the release before go on until they are replaced.
    """
    began, pause, told = False, _FIRST_PAUSE, ""
    while True:
        reason = await _reason(store)
        ready = reason is None or (began and isinstance(reason, WrongSchema))
        if str(reason) != told:
            told = str(reason)
            if reason is None:
                log.info("the ledger's database answers", database=store.name)
            else:
                log.warning("the ledger's database is not as it should be", ready=ready, reason=told)
        health.set_ready(ready)
        began = began or ready
        pause = CHECK_SECONDS if ready else min(2 * pause, _LAST_PAUSE)
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (replicas do not ask all at once)


async def _reason(store: Store) -> Exception | None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.to_thread(store.check)
    except TimeoutError:
        return StoreUnavailable(f"{store.name} did not answer in {ANSWER_SECONDS:g} s")
    except (StoreUnavailable, WrongSchema) as error:
        return error
    except Exception as error:  # whatever it is, this task goes on asking
        log.exception("the ledger's database could not be asked")
        return StoreUnavailable(type(error).__name__)
    return None
