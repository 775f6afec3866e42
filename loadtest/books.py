"""A visitor's own books: what it was promised, to be compared with the account when it leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

UNDECIDED = frozenset({0, 409, 429, 502, 503, 504})
"""Answers that leave open whether a credit moved; a repeat with the same key tells."""

Sent = dict[str, tuple[str, bytes]]
"""Key → the path and the body that were sent with it."""


class Verdict(Enum):
    """What the comparison found."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """A request never got a definite answer, or the account could not be read."""


@dataclass
class Books:
    """Credits as the answers said.

    `open_keys` are requests without a definite answer. `refused_keys` were told to come again later: that moves no
    credits, and should the account say otherwise they are repeated too.
    """

    granted: int = 20
    bought: int = 0
    charges: set[str] = field(default_factory=set)
    open_keys: Sent = field(default_factory=dict)
    refused_keys: Sent = field(default_factory=dict)

    @property
    def expected(self) -> int:
        """What the account must have now."""
        return self.granted + self.bought - len(self.charges)

    def asked(self, key: str, path: str, body: bytes) -> None:
        """A request that may move credits is about to be sent."""
        self.open_keys[key] = (path, body)

    def answered(
        self,
        key: str,
        status: int,
        charge: str | None = None,
        bought: int = 0,
        *,
        replayed: bool,
        refused: bool = False,
    ) -> None:
        """Its answer came: with a charge, with credits, with neither, with a refusal, or with nothing definite."""
        if status in UNDECIDED and not replayed:
            if refused and key in self.open_keys:
                self.refused_keys[key] = self.open_keys.pop(key)
            return
        self.open_keys.pop(key, None)
        self.bought += bought
        if charge is not None:
            self.charges.add(charge)

    def doubt_refusals(self) -> None:
        """What was refused has no definite answer any more."""
        self.open_keys |= self.refused_keys
        self.refused_keys = {}

    def verdict(self, balance: int | None) -> Verdict:
        """Compare with the account's balance, None when it could not be read."""
        if self.open_keys or balance is None:
            return Verdict.UNKNOWN
        return Verdict.RIGHT if balance == self.expected else Verdict.WRONG


def summary(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many of each."""
    found = list(verdicts)
    return {one.value: found.count(one) for one in Verdict}
