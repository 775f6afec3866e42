"""What the models meet, say and take, for Prometheus.

On the way of a call what was asked, said and taken is only put aside; it is counted by the hundred calls, and made into
series when they are read. All is counted from the loop's thread. Counters add up over replicas; the gauges named
`drift` are this replica's own window.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from inference import drift
from inference.model import Model

ROWS_EDGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SECONDS_EDGES = (1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.1, 0.5, 2.5)
BATCH_EDGES, BATCHES = (1, 16, 256), ("1", "2-16", "17-256", "257-1024")
"""Rows of a call, for its latency."""

_ASIDE_CALLS, _ASIDE_ROWS = 256, 1024
"""How much is put aside before it is counted."""
_LOOKED_AT = 64
"""Rows of one call whose inputs are counted, evenly spread: of a larger batch some tell enough."""
_LABELS = ["model", "version"]


_Answered = tuple[float, NDArray[np.float32], NDArray[Any], NDArray[np.float32]]
"""Seconds, rows (or some of them) [.., width], labels [n], probabilities [n, classes]."""


class _Histogram:
    """Counts between edges, and the sum."""

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = edges
        self.counts = np.zeros(len(edges) + 1, np.int64)
        self.sum = 0.0

    def observe(self, values: NDArray[Any]) -> None:
        """Count the values [n]."""
        self.counts += np.bincount(np.searchsorted(self.edges, values), minlength=len(self.counts))
        self.sum += float(values.sum())


class _Tally:
    """One model's counts."""

    def __init__(self, model: Model, window_seconds: float) -> None:
        self.digest = model.digest
        self.reference = model.reference
        self.rows = _Histogram(ROWS_EDGES)
        self.seconds = [_Histogram(SECONDS_EDGES) for _ in BATCHES]
        self.confidence_sum = 0.0
        self.abstained = 0
        self._aside: list[_Answered] = []
        self._aside_rows = 0
        self._counts = np.zeros_like(model.reference.counts)
        self._window = drift.Window(window_seconds, self._counts.copy())

    def add(self, took: float, rows: NDArray[np.float32], labels: NDArray[Any], said: NDArray[np.float32]) -> None:
        """Put a call aside; count once there are many."""
        n = len(rows)
        if n > _LOOKED_AT:
            rows = rows[:: -(-n // _LOOKED_AT)]
        self._aside.append((took, rows, labels, said))
        self._aside_rows += n
        if self._aside_rows >= _ASIDE_ROWS or len(self._aside) >= _ASIDE_CALLS:
            self._flush()

    def totals(self) -> drift.Counts:
        """All that was ever counted, [groups, bins]."""
        self._flush()
        return self._counts

    def recent(self) -> drift.Counts:
        """The window's part of `totals`."""
        return self._window.since(time.monotonic(), self.totals())

    def _flush(self) -> None:
        if not self._aside:
            return
        took, rows, said, probabilities = zip(*self._aside, strict=True)
        self._aside, self._aside_rows = [], 0
        self._count_calls(np.array([len(each) for each in said]), np.array(took))
        labels = np.concatenate(said)
        confidence = np.concatenate(probabilities)[np.arange(len(labels)), labels]
        self._counts += self.reference.count(np.concatenate(rows), labels, confidence)
        self.confidence_sum += float(confidence.sum(dtype=np.float64))
        self.abstained += int((confidence < self.reference.abstain_below).sum())
        self._window.since(time.monotonic(), self._counts)

    def _count_calls(self, rows: NDArray[np.int64], seconds: NDArray[np.float64]) -> None:
        """Rows and seconds of each call [calls]."""
        self.rows.observe(rows)
        batch = np.searchsorted(BATCH_EDGES, rows)
        for index, histogram in enumerate(self.seconds):
            histogram.observe(seconds[batch == index])


class Predictions(Collector):
    """Everything above, by model and version. A version whose file is replaced starts to count anew."""

    def __init__(self, registry: CollectorRegistry, window_seconds: float = 60) -> None:
        self._window_seconds = window_seconds
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._loads = Counter(
            "inkmesh_model_loads", "Models loaded or refused", [*_LABELS, "result"], registry=registry
        )
        registry.register(self)

    def loaded(self, model: Model) -> None:
        """This model answers from now on; from any thread."""
        self._tallies[model.name, model.version] = _Tally(model, self._window_seconds)
        self._loads.labels(model.name, model.version, "loaded").inc()

    def refused(self, name: str, version: str) -> None:
        """Files were refused; from any thread."""
        self._loads.labels(name, version, "refused").inc()

    def observe(self, model: Model, rows: NDArray[np.float32], outputs: dict[str, NDArray[Any]], took: float) -> None:
        """Count one call: its rows [n, width], what the model said, and how long that took (seconds)."""
        tally = self._tallies[model.name, model.version]
        if tally.digest != model.digest:
            return  # the last calls of a model that was replaced
        tally.add(took, rows, outputs["label"], outputs["probabilities"])

    def collect(self) -> Iterable[Metric]:
        """The families, as they stand."""
        families = _Families()
        for key, tally in list(self._tallies.items()):
            families.add(key, tally)
        return families.all


class _Families:
    def __init__(self) -> None:
        self.labels = CounterMetricFamily(
            "inkmesh_predictions", "Rows predicted, by the label given", labels=[*_LABELS, "label"]
        )
        self.confidence = HistogramMetricFamily(
            "inkmesh_prediction_confidence", "Probability of the label given", labels=_LABELS
        )
        self.rows = HistogramMetricFamily("inkmesh_prediction_batch_rows", "Rows in one inference call", labels=_LABELS)
        self.seconds = HistogramMetricFamily(
            "inkmesh_model_inference_duration_seconds",
            "Time of the model alone, waiting for its thread included, by rows in the call",
            labels=[*_LABELS, "rows"],
        )
        self.abstentions = CounterMetricFamily(
            "inkmesh_model_abstentions", "Rows predicted with less confidence than is worth acting on", labels=_LABELS
        )
        self.info = GaugeMetricFamily("inkmesh_model_info", "1: what answers", labels=[*_LABELS, "digest"])
        self.samples = CounterMetricFamily(
            "inkmesh_model_samples", "Rows by group and bin of the reference", labels=[*_LABELS, "group", "bin"]
        )
        self.reference = GaugeMetricFamily(
            "inkmesh_model_reference_ratio",
            "The reference's share of each bin",
            labels=[*_LABELS, "group", "bin"],
        )
        self.psi = GaugeMetricFamily(
            "inkmesh_model_drift_psi",
            "Population stability index of this replica's window against the reference",
            labels=[*_LABELS, "group"],
        )
        self.p_value = GaugeMetricFamily(
            "inkmesh_model_drift_p_value",
            "How likely the window's inputs are, had nothing changed (chi-squared of each group, Bonferroni)",
            labels=_LABELS,
        )
        self.window = GaugeMetricFamily("inkmesh_model_drift_samples", "Rows in this replica's window", labels=_LABELS)
        self.all: list[Metric] = [family for family in vars(self).values() if isinstance(family, Metric)]

    def add(self, key: Sequence[str], tally: _Tally) -> None:
        reference, totals, recent = tally.reference, tally.totals(), tally.recent()
        groups = dict(zip(reference.names, totals, strict=True))
        for said in range(reference.classes):
            self.labels.add_metric([*key, str(said)], int(groups[drift.PREDICTIONS][said]))
        counts = groups[drift.CONFIDENCE][: len(reference.confidence_edges) + 1].tolist()
        _add(self.confidence, key, reference.confidence_edges, counts, tally.confidence_sum)
        _add(self.rows, key, tally.rows.edges, tally.rows.counts.tolist(), tally.rows.sum)
        for batch, seconds in zip(BATCHES, tally.seconds, strict=True):
            _add(self.seconds, [*key, batch], seconds.edges, seconds.counts.tolist(), seconds.sum)
        self.abstentions.add_metric(key, tally.abstained)
        self.info.add_metric([*key, tally.digest], 1)
        shares = reference.counts / reference.counts.sum(1, keepdims=True)
        for index, name in enumerate(reference.names):
            for number in range(reference.bins[index]):
                where = [*key, name, str(number)]
                self.samples.add_metric(where, int(totals[index, number]))
                self.reference.add_metric(where, float(shares[index, number]))
        for name, index in zip(reference.names, drift.psi(recent, reference.counts).tolist(), strict=True):
            self.psi.add_metric([*key, name], index)
        inputs = slice(reference.names.index(drift.WHOLE) + 1)
        self.p_value.add_metric(key, drift.smallest_p_value(recent[inputs], reference.counts[inputs]))
        self.window.add_metric(key, int(recent[0].sum()))


def _add(
    family: HistogramMetricFamily, labels: Sequence[str], edges: Sequence[float], counts: Sequence[int], total: float
) -> None:
    uppers = [*(format(edge, "g") for edge in edges), "+Inf"]
    family.add_metric(labels, list(zip(uppers, accumulate(counts), strict=True)), total)
