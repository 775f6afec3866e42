"""Visitors in numbers: guests with credits, and paid readings at a rate while something happens."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from arrivals import Answer, Client, Request, constant
from product import SEVEN, Guest, Product

BODY = orjson.dumps({"pixels": SEVEN})


CREDITS = 5000
"""What each visitor tops up with."""

UNDECIDED = {0, 409, 503, 504}
"""Answers that leave open whether a credit was taken; a repeat of the key tells."""


@dataclass(slots=True)
class Reading:
    """One visitor's request, and the last answer to it."""

    guest: Guest
    key: str
    answer: Answer

    @property
    def decided(self) -> bool:
        """An answer that was stored with the charge, or that says that there is none."""
        return self.answer.status not in UNDECIDED or "idempotent-replayed" in self.answer.headers


@dataclass
class Visitors:
    """Guests who read in turn, and all that they asked for."""

    product: Product
    guests: list[Guest]
    readings: list[Reading] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def arrive(cls, product: Product, count: int = 8) -> Visitors:
        guests = [product.guest() for _ in range(count)]
        for guest in guests:
            assert guest.top_up(CREDITS)["status"] == "approved"
        return cls(product, guests)

    def read(self, rate: float, seconds: float) -> list[Answer]:
        """Paid readings at `rate` a second for `seconds`."""
        return asyncio.run(self._read(rate, seconds))

    async def _read(self, rate: float, seconds: float) -> list[Answer]:
        turns = itertools.cycle(self.guests)
        async with Client(self.product.host, self.product.port) as client:

            async def send() -> Answer:
                guest, key = next(turns), f"load-{id(self)}-{next(self._numbers)}"
                answer = await client.send(_reading(guest, key))
                self.readings.append(Reading(guest, key, answer))
                return answer

            return await constant(send, rate, seconds)

    @contextmanager
    def reading(self, rate: float, seconds: float) -> Iterator[Callable[[], list[Answer]]]:
        """Read in the background for `seconds`; the yielded call waits for the end and gives the answers."""
        found: list[Answer] = []
        thread = threading.Thread(target=lambda: found.extend(self.read(rate, seconds)))
        thread.start()

        def finish() -> list[Answer]:
            thread.join()
            return found

        try:
            yield finish
        finally:
            thread.join()

    def books_balance(self, seconds: float = 40.0) -> None:
        """Every balance is 20 + top-up - what was captured, as the visitors' own journal has it.

        A visitor whose request has no definite answer repeats it with its key, as the page does, until it has one.
        """
        asyncio.run(self._decide(seconds))
        captured: Counter[str] = Counter()
        charges = set()
        for reading in self.readings:
            if reading.answer.status == 201:
                captured[reading.guest.account_id] += 1
                charges.add(orjson.loads(reading.answer.body)["charge"]["id"])
        assert len(charges) == captured.total(), "one charge for two readings"
        for guest in self.guests:
            expected = 20 + CREDITS - captured[guest.account_id]
            assert guest.account() == {"account_id": guest.account_id, "balance": expected, "held": 0}

    async def _decide(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        async with Client(self.product.host, self.product.port) as client:
            while undecided := [reading for reading in self.readings if not reading.decided]:
                assert loop.time() < deadline, f"{len(undecided)} readings never got a definite answer"
                for reading in undecided:
                    reading.answer = await client.send(_reading(reading.guest, reading.key))
                await asyncio.sleep(0.2)  # between two rounds; the deadline above bounds them


def _reading(guest: Guest, key: str) -> Request:
    headers = {
        "authorization": f"Bearer {guest.token}",
        "idempotency-key": key,
        "content-type": "application/json",
    }
    return Request("POST", "/api/v1/predictions", headers, BODY)


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def versions(answers: list[Answer]) -> Counter[str]:
    return Counter(orjson.loads(answer.body)["model"]["version"] for answer in answers if answer.status == 201)


def hops(answer: Answer) -> list[dict[str, Any]]:
    """Who served a paid reading: gateway, payment, inference."""
    path: list[dict[str, Any]] = orjson.loads(answer.body)["path"]
    return path
