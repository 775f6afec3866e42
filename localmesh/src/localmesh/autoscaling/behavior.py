"""How fast a recommendation may be followed: stabilisation windows, and policies a period, up and down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from localmesh.manifests.model import ScalingRules

DOWN_WINDOW_SECONDS = 300.0
UP_FACTOR, UP_LEAST = 2, 4
"""Without a `behavior`: at most twice as many at a time, or 4."""


@dataclass(frozen=True)
class Mark:
    """What was recommended, or by how many the replicas changed, at a time (seconds)."""

    at: float
    count: int


@dataclass(frozen=True)
class History:
    """What the algorithm remembers between two looks."""

    recommended: tuple[Mark, ...] = ()
    added: tuple[Mark, ...] = ()
    removed: tuple[Mark, ...] = ()

    def keeping(self, now: float, seconds: float) -> History:
        """Without what is older than any window or period that asks for it."""
        return History(*(tuple(one for one in marks if one.at > now - seconds) for marks in self._all()))

    def _all(self) -> tuple[tuple[Mark, ...], ...]:
        return (self.recommended, self.added, self.removed)


def stabilised(marks: Sequence[Mark], wanted: int, replicas: int, now: float, up: float, down: float) -> int:
    """The change that all recommendations of the windows (`up`, `down`: seconds) agree to; `replicas` when none."""
    lowest = min([wanted, *(one.count for one in marks if one.at > now - up)])
    highest = max([wanted, *(one.count for one in marks if one.at > now - down)])
    return min(max(replicas, lowest), highest)


def stabilised_down(marks: Sequence[Mark], wanted: int, now: float) -> int:
    """Without a `behavior`: the highest recommendation of five minutes."""
    return max([wanted, *(one.count for one in marks if one.at >= now - DOWN_WINDOW_SECONDS)])


def up_limit(rules: ScalingRules, history: History, replicas: int, now: float) -> int:
    """The most replicas that the policies allow now; never fewer than there are."""
    if rules.select == "Disabled":
        return replicas
    limits = []
    for policy in rules.policies:
        before = _at_start(history, replicas, now, policy.seconds)
        limits.append(before + policy.value if policy.kind == "Pods" else _percent_up(before, policy.value))
    return max(replicas, (min if rules.select == "Min" else max)(limits))


def down_limit(rules: ScalingRules, history: History, replicas: int, now: float) -> int:
    """The fewest replicas that the policies allow now; never more than there are."""
    if rules.select == "Disabled":
        return replicas
    limits = []
    for policy in rules.policies:
        before = _at_start(history, replicas, now, policy.seconds)
        limits.append(before - policy.value if policy.kind == "Pods" else int(before * (1 - policy.value / 100)))
    # The least change leaves the most replicas.
    return min(replicas, (max if rules.select == "Min" else min)(limits))


def _percent_up(before: int, percent: int) -> int:
    """Rounded up: a small share of few replicas would never add one."""
    return math.ceil(before * (1 + percent / 100))


def _at_start(history: History, replicas: int, now: float, seconds: float) -> int:
    """How many there were when the period began."""
    added = sum(one.count for one in history.added if one.at > now - seconds)
    removed = sum(one.count for one in history.removed if one.at > now - seconds)
    return replicas - added + removed
