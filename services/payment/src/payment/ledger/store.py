"""The seam between the ledger's rules and the database that keeps it.

The rules (accounts, holds, settling, topping_up, sweeping, auditing) are plain SQL that both databases read; what they
do differently stands behind these two protocols: sqlite.py and postgres.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class WrongSchema(Exception):
    """The database has another version of the ledger, or none; the message says what to do."""


class StoreUnavailable(Exception):
    """The database cannot be reached or read now; the message names the cause."""


class OutcomeUnknown(Exception):
    """The connection was lost while a commit was under way: it happened or it did not."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """Rows that a statement changed."""

    def fetchone(self) -> Any:  # noqa: ANN401 (a row, or None)
        """Take the next row."""

    def fetchall(self) -> list[Any]:
        """Take all rows that are left."""


class Session(Protocol):
    """The writer's own way to the database, for its thread alone, one transaction after the other.

    Nothing raises OutcomeUnknown but `commit`; after any other error nothing of the transaction was kept.
    """

    tries: int
    """How often a transaction is tried in all when `may_repeat` says that it can be."""

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Rows:
        """Run a statement; `?` stands for a value."""

    def begin(self, accounts: Iterable[str]) -> None:
        """Begin a transaction in which nobody else moves credits of these accounts."""

    def write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement once for each of several rows of values. Those before one that fails may have been kept."""

    def have(self, account: str) -> None:
        """Have an account to oneself that may not have been there when the transaction began."""

    def apart(self) -> None:
        """Begin one operation: from here on, what is done can be undone apart from what was done before."""

    def undo(self) -> None:
        """Undo what was done since `apart`."""

    def lock(self, accounts: set[str]) -> set[str]:
        """Have more accounts to oneself, without waiting for any: those that could be had."""

    def alone(self, duty: int) -> bool:
        """Whether nobody else does this duty now, until the transaction ends."""

    def commit(self) -> None:
        """Make it durable."""

    def roll_back(self) -> None:
        """Undo the transaction, whatever state it is in; never raises."""

    def interrupt(self) -> None:
        """Make a call that hangs in the writer's thread fail. Called from another thread."""

    def close(self) -> None:
        """Let go of the database."""

    def is_its_own(self, error: Exception) -> bool:
        """Whether an error is one operation's own, and its neighbours can go on."""

    def may_repeat(self, error: Exception) -> bool:
        """Whether the same transaction, tried again at once, may succeed."""


class Snapshot(Protocol):
    """One consistent look at the whole ledger, for an audit."""

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds. Raises StoreUnavailable when it cannot be asked; the next one can."""

    def damage(self) -> Iterator[str]:
        """What is wrong with the database itself, a sentence each."""

    def guards(self) -> list[str]:
        """Tables, triggers and limits that are not as this program made them, a sentence each."""


class Store(Protocol):
    """A database with a ledger in it."""

    name: str
    """For people: a path, or an address without its password."""

    def session(self) -> Session:
        """Open the writer's session. Raises WrongSchema or OSError where no waiting would help."""

    def check(self) -> None:
        """Whether the database answers and has this program's schema. Raises StoreUnavailable, WrongSchema."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Look at the ledger as it stands. Raises StoreUnavailable."""

    def close(self) -> None:
        """Close what is open."""
