"""One HTTP request at a time, by the standard library, in a thread.

The supervisor asks little and lives long: a client with pools would cost it 8 MB of memory.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

_CLASSES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
_CHUNK_BYTES = 64 * 1024


class Unanswered(ConnectionError):
    """Nobody answered, not in time, or not in HTTP; the message says which."""


@dataclass(frozen=True)
class Answer:
    """What came back, whatever the status; redirects are not followed."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8, with a mark for what is none."""
        return self.body.decode(errors="replace")


async def fetch(
    url: str, *, within: float, most: int, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask `url` (http or https) on a connection of its own, past any proxy.

    `within` is in seconds and holds for each part: to connect, the head, the body. `most` is in bytes.
    Raises Unanswered; ValueError: it is no such URL, or the body is longer.
    """
    return await asyncio.to_thread(_fetch, method, url, headers or {}, within, most)


def _fetch(method: str, url: str, headers: Mapping[str, str], within: float, most: int) -> Answer:
    parts = urlsplit(url)
    if parts.scheme not in _CLASSES or not parts.hostname:
        raise ValueError(f"`{url}` is no http or https address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with closing(_CLASSES[parts.scheme](parts.hostname, parts.port, timeout=within)) as connection:
            connection.request(method, target, headers={"connection": "close", **headers})
            with closing(connection.getresponse()) as answer:
                return Answer(answer.status, _body(answer, time.monotonic() + within, most))
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(f"{parts.netloc}: {str(error) or type(error).__name__}") from None


def _body(answer: http.client.HTTPResponse, until: float, most: int) -> bytes:
    body = b""
    while chunk := answer.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            raise ValueError(f"more than {most} bytes")
        if time.monotonic() > until:
            raise TimeoutError("the body takes too long")
    return body
