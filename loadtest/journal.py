"""What happened, second by second, as lines of JSON: for whoever draws it. Locust's own statistics go on beside it."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import IO, Any

import gevent
from locust.env import Environment

_HOP = re.compile(r'(?P<service>[\w-]+);version="(?P<version>[^"]*)";replica="(?P<replica>[^"]*)"')
_BEAT_SECONDS = 0.05


class Journal:
    """Collects requests, and writes a line each second.

    `t` (Unix seconds), `users`, `requests` (name → count), `errors` (kind → count), `times` (milliseconds → count, all
    requests), `refused` (the times of those that were told to come again later), `late` (open arrivals: milliseconds
    from when they were due until they were sent or dropped → count), `versions` and `replicas` (of the readings' hops),
    `lag` (the worst delay of a timer, seconds), `cpu` (of this process, cores), and at the end one line `books`.
    """

    def __init__(self, path: Path, environment: Environment) -> None:
        self._environment = environment
        self._file: IO[str] = path.open("w", encoding="utf-8", buffering=1)
        self._lag = 0.0
        self._new_second()
        environment.events.request.add_listener(self.request)
        self._greenlets = [gevent.spawn(self._beat), gevent.spawn(self._write_on)]

    def request(
        self, request_type: str, name: str, response_time: float, exception: object = None, response: Any = None,  # noqa: ANN401
        context: dict[str, Any] | None = None, **_: object,
    ) -> None:  # fmt: skip
        """Locust tells of each request."""
        context = context or {}
        if context.get("settling"):
            return
        self._requests[f"{request_type} {name}".strip()] += 1
        self._times[_rounded(response_time)] += 1
        if (late := context.get("late")) is not None:
            self._late[_rounded(late)] += 1
        if exception is not None:
            self._errors[kind(exception, response)] += 1
            if getattr(response, "refused", False):
                self._refused[_rounded(response_time)] += 1
            return
        path = context.get("path") or (getattr(response, "headers", None) or {}).get("x-inkmesh-path", "")
        for hop in _HOP.finditer(path):
            self._replicas[hop["replica"]] += 1
            if hop["service"] == "inference":
                self._versions[hop["version"]] += 1

    def close(self, books: dict[str, int]) -> None:
        """The last second, and what visitors found in their books."""
        gevent.killall(self._greenlets)
        self._write({})
        self._file.write(json.dumps({"t": time.time(), "books": books}) + "\n")
        self._file.close()

    def _new_second(self) -> None:
        self._requests: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._times: Counter[int] = Counter()
        self._refused: Counter[int] = Counter()
        self._late: Counter[int] = Counter()
        self._versions: Counter[str] = Counter()
        self._replicas: defaultdict[str, int] = defaultdict(int)
        self._lag = 0.0
        self._cpu, self._since = time.process_time(), time.monotonic()

    def _write_on(self) -> None:
        while True:
            gevent.sleep(1 - time.time() % 1)
            runner = self._environment.runner
            self._write({"users": runner.user_count if runner else 0})

    def _write(self, more: dict[str, Any]) -> None:
        passed = max(time.monotonic() - self._since, 1e-3)
        line = {
            "t": round(time.time(), 3),
            **more,
            "requests": self._requests,
            "errors": self._errors,
            "times": self._times,
            "refused": self._refused,
            "late": self._late,
            "versions": self._versions,
            "replicas": self._replicas,
            "lag": round(self._lag, 4),
            "cpu": round((time.process_time() - self._cpu) / passed, 3),
        }
        self._file.write(json.dumps(line) + "\n")
        self._new_second()

    def _beat(self) -> None:
        """How late this process is: a timer that rings late means requests that were sent late."""
        while True:
            due = time.monotonic() + _BEAT_SECONDS
            gevent.sleep(_BEAT_SECONDS)
            self._lag = max(self._lag, time.monotonic() - due)


def kind(exception: object, response: Any) -> str:  # noqa: ANN401 (an answer of either transport)
    """A word for what went wrong: the status, or why there is none."""
    status = getattr(response, "status_code", 0)
    if status:
        return str(status)
    code = getattr(exception, "code", None)
    if callable(code):
        return str(code().name)
    text = repr(exception).lower()
    if "timeout" in text or "timed out" in text:
        return "no answer in time"
    if "notsent" in text:
        return "not sent"
    return "connection broken"


def _rounded(milliseconds: float) -> int:
    """Two digits and a half: what a percentile needs, in a file that stays small."""
    whole = max(0, round(milliseconds))
    step = 1 if whole < 200 else 5 if whole < 1000 else 50
    return whole // step * step
