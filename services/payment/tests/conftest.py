"""A ledger in either database, a clock that tests move, and a fraud model that says what it is told to."""

import asyncio
import hashlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from payment.ledger import postgres_engine
from payment.ledger.book import Ledger, open_ledger
from payment.ledger.store import Store
from payment.ledger.stores import open_store
from payment.records import Answer, Audit, Key, Terms
from payment.topups import Features, ModelUnavailable

sys.path.insert(0, str(Path(__file__).parent))  # what the faults' long run uses as well

import postgres_server

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


async def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait until it happened, and no longer than the deadline."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 (it happens in threads and processes too)
            await asyncio.sleep(0.005)


class Witness:
    """An Observer, Sweeps, Audits and Decisions that remembers."""

    def __init__(self) -> None:
        self.groups: list[list[tuple[str, str]]] = []
        self.sweeps: list[Any] = []
        self.audits: list[Audit] = []
        self.decisions: list[tuple[str, str]] = []

    def group(self, outcomes: list[tuple[str, str]], commit_seconds: float) -> None:
        self.groups.append(outcomes)

    def swept(self, swept: Any) -> None:
        self.sweeps.append(swept)

    def audited(self, audit: Audit) -> None:
        self.audits.append(audit)

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
    """A ledger with its clock; `run` opens it, plays a scenario and closes it again. `address`: PAYMENT_DATABASE."""

    kind: str
    refuses: type[Exception]
    blob = "x'00'"

    def __init__(self, address: str) -> None:
        self.address = address
        self.clock = MovedClock()
        self.witness = Witness()
        self.terms = Terms()

    def store(self) -> Store:
        return open_store(self.address)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Ledger]:
        with closing(self.store()) as store:
            async with open_ledger(store, self.terms, self.clock, self.witness) as ledger:
                yield ledger

    def run(self, scenario: Callable[[Ledger], Awaitable[T]]) -> T:
        async def play() -> T:
            async with self.open() as ledger:
                return await scenario(ledger)

        return asyncio.run(play())

    def sql(self, statement: str, *args: Any) -> list[tuple[Any, ...]]:
        """Go behind the ledger's back, on a connection of one's own."""
        raise NotImplementedError

    def corrupt(self, *statements: str) -> None:
        """The same where nothing guards the ledger."""
        raise NotImplementedError

    def renew(self) -> None:
        """Begin with an empty ledger."""
        raise NotImplementedError


class SqliteBank(Bank):
    kind = "sqlite"
    refuses = sqlite3.IntegrityError

    @property
    def path(self) -> Path:
        return Path(self.address)

    def sql(self, statement: str, *args: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.address, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            return connection.execute(statement, args).fetchall()

    def corrupt(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.address, isolation_level=None)) as connection:
            guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in guards:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in guards:
                connection.execute(sql)

    def renew(self) -> None:
        for file in self.path.parent.glob(self.path.name + "*"):
            file.unlink()


class PostgresBank(Bank):
    kind = "postgres"
    refuses = psycopg.IntegrityError
    blob = r"'\x00'::bytea"

    def __init__(self, server: postgres_server.Server) -> None:
        super().__init__(server.new_ledger())
        self.server = server

    def sql(self, statement: str, *args: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg.connect(self.address, autocommit=True)) as connection:
            done = connection.execute(statement.replace("?", "%s"), args or None)
            return done.fetchall() if done.description else []

    def corrupt(self, *statements: str) -> None:
        with closing(psycopg.connect(self.address, autocommit=True)) as connection:
            connection.execute("SET session_replication_role = replica")  # no trigger fires
            for statement in statements:
                connection.execute(statement)

    def renew(self) -> None:
        self.address = self.server.new_ledger()


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    if postgres_server.binaries() is None:
        pytest.skip("PostgreSQL's server is not installed here (Debian: apt-get install postgresql)")
    with closing(postgres_server.Server()) as server:
        yield server


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is not a broken one: the ledger's deadlines are for the tests that are about them."""
    monkeypatch.setattr("payment.ledger.writer.GROUP_SECONDS", 120.0)
    monkeypatch.setattr("payment.ledger.postgres_engine.CONNECT_SECONDS", 30)
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        monkeypatch.setitem(postgres_engine._OPTIONS, name, "120s")


@pytest.fixture
def sqlite_bank(tmp_path: Path) -> Bank:
    return SqliteBank(str(tmp_path / "payment.sqlite3"))


@pytest.fixture
def postgres_bank(postgres: postgres_server.Server) -> Bank:
    return PostgresBank(postgres)


@pytest.fixture(params=["sqlite", "postgres"])
def bank(request: pytest.FixtureRequest) -> Bank:
    """Both databases keep the same ledger: what is promised is promised of both."""
    return request.getfixturevalue(f"{request.param}_bank")


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
