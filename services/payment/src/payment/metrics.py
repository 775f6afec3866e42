"""The ledger's own metrics, beside the request metrics that every service has."""

from __future__ import annotations

import math
from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from payment.records import Audit, Swept


class Metrics:
    """The writer's Observer, Sweeps, Audits and Decisions, as Prometheus series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._operations = Counter(
            "inkmesh_ledger_transactions",
            "Ledger operations by name and outcome (ok, or the problem's type)",
            ["operation", "outcome"],
            registry=registry,
        )
        self._sizes = Histogram(
            "inkmesh_ledger_group_size",
            "Operations that shared one commit",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        self._seconds = Histogram(
            "inkmesh_ledger_commit_seconds",
            "Time of one group, from BEGIN until its commit was on the disk",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
            registry=registry,
        )
        self._held = Gauge("inkmesh_ledger_open_holds", "Charges held, as the last sweep saw it", registry=registry)
        self._expired = Counter("inkmesh_ledger_expired_holds", "Charges that expired", registry=registry)
        self._findings = Gauge(
            "inkmesh_ledger_findings", "Faults that the last audit found; NaN before the first", registry=registry
        )
        self._findings.set(math.nan)
        self._decisions = Counter(
            "inkmesh_topup_decisions", "Top-ups by status and who decided", ["status", "decided_by"], registry=registry
        )
        self._series: dict[tuple[str, str], Counter] = {}

    def group(self, outcomes: list[tuple[str, str]], commit_seconds: float) -> None:
        """Count one group of the writer."""
        self._sizes.observe(len(outcomes))
        self._seconds.observe(commit_seconds)
        for outcome, times in Tally(outcomes).items():
            series = self._series.get(outcome)
            if series is None:  # label look-ups cost more than counting
                series = self._series[outcome] = self._operations.labels(*outcome)
            series.inc(times)

    def swept(self, swept: Swept) -> None:
        """Note what a sweep found."""
        self._held.set(swept.held)
        self._expired.inc(swept.expired)

    def audited(self, audit: Audit) -> None:
        """Note what an audit found."""
        self._findings.set(len(audit.findings))

    def decided(self, status: str, decided_by: str) -> None:
        """Count one top-up."""
        self._decisions.labels(status, decided_by).inc()
