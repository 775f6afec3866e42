"""One visitor who has digits read, and what came back.

`python workshop/visitor.py [N] [--judge] [--repeat] [--cohort NAME]`

The digits are the held-out set of loadtest/, so what each one really is is known. Readings go one after the other, each
with a key of its own; the ingress is AT's, or http://localhost:8080.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import uuid
from collections import Counter
from itertools import cycle, islice
from pathlib import Path

import httpx

DIGITS = Path(__file__).resolve().parents[1] / "loadtest" / "digits.txt"
CARD = "4242424242424242"
UNSETTLED = {409, 503, 504}
"""Answers that leave open whether a credit was taken, unless they are a replay of what is stored."""
PAUSE = 0.1
"""Seconds between two tries, in which whoever died may come back."""


class Visitor:
    """A session at the ingress."""

    def __init__(self, ingress: str, cohort: str | None = None) -> None:
        self._http = httpx.Client(base_url=f"{ingress}/api/v1", timeout=10)
        session = self._http.post("/sessions").raise_for_status().json()
        self._http.headers["authorization"] = f"Bearer {session['token']}"
        if cohort:
            self._http.headers["x-cohort"] = cohort

    def credits(self) -> int:
        """The account's balance, as soon as it can be told; what is held for a reading under way is a part of it."""
        deadline = time.monotonic() + 10
        while (answer := self._http.get("/account")).status_code == 503 and time.monotonic() < deadline:
            time.sleep(PAUSE)
        return int(answer.raise_for_status().json()["balance"])

    def buy(self, credits_: int) -> None:
        body = {"credits": credits_, "card": CARD}
        self._http.post("/topups", json=body, headers=_key()).raise_for_status()

    def read(self, pixels: list[int], repeat: bool = False) -> tuple[httpx.Response, int]:
        """The answer, and how often the call was repeated, with its key, for there was no answer that settles it."""
        key, repeats = _key(), 0
        while True:
            answer = self._http.post("/predictions", json={"pixels": pixels}, headers=key)
            settled = answer.status_code not in UNSETTLED or "idempotent-replayed" in answer.headers
            if settled or not repeat:
                return answer, repeats
            repeats += 1
            time.sleep(PAUSE)

    def judge(self, reading: str, label: int) -> None:
        self._http.post(f"/predictions/{reading}/feedback", json={"label": label}).raise_for_status()


def _key() -> dict[str, str]:
    return {"idempotency-key": str(uuid.uuid4())}


def digits(count: int) -> list[tuple[int, list[int]]]:
    """What each drawing is, and its 64 pixels, 0 (paper) to 16 (ink)."""
    lines = (line.split() for line in cycle(DIGITS.read_text(encoding="ascii").splitlines()))
    return [(int(label), [int(ink, 17) for ink in pixels]) for label, pixels in islice(lines, count)]


def problem(answer: httpx.Response) -> str:
    """The type of a service's problem; Envoy's own refusals are plain text."""
    told = answer.headers.get("content-type") == "application/problem+json"
    return str(answer.json()["type"]) if told else f"(of Envoy: {answer.text})"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What was asked for; of the command line, unless `given`."""
    words = argparse.ArgumentParser(description="Have digits of the held-out set read, and sum up what came back.")
    words.add_argument("count", type=int, nargs="?", default=20, help="how many readings (20)")
    words.add_argument("--judge", action="store_true", help="say of each what it really was")
    words.add_argument("--repeat", action="store_true", help="repeat, with its key, what had no answer that settles it")
    words.add_argument("--cohort", help="the value of the header x-cohort")
    return words.parse_args(given)


def main() -> None:
    """Read, and print what became of it."""
    given = arguments()
    visitor = Visitor(os.environ.get("AT", "http://localhost:8080"), given.cohort)
    if given.count > visitor.credits():
        visitor.buy(given.count)
    before = visitor.credits()
    answers: Counter[str] = Counter()
    served: Counter[tuple[str, int]] = Counter()
    right: Counter[str] = Counter()
    of: Counter[str] = Counter()
    repeats = 0
    for label, pixels in digits(given.count):
        answer, more = visitor.read(pixels, given.repeat)
        repeats += more
        if answer.status_code != 201:
            answers[f"{answer.status_code} {problem(answer)}"] += 1
            continue
        body = answer.json()
        hop = body["path"][-1]
        answers["201"] += 1
        served[hop["replica"], hop["attempt"]] += 1
        of[hop["version"]] += 1
        right[hop["version"]] += body["label"] == label
        if given.judge:
            visitor.judge(body["id"], label)

    lines = [f"{count:5} × {name}" for name, count in sorted(answers.items())]
    lines += [f"{n:5} by {replica}, attempt {attempt}" for (replica, attempt), n in sorted(served.items())]
    lines += [f"{right[version]:5} of {count} right: {version}" for version, count in sorted(of.items())]
    lines += [f"{repeats:5} repeats, each with its reading's key"] if given.repeat else []
    lines += [f"credits: {before} before, {visitor.credits()} after"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
