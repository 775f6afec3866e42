"""A ledger in a temporary folder, a clock that tests move, and a fraud model that says what it is told to."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from payment.ledger.book import Ledger, open_ledger
from payment.records import Answer, Key, Terms
from payment.topups import Features, ModelUnavailable

T = TypeVar("T")

START = 1_790_000_000_000


class MovedClock:
    """A Clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def forward(self, *, seconds: float) -> None:
        self.time += int(seconds * 1000)


async def until(happened: Callable[[], object], seconds: float = 10) -> None:
    """Wait until it happened, and no longer than the deadline."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 (it happens in threads and processes too)
            await asyncio.sleep(0.005)


class Witness:
    """An Observer, Sweeps and Decisions that remembers."""

    def __init__(self) -> None:
        self.groups: list[list[tuple[str, str]]] = []
        self.sweeps: list[Any] = []
        self.decisions: list[tuple[str, str]] = []

    def group(self, outcomes: list[tuple[str, str]], commit_seconds: float) -> None:
        self.groups.append(outcomes)

    def swept(self, swept: Any) -> None:
        self.sweeps.append(swept)

    def decided(self, status: str, decided_by: str) -> None:
        self.decisions.append((status, decided_by))


class FakeFraudModel:
    """topups.FraudModel; test_fraud_model.py holds it to the same contract as the real adapter."""

    def __init__(self, probability: float | None = 0.0) -> None:
        self.says = probability
        self.asked: list[Features] = []
        self.before_answer: Callable[[], Awaitable[None]] | None = None

    async def probability(self, features: Features) -> float:
        self.asked.append(features)
        if self.before_answer is not None:
            await self.before_answer()
        if self.says is None:
            raise ModelUnavailable("told to be")
        return self.says


class Bank:
    """A ledger's file with its clock; `run` opens it, plays a scenario and closes it again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = MovedClock()
        self.witness = Witness()
        self.terms = Terms()

    def open(self) -> Any:
        return open_ledger(self.path, self.terms, self.clock, self.witness)

    def run(self, scenario: Callable[[Ledger], Awaitable[T]]) -> T:
        async def play() -> T:
            async with self.open() as ledger:
                return await scenario(ledger)

        return asyncio.run(play())

    def sql(self, statement: str, *args: Any, foreign_keys: bool = True) -> list[tuple[Any, ...]]:
        """Go behind the ledger's back, on a connection of one's own."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
            return connection.execute(statement, args).fetchall()


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "payment.sqlite3")


@pytest.fixture
def key() -> Callable[..., Key]:
    """key("k") for a key of attempt "a1" meaning "one credit"; both can be given."""

    def make(text: str, attempt: str = "a1", meaning: str = "one credit") -> Key:
        return Key(text, hashlib.sha256(meaning.encode()).digest(), attempt)

    return make


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[None]]:
    return until


@pytest.fixture
def answer() -> Answer:
    return Answer(201, b'{"label": 7}')


@pytest.fixture
def fraud_model() -> Callable[..., FakeFraudModel]:
    return FakeFraudModel


@pytest.fixture
def witness() -> Witness:
    return Witness()
