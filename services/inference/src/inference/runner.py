"""Runs models so that a slow one holds up nobody else, and a stuck one not even its own callers for long.

A call of some microseconds is run where it is, on the loop's thread: to hand it on would cost more than the model. What
is known to take longer (a large batch, a slow model) goes to a thread of the model's own, one call after another, with
a bounded queue. Either way ONNX Runtime is told to stop when the time is up; it does so between two nodes of the graph.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from inference.errors import Overloaded, TooSlow
from inference.model import Model, Outputs, Stop

INLINE_SECONDS = 0.001
"""The longest call, as measured when the model was loaded, that is run on the loop's thread."""

_IDLE_SECONDS = 1.0
_LOOKS = 8


@dataclass(frozen=True)
class Limits:
    """How long a model may take for one call, and how many calls may wait for its thread."""

    seconds: float = 2.0
    waiting: int = 64


class Runner:
    """Used from the loop's thread; `close` ends the thread that watches it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads: WeakKeyDictionary[Model, _Thread] = WeakKeyDictionary()
        self._inline: tuple[float, Stop] | None = None
        self._closed = threading.Event()
        self._watching = False

    async def run(self, model: Model, rows: NDArray[np.float32]) -> Outputs:
        """The model's answer. Raises Overloaded or TooSlow."""
        if len(rows) * model.seconds_a_row > INLINE_SECONDS:
            thread = self._threads.get(model)
            if thread is None:
                thread = self._threads[model] = _Thread(self._limits)
            return await thread.run(model, rows)
        stop = model.stop
        self._inline = (time.perf_counter(), stop)
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="stuck-models", daemon=True).start()
        try:
            return model.predict(rows, stop)
        except Exception:
            if not stop.is_set:
                raise
            model.seconds_a_row = self._limits.seconds  # from now on it has a thread of its own
            raise TooSlow from None
        finally:
            self._inline = None
            if stop.is_set:  # also when it was told just after its end
                model.stop = Stop()

    def close(self) -> None:
        """End the watching thread."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(self._limits.seconds / _LOOKS):
            running = self._inline
            if running is not None and time.perf_counter() - running[0] > self._limits.seconds:
                running[1].set()


@dataclass(eq=False)
class _Job:
    model: Model
    rows: NDArray[np.float32]
    stop: Stop
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Outputs]

    def work(self) -> None:
        if self.stop.is_set:
            return  # nobody waits for it
        try:
            outputs = self.model.predict(self.rows, self.stop)
        except Exception as error:
            self._tell(error)
        else:
            self._tell(outputs)

    def _tell(self, result: Outputs | Exception) -> None:
        try:
            self.loop.call_soon_threadsafe(self._set, result)
        except RuntimeError:
            return  # the loop is closed: the process is on its way out

    def _set(self, result: Outputs | Exception) -> None:
        if self.answer.done():
            return
        if isinstance(result, Exception):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class _Thread:
    """One model's thread: started when there is work, gone when there was none for a while.

    A daemon, for one that is stuck in native code must not keep the process from ending.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._queue: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waiting = 0

    async def run(self, model: Model, rows: NDArray[np.float32]) -> Outputs:
        if self._waiting >= self._limits.waiting:
            raise Overloaded
        loop = asyncio.get_running_loop()
        job = _Job(model, rows, Stop(), loop, loop.create_future())
        with self._lock:
            self._queue.put(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"model-{model.name}", daemon=True)
                self._thread.start()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await job.answer
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._waiting -= 1
            job.stop.set()  # whoever went away, by time or by cancellation, needs no answer

    def _work(self) -> None:
        while True:
            try:
                job = self._queue.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._queue.empty():
                        self._thread = None
                        return
                continue
            job.work()
            del job  # and with it the model, which may have been replaced
