"""What the models say, counted for Prometheus. Counting is some additions; series are only made when they are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from inference.model import Model

ROWS_EDGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class _Histogram:
    """Counts between edges, and the sum."""

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.edges, value)] += 1
        self.sum += value

    def observe_all(self, values: NDArray[np.float32]) -> None:
        bins = np.searchsorted(np.array(self.edges), values, side="left")
        for index, count in enumerate(np.bincount(bins, minlength=len(self.counts)).tolist()):
            self.counts[index] += count
        self.sum += float(values.sum(dtype=np.float64))

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        uppers = [*(format(edge, "g") for edge in self.edges), "+Inf"]
        family.add_metric(labels, list(zip(uppers, accumulate(self.counts), strict=True)), self.sum)


class _Tally:
    """One model's counts."""

    def __init__(self, model: Model) -> None:
        self.labels = [0] * model.classes
        self.confidence = _Histogram(model.confidence_edges)
        self.rows = _Histogram(ROWS_EDGES)


class Predictions(Collector):
    """Predictions by label, confidence (the label's own probability), and rows a call. Used from the loop's thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}
        registry.register(self)

    def observe(self, model: Model, labels: NDArray[Any], probabilities: NDArray[np.float32]) -> None:
        """Count one call's labels [rows] and probabilities [rows, classes]."""
        tally = self._tallies.get((model.name, model.version))
        if tally is None:
            tally = self._tallies[model.name, model.version] = _Tally(model)
        rows = len(labels)
        tally.rows.observe(rows)
        if rows == 1:
            label = int(labels[0])
            tally.labels[label] += 1
            tally.confidence.observe(float(probabilities[0, label]))
            return
        for label, count in enumerate(np.bincount(labels, minlength=model.classes).tolist()):
            tally.labels[label] += count
        tally.confidence.observe_all(probabilities[np.arange(rows), labels])

    def collect(self) -> Iterable[CounterMetricFamily | HistogramMetricFamily]:
        """The three families, as they stand."""
        labels = CounterMetricFamily(
            "inkmesh_predictions", "Rows predicted, by the label given", labels=["model", "version", "label"]
        )
        confidence = HistogramMetricFamily(
            "inkmesh_prediction_confidence", "Probability of the label given", labels=["model", "version"]
        )
        rows = HistogramMetricFamily(
            "inkmesh_prediction_batch_rows", "Rows in one inference call", labels=["model", "version"]
        )
        for key, tally in self._tallies.items():
            for label, count in enumerate(tally.labels):
                labels.add_metric([*key, str(label)], count)
            tally.confidence.add_to(confidence, key)
            tally.rows.add_to(rows, key)
        return [labels, confidence, rows]
