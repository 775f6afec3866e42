"""Who comes: visitors of the page (HTTP), and callers of the model (gRPC)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import gevent
import gevent.pool
import model_caller
from api import Api
from books import Verdict
from digits import Drawing, read_digits
from drift import DRIFTS
from http_client import MOST_CONNECTIONS, Http, NotSent
from locust import User, events, task

DIGITS = read_digits()
LATEST_SECONDS = 1.0
"""Open arrivals: what could not be sent by then is dropped, and counts as a failure, `not sent`. Sent later it would be
one more for others to wait behind, and the wait this process's own."""

verdicts: list[Verdict] = []
"""What each visitor that left found in its books."""

Action = Callable[[float | None], Any]


class Arriving(User):
    """Closed: one thing after the other, with pauses. Open: one thing a second, whatever became of those before."""

    abstract = True
    in_flight = 0
    """Of all users with open arrivals."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Locust's own)
        super().__init__(*args, **kwargs)
        self._under_way = gevent.pool.Group()
        self._due = 0.0

    @property
    def options(self) -> Any:  # noqa: ANN401 (Locust's namespace)
        return self.environment.parsed_options

    def drawing(self) -> Drawing:
        """A digit that no model learnt from; gone bad once --drift is on."""
        label, pixels = random.choice(DIGITS)  # noqa: S311
        options = self.options
        if options.drift and time.time() - self.environment.stats.start_time >= options.drift_after:
            pixels = DRIFTS[options.drift](pixels)
        return label, pixels

    def on_start(self) -> None:
        """Open: begin somewhere in the first second, so that all of them together are even."""
        if self.options.arrivals == "open":
            first = random.random()  # noqa: S311 (load, not secrets)
            self._due = time.perf_counter() + first
            gevent.sleep(first)

    def wait_time(self) -> float:
        """Seconds until the next thing; Locust asks after each."""
        if self.options.arrivals == "open":
            self._due += 1.0
            return max(0.0, self._due - time.perf_counter())
        return self.options.think_time * random.uniform(0.5, 1.5)  # noqa: S311

    def do(self, action: Action) -> None:
        """Do it now, or have it done while the next one comes due."""
        if self.options.arrivals == "open":
            self._under_way.spawn(self._in_time, action, self._due)
        else:
            action(None)

    def _in_time(self, action: Action, due: float) -> None:
        late = time.perf_counter() - due
        if late > LATEST_SECONDS or Arriving.in_flight >= MOST_CONNECTIONS:
            self.environment.events.request.fire(
                request_type="", name="not sent", response_time=late * 1000, response_length=0, exception=NotSent(),
                context={"late": late * 1000},
            )  # fmt: skip
            return
        Arriving.in_flight += 1
        try:
            action(due)
        finally:
            Arriving.in_flight -= 1

    def on_stop(self) -> None:
        """What is under way may still end."""
        self._under_way.join(timeout=2)
        self._under_way.kill()


class Visitor(Arriving):
    """Draws digits and has them read; sometimes says what it was, looks at the account, opens the page."""

    host = "http://localhost:8080"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Locust's own)
        super().__init__(*args, **kwargs)
        self.api = Api(Http(self.host, self.environment.events.request))
        self._buying = False

    def on_start(self) -> None:
        """Arrive."""
        self.api.open_session()
        super().on_start()

    @task(20)
    def read(self) -> None:
        """A digit that no model learnt from."""
        self.do(self._read)

    @task(2)
    def look(self) -> None:
        """Ask how many credits are left."""
        self.do(lambda due: self.api.account(due) if self.api.in_session else self.api.open_session(due))

    @task(1)
    def open_page(self) -> None:
        """As a browser does first."""
        self.do(self.api.page)

    def on_stop(self) -> None:
        """Leave, and compare the books."""
        super().on_stop()
        if self.api.in_session:
            verdicts.append(self.api.close_books())

    def _read(self, due: float | None) -> None:
        """What must be done before is what was due; the reading itself is due once that is answered."""
        if not self.api.in_session:
            if not self.api.open_session(due):
                return
            due = None
        if self.api.balance < 1 and not self._buying:
            self._buy(due)
            due = None
        label, pixels = self.drawing()
        found = self.api.read(pixels, due)
        if found and random.random() < self.options.correct_share:  # noqa: S311
            self.api.judge(found["id"], label)

    def _buy(self, due: float | None) -> None:
        """Where the card is not trusted any more, somebody else comes in this one's place."""
        self._buying = True
        try:
            declined = not self.api.top_up(self.options.top_up_credits, due)
            if declined and not self.api.books.open_keys and not self.api.books.refused_keys:
                verdicts.append(self.api.close_books())
                self.api.leave()
                self.api.open_session()
        finally:
            self._buying = False


class ModelCaller(Arriving):
    """Asks inference by gRPC, past the gateway: for --grpc-target only."""

    host = ""

    @task
    def infer(self) -> None:
        """One drawing."""
        self.do(self._infer)

    def _infer(self, due: float | None) -> None:
        options = self.options
        _, pixels = self.drawing()
        model_caller.infer(options.grpc_target, options.grpc_model, pixels, events.request, due)
