"""The one writer: takes all operations that wait, runs them, commits once, then answers all.

A commit costs an fsync; shared by everyone who waits, it costs next to nothing. Nobody is answered before the commit.
Operations run in a thread of their own, one group at a time, so a caller that is cancelled leaves nothing open: its
operation was either not begun, or is committed with the others and its answer is dropped.

Operations check before they write, and what they write goes to the database together. When it refuses a row after all,
the group is done again, each operation in a savepoint, so that the fault is one operation's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

from payment.clock import Clock
from payment.errors import LedgerUnavailable
from payment.ledger.store import OutcomeUnknown, Session, StoreUnavailable
from payment.ledger.transaction import Transaction
from payment.records import Terms
from runtime.errors import Fault

T = TypeVar("T")

GROUP_LIMIT = 256
"""Operations in one commit at most: a bound on how long the first of them waits."""
QUEUE_LIMIT = 10_000
"""Operations that may wait; more are refused at once."""
GATHER_TURNS = 4
"""Turns of the event loop before a group is taken. A busy loop has more callers ready in each, and a larger group costs
each of them less; an idle one passes them in microseconds."""
GATHER_SECONDS = 0.001
"""How much longer a group is gathered that is smaller than the one `before`: those callers are about to come back. A
caller who is alone never waits for it."""
GROUP_SECONDS = 10.0
"""How long a group may take; then its callers are told that the outcome is unknown, and what hangs is interrupted."""

log = structlog.get_logger()


class Observer(Protocol):
    """Is told of every group, in the writer's thread."""

    def group(self, outcomes: list[tuple[str, str]], commit_seconds: float) -> None:
        """Take each operation's name and outcome ("ok", or a fault's type), and how long BEGIN to COMMIT's end took."""


class _Job(NamedTuple):
    work: Callable[..., Any]
    args: tuple[Any, ...]
    future: asyncio.Future[Any]


class _Spoilt(Exception):
    """One operation's error undid all; done again apart, it is that operation's own."""


class Writer:
    """Owns the writing session and its thread, from construction to `close`. Belongs to the running event loop."""

    def __init__(self, session: Session, terms: Terms, clock: Clock, observer: Observer) -> None:
        self._session = session
        self._transaction = Transaction(session, terms)
        self._clock = clock
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Job] = []
        self._quiet = asyncio.Event()  # nothing waits and no group is under way
        self._quiet.set()
        self._closed = False
        self._groups: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[..., T], *args: Any) -> T:  # noqa: ANN401
        """Run `work(transaction, *args)` in the next group; its result once that is on the disk. Raises what it raises.

        An operation's first argument is the account it is about. It may be run again, when nothing of it was kept.
        Raises LedgerUnavailable when the group could not be committed: the outcome is unknown then.
        """
        if self._closed or len(self._waiting) >= QUEUE_LIMIT:
            raise LedgerUnavailable
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Job(work, args, future))
        if self._quiet.is_set():
            self._quiet.clear()
            self._gather()
        return await future

    async def close(self) -> None:
        """Finish what waits, then close the session."""
        if not self._closed:
            self._closed = True
            await self._quiet.wait()
            self._groups.put(None)
            await asyncio.to_thread(self._thread.join)

    def _gather(self, turns: int = GATHER_TURNS, before: int = 1) -> None:
        if turns and len(self._waiting) < GROUP_LIMIT:
            self._loop.call_soon(self._gather, turns - 1, before)
        elif len(self._waiting) < before and before > 1:
            self._loop.call_later(GATHER_SECONDS, self._take)
        else:
            self._take()

    def _take(self) -> None:
        group: list[_Job] = []
        while self._waiting and not group:
            group = [job for job in self._waiting[:GROUP_LIMIT] if not job.future.cancelled()]
            del self._waiting[:GROUP_LIMIT]
        if group:
            self._deadline = self._loop.call_later(GROUP_SECONDS, self._overdue, group)
            self._groups.put(group)
        else:
            self._quiet.set()

    def _overdue(self, group: list[_Job]) -> None:
        given_up = [*group, *self._waiting]
        for job in given_up:
            if not job.future.done():
                job.future.set_exception(LedgerUnavailable())
        self._waiting.clear()
        self._session.interrupt()
        self._deadline = self._loop.call_later(GROUP_SECONDS, self._overdue, group)
        log.error("the ledger's database hangs", seconds=GROUP_SECONDS, given_up=len(given_up))

    def _answer(self, jobs: list[_Job], results: list[Any]) -> None:
        self._deadline.cancel()
        for job, result in zip(jobs, results, strict=True):
            if job.future.done():
                continue
            if isinstance(result, Exception):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)
        self._gather(before=len(jobs))

    def _run(self) -> None:
        while (jobs := self._groups.get()) is not None:
            started = time.perf_counter()
            try:
                results = self._commit(jobs)
            except Exception:  # not even the log could be written
                results = [LedgerUnavailable() for _ in jobs]
            seconds = time.perf_counter() - started
            self._loop.call_soon_threadsafe(self._answer, jobs, results)
            with contextlib.suppress(Exception):  # neither counting nor the log must stop the ledger
                self._report(jobs, results, seconds)
        self._session.close()

    def _commit(self, jobs: list[_Job]) -> list[Any]:
        session = self._session
        apart, left = False, session.tries - 1
        while True:
            try:
                return self._group(jobs, apart)
            except _Spoilt:
                session.roll_back()
                apart = True
            except Exception as error:
                session.roll_back()
                if left and session.may_repeat(error):
                    left -= 1
                    continue
                known = isinstance(error, (OutcomeUnknown, StoreUnavailable))  # its own message says enough
                log.error("operations could not be committed", size=len(jobs), cause=str(error), exc_info=not known)  # noqa: TRY400
                break
        return [LedgerUnavailable() for _ in jobs]

    def _group(self, jobs: list[_Job], apart: bool) -> list[Any]:
        self._transaction.begin(self._clock.now(), [job.args[0] for job in jobs if job.args])
        try:
            results = [self._operation(job, apart) for job in jobs]
            self._transaction.flush()
        except Exception as error:
            if not apart and self._session.is_its_own(error):
                raise _Spoilt from error
            raise  # the disk, the file or the connection: the whole group is lost
        self._session.commit()
        return results

    def _operation(self, job: _Job, apart: bool) -> Any:  # noqa: ANN401
        transaction, session = self._transaction, self._session
        transaction.enter(job.args[0] if job.args else None)
        if apart:
            session.apart()
        try:
            result = job.work(transaction, *job.args)
            transaction.leave()
            if apart:
                transaction.flush()
        except Exception as error:
            if apart and session.is_its_own(error):
                transaction.undo()
                return error
            if isinstance(error, Fault) and not transaction.wrote:
                return error
            raise
        return result

    def _report(self, jobs: list[_Job], results: list[Any], seconds: float) -> None:
        outcomes = [(job.work.__name__, _outcome(result)) for job, result in zip(jobs, results, strict=True)]
        try:
            self._observer.group(outcomes, seconds)
        except Exception:
            log.exception("the observer failed")


def _outcome(result: object) -> str:
    if isinstance(result, Fault):
        return result.type
    return "error" if isinstance(result, Exception) else "ok"
