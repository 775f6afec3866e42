"""Who comes: visitors of the page (HTTP), and callers of the model (gRPC)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

import gevent
import gevent.pool
import model_caller
from api import Api
from books import Verdict
from digits import Drawing, read_digits
from drift import DRIFTS
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, User, events, task

DIGITS = read_digits()
MOST_IN_FLIGHT = 50
"""Of one user with open arrivals; what comes due beyond it counts as a failure, `not sent`."""
DEADLINE_SECONDS = 12.0

verdicts: list[Verdict] = []
"""What each visitor that left found in its books."""

MOST_CONNECTIONS = 4096
SHARED = HTTPClientPool(
    concurrency=MOST_CONNECTIONS, connection_timeout=DEADLINE_SECONDS, network_timeout=DEADLINE_SECONDS, insecure=True
)
"""Connections of all open arrivals. With their own, slow answers would mean new ones, each with a look-up of the host's
name, which gevent does in threads: that was what limited the load."""

Action = Callable[[float | None], Any]


class NotSent(Exception):
    """Due while too many of this user's requests were under way."""


class Arriving(User):
    """Closed: one thing after the other, with pauses. Open: one thing a second, whatever became of those before."""

    abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Locust's own)
        super().__init__(*args, **kwargs)
        self._under_way = gevent.pool.Pool(MOST_IN_FLIGHT)
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
        if self.options.arrivals != "open":
            action(None)
        elif self._under_way.free_count() > 0:
            self._under_way.spawn(action, self._due)
        else:
            self.environment.events.request.fire(
                request_type="", name="not sent", response_time=0, response_length=0, exception=NotSent(), context={}
            )

    def on_stop(self) -> None:
        """What is under way may still end."""
        self._under_way.join(timeout=2)
        self._under_way.kill()


class Visitor(FastHttpUser, Arriving):
    """Draws digits and has them read; sometimes says what it was, looks at the account, opens the page."""

    host = "http://localhost:8080"
    connection_timeout = DEADLINE_SECONDS
    network_timeout = DEADLINE_SECONDS
    concurrency = MOST_IN_FLIGHT
    default_headers: ClassVar = {"accept-encoding": "identity"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (Locust's own)
        if args[0].parsed_options.arrivals == "open":
            self.client_pool = SHARED
        super().__init__(*args, **kwargs)
        self.api = Api(self.client)
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
        if not self.api.in_session and not self.api.open_session(due):
            return
        if self.api.balance < 1 and not self._buying:
            self._buy()
        label, pixels = self.drawing()
        found = self.api.read(pixels, due)
        if found and random.random() < self.options.correct_share:  # noqa: S311
            self.api.judge(found["id"], label)

    def _buy(self) -> None:
        """Where the card is not trusted any more, somebody else comes in this one's place."""
        self._buying = True
        try:
            if not self.api.top_up(self.options.top_up_credits) and not self.api.books.open_keys:
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
