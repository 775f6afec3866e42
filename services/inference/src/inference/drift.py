"""How far what a model meets is from what it was made with: counts by bin, and two numbers made of them.

A group is a quantity with a reference histogram in the manifest: the mean of some columns of the input, the distance of
the whole input from the reference's middle (Mahalanobis', squared, over the groups), the label given, the confidence in
it. Training counts its reference with the same functions that count here.

PSI = Σ (a − r) · ln(a / r) over the bins, of the actual shares a and the reference's r; below 0.1 is usual, above 0.25
is a change. It says nothing on few samples: without any change it is about (bins − 1) · (1 / n + 1 / reference). So a
test stands beside it, of all groups of the input at once, that knows how many samples there are.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE, PREDICTIONS, CONFIDENCE = "whole", "predictions", "confidence"

LEAST_SHARE = 1e-4
"""What an empty bin counts as: the logarithm of nothing is no number."""

_SNAPSHOTS = 12

Counts = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


class Groups:
    """The input's groups by their columns, and the whole by its middle and precision (the inverse covariance)."""

    def __init__(self, columns: list[list[int]], width: int, middle: Floats, precision: Floats) -> None:
        self._weights = np.zeros((width, len(columns)), np.float32)
        for index, members in enumerate(columns):
            self._weights[members, index] = 1 / len(members)
        self._middle, self._precision = middle, precision

    def values(self, rows: NDArray[np.float32]) -> Floats:
        """Each group's mean and then the whole's distance, [n, groups + 1], of rows [n, width]."""
        means = (rows @ self._weights).astype(np.float64)
        away = means - self._middle
        return np.column_stack([means, (away @ self._precision * away).sum(1)])


class Reference:
    """A manifest's reference, ready to count and compare with."""

    def __init__(self, content: dict[str, Any]) -> None:
        inputs, whole, confidence = content["inputs"], content["whole"], content["confidence"]
        columns = [group["columns"] for group in inputs]
        self.width = 1 + max(max(members) for members in columns)
        self._groups = Groups(columns, self.width, np.array(whole["middle"]), np.array(whole["precision"]))
        self.names = [*(group["name"] for group in inputs), WHOLE, PREDICTIONS, CONFIDENCE]
        self.confidence_edges: list[float] = confidence["edges"]
        self.abstain_below: float = confidence["abstain_below"]
        self.classes = len(content["labels"])
        counted = [*(group["counts"] for group in inputs), whole["counts"], [*content["labels"].values()]]
        counted.append(confidence["counts"])
        self.bins = [len(counts) for counts in counted]
        self.counts = np.zeros((len(counted), max(self.bins)), np.int64)
        for index, counts in enumerate(counted):
            self.counts[index, : len(counts)] = counts
        most = max(len(group["edges"]) for group in [*inputs, whole])
        self._edges = np.full((most, len(inputs) + 1), np.inf)
        for index, group in enumerate([*inputs, whole]):
            self._edges[: len(group["edges"]), index] = group["edges"]

    def count(self, rows: NDArray[np.float32], labels: NDArray[np.int64], confidence: NDArray[np.float32]) -> Counts:
        """Samples by group and bin, [groups, bins]; bins that a group does not have stay 0.

        There may be fewer rows [n, width] than answers [m]: each group has its own total.
        """
        values = self._groups.values(rows)
        bins = np.zeros(values.shape, np.uint8)
        for edges in self._edges:  # each group's first, second, …: some wide steps are faster than many narrow ones
            bins += values > edges
        by_confidence = np.searchsorted(np.array(self.confidence_edges), confidence, side="left")
        most = self.counts.shape[1]
        return np.concatenate(
            [count_bins(bins, most), count_bins(labels[:, None], most), count_bins(by_confidence[:, None], most)]
        )


def count_bins(bins: NDArray[np.integer[Any]], most: int) -> Counts:
    """How often each of `most` bins stands in each column of `bins` [n, groups]: [groups, most]."""
    groups = bins.shape[1]
    flat = (bins + np.arange(groups) * most).ravel()
    counts: Counts = np.bincount(flat, minlength=groups * most).reshape(groups, most)
    return counts


class Window:
    """What was counted in about the last `seconds`, of counts that only grow."""

    def __init__(self, seconds: float, zero: Counts) -> None:
        self._seconds = seconds
        self._past: deque[tuple[float, Counts]] = deque([(-math.inf, zero)])

    def since(self, now: float, counts: Counts) -> Counts:
        """The counts less those of the window's begin; call it often, it remembers only some."""
        if now - self._past[-1][0] >= self._seconds / _SNAPSHOTS:
            self._past.append((now, counts.copy()))
        while len(self._past) > 1 and self._past[1][0] <= now - self._seconds:
            self._past.popleft()
        return counts - self._past[0][1]


def psi(actual: Counts, reference: Counts) -> Floats:
    """The population stability index of each group [groups] from counts [groups, bins]; 0 where nothing was counted."""
    a, r = (np.maximum(_shares(counts), LEAST_SHARE) for counts in (actual, reference))
    index: Floats = np.where(actual.sum(1) > 0, ((a - r) * np.log(a / r)).sum(1), 0.0)
    return index


def p_value(actual: Counts, reference: Counts) -> float:
    """How likely two histograms [bins] at least so different are, were both drawn from one population (χ²)."""
    n, m = int(actual.sum()), int(reference.sum())
    both = actual + reference
    used = both > 0
    if not n or not m or used.sum() < 2:
        return 1.0
    statistic = ((math.sqrt(m / n) * actual - math.sqrt(n / m) * reference)[used] ** 2 / both[used]).sum()
    return _chi2_tail(float(statistic), int(used.sum()) - 1)


def smallest_p_value(actual: Counts, reference: Counts) -> float:
    """One test of all groups [groups, bins]: the least p-value, times the number of tries (Bonferroni).

    However the groups hang together, it is below p no more often than p when nothing has changed.
    """
    least = min(p_value(a, r) for a, r in zip(actual, reference, strict=True))
    return min(least * len(actual), 1.0)


def _shares(counts: Counts) -> Floats:
    shares: Floats = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares


def _chi2_tail(statistic: float, freedom: int) -> float:
    """P(χ² > statistic): the closed form for whole degrees of freedom."""
    half = statistic / 2
    if freedom % 2:
        tail, term, power = math.erfc(math.sqrt(half)), math.exp(-half) * math.sqrt(half) / math.gamma(1.5), 1.5
    else:
        tail, term, power = 0.0, math.exp(-half), 1.0
    for _ in range(freedom // 2):
        tail += term
        term *= half / power
        power += 1
    return min(tail, 1.0)
