"""HTTP/1.1 from Locust's greenlets: geventhttpclient's plain client, each answer told to Locust.

Locust's own FastHttpUser is the same library behind cookies, redirects and two more layers of objects, at 2.5 times the
CPU of a request; and what the generator takes on a machine the product there does not have.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gevent.monkey import get_original
from gevent.socket import socket
from geventhttpclient.client import HTTPClient
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPParseError
from geventhttpclient.url import URL
from locust.event import EventHook

DEADLINE_SECONDS = 12.0
"""To connect, and for each wait for an answer: more than the ingress takes to give up."""
MOST_CONNECTIONS = 4096
_poll, _POLLIN = get_original("select", ["poll", "POLLIN"])
_DEFAULT_HEADERS = {"accept-encoding": "identity", "user-agent": "inkmesh-loadtest"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; without one `status_code` is 0."""

    status_code: int = 0
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def refused(self) -> bool:
        """Whether it says that there is too much to do, and when to come again."""
        return self.status_code in (429, 503) and "retry-after" in self.headers


class NotSent(Exception):
    """Due, and not sent: the load generator was too late, or had no connection left."""


class BadStatus(Exception):
    """4xx or 5xx."""


class _Client(HTTPClient):
    """Keeps connections whatever their number is.

    The library asks select() whether one can be used again. That knows no file descriptor from 1024 on: with more
    connections than that, each was closed after one request.
    """

    def __init__(self, *words: Any, **more: Any) -> None:  # noqa: ANN401 (the library's own)
        super().__init__(*words, **more)
        self._connection_pool._is_socket_alive = _is_quiet


def _is_quiet(connection: socket | None) -> bool:
    """Whether it is open, with nothing to read: what comes unasked is its end."""
    if connection is None or connection.fileno() < 0:
        return False
    asked = _poll()
    asked.register(connection.fileno(), _POLLIN)
    return not asked.poll(0)


@cache
def client_of(host: str) -> HTTPClient:
    """Connections to `host` (a URL), of all users: a slow product needs more of them, but not new ones all the time."""
    return _Client.from_url(
        URL(host), concurrency=MOST_CONNECTIONS, connection_timeout=DEADLINE_SECONDS, network_timeout=DEADLINE_SECONDS,
        insecure=True, headers=_DEFAULT_HEADERS,
    )  # fmt: skip


class Http:
    """What one user sends with. `event` is Locust's `events.request`."""

    def __init__(self, host: str, event: EventHook) -> None:
        self._client = client_of(host)
        self._event = event

    def send(
        self, method: str, path: str, name: str, headers: Mapping[str, str], body: bytes, due: float | None,
        *, welcome: int = 0, context: Mapping[str, Any] | None = None,
    ) -> Answer:  # fmt: skip
        """Send one request, tell Locust of it, and give its answer.

        Its time counts from `due` (perf_counter), else from now; how late it was sent is told as `late` (milliseconds)
        in the event's context. Statuses from 400 on are failures, but `welcome`.
        """
        sent = time.perf_counter()
        failure: Exception | None = None
        try:
            response = self._client.request(method, path, body, headers)
            found = Answer(response.status_code, response.info(), response.read())
            if found.status_code >= 400 and found.status_code != welcome:
                failure = BadStatus(found.status_code)
        except (OSError, HTTPParseError) as error:
            found, failure = Answer(), error
        late = {} if due is None else {"late": (sent - due) * 1000}
        self._event.fire(
            request_type=method, name=name, response_time=(time.perf_counter() - (due or sent)) * 1000,
            response_length=len(found.body), response=found, exception=failure, context={**(context or {}), **late},
        )  # fmt: skip
        return found
