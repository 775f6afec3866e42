"""Top-ups: the fraud model decides by what the ledger knows, and rules do when it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from payment.errors import UnknownCard
from payment.ledger.book import Ledger
from payment.records import DecidedBy, Key, TopUp, TopUpStatus

ORDINARY, RAISED, HIGH = 0, 2, 3
CARDS = {"4242424242424242": ORDINARY, "4000000000009235": RAISED, "4000000000000002": HIGH}
"""The test numbers and their risk. Numbers are neither stored nor logged; the last four digits tell them apart."""

MANY_CREDITS = 1000
"""More than this at once is looked at by a person, when rules decide."""
MANY_TOP_UPS = 5
"""So are this many others in the last hour."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees: `credits` / 1000, `recent` top-ups of the account in the last hour, the card's `risk`."""

    credits: int
    recent: int
    risk: int

    def row(self) -> list[float]:
        """feature_1, feature_2, feature_3."""
        return [self.credits / 1000, float(self.recent), float(self.risk)]


class ModelUnavailable(Exception):
    """The model could not be asked, or what it said cannot be read; the message says which, for the log."""


class FraudModel(Protocol):
    """Whoever knows how likely a top-up is fraud."""

    async def probability(self, features: Features) -> float:
        """Tell it, 0 to 1, within its own deadline. Raises ModelUnavailable, and nothing else."""


class Decisions(Protocol):
    """Is told of every decision, to count it."""

    def decided(self, status: str, decided_by: str) -> None:
        """Count one."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which on a top-up is declined, or looked at by a person."""

    decline: float = 0.9
    review: float = 0.5

    def judge(self, probability: float) -> TopUpStatus:
        """What a probability leads to."""
        if probability >= self.decline:
            return TopUpStatus.DECLINED
        return TopUpStatus.REVIEW if probability >= self.review else TopUpStatus.APPROVED


def judge_by_rules(features: Features) -> TopUpStatus:
    """Decide without the model: high risk is declined; raised risk, much, or often goes to review."""
    if features.risk >= HIGH:
        return TopUpStatus.DECLINED
    if features.risk >= RAISED or features.credits > MANY_CREDITS or features.recent >= MANY_TOP_UPS:
        return TopUpStatus.REVIEW
    return TopUpStatus.APPROVED


class TopUps:
    """Buys credits. Between beginning and decision the key is in flight under a lease; the decision is one transaction.

    After a crash in between, the same key decides again: the first decision that is noted counts.
    """

    def __init__(
        self, ledger: Ledger, model: FraudModel, thresholds: Callable[[], Thresholds], decisions: Decisions
    ) -> None:
        self._ledger = ledger
        self._model = model
        self._thresholds = thresholds
        self._decisions = decisions

    async def buy(self, account: str, key: Key, amount: int, card: str) -> TopUp:
        """Decide and, if approved, post. Raises UnknownCard, NotFound, KeyReused, InFlight."""
        risk = CARDS.get(card)
        if risk is None:
            raise UnknownCard
        begun = await self._ledger.begin_top_up(account, key, amount, card[-4:])
        if isinstance(begun, TopUp):
            return begun
        status, decided_by = await self._decide(Features(amount, begun.recent, risk))
        done = await self._ledger.finish_top_up(account, key, begun.id, status, decided_by)
        if not done.replayed:
            self._decisions.decided(done.status, done.decided_by)
        return done

    async def _decide(self, features: Features) -> tuple[TopUpStatus, DecidedBy]:
        try:
            probability = await self._model.probability(features)
        except ModelUnavailable as error:
            log.warning("rules decide a top-up", reason=str(error))
            return judge_by_rules(features), DecidedBy.RULES
        return self._thresholds().judge(probability), DecidedBy.MODEL
