"""What one metric asks for: usage over target times replicas, with Kubernetes' care for pods that are not like others.

The numbers are kube-controller-manager's: milli-CPU as whole numbers, and its order of rounding, so that the same
observations give the same counts there and here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from localmesh.manifests.model import CpuTarget, PodsTarget

Target = CpuTarget | PodsTarget

INITIALIZATION_SECONDS = 300.0
"""For so long after its start a pod's usage counts only when it was ready while all of it was measured."""
INITIAL_READINESS_SECONDS = 30.0
"""A pod that was last (un)ready within so long of its start has never been ready."""


@dataclass(frozen=True)
class Usage:
    """CPU used by one pod: milli-CPU, over `window` seconds that ended `at` (seconds, of any clock)."""

    milli: int
    at: float
    window: float


@dataclass(frozen=True)
class Pod:
    """One replica as the autoscaler sees it. `request` is milli-CPU, None without one; times are seconds."""

    name: str
    request: int | None
    started: float
    ready: bool
    ready_changed: float
    usage: Usage | None = None
    pending: bool = False
    """No process of it was ever started."""
    metrics: Mapping[str, int] = field(default_factory=dict)
    """Its own metrics by name, in thousandths."""

    def used(self, target: Target) -> int | None:
        """What `target` is about, in thousandths; None when it was not measured."""
        if isinstance(target, PodsTarget):
            return self.metrics.get(target.name)
        return self.usage.milli if self.usage else None


@dataclass(frozen=True)
class Tolerance:
    """How far from its target a metric may be before anything is done, as a share of the target."""

    up: float = 0.1
    down: float = 0.1

    def covers(self, ratio: float) -> bool:
        """Whether `ratio`, usage over target, is near enough to 1."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True)
class Proposal:
    """How many replicas one metric asks for, and what it was: percent of the request, or thousandths a pod."""

    replicas: int
    current: int


class NoMetric(Exception):
    """This metric says nothing now; the message says why."""


def propose(target: Target, pods: Sequence[Pod], replicas: int, now: float, tolerance: Tolerance) -> Proposal:
    """What `target` asks for, `replicas` being wanted now. Raises NoMetric."""
    if not pods:
        raise NoMetric("there are no replicas to measure")
    percent = isinstance(target, CpuTarget) and target.utilization is not None
    requests = _requests(pods) if percent else {}
    found = {pod.name: pod.used(target) for pod in pods if not pod.pending}
    missing = {name for name, used in found.items() if used is None}
    unready = {pod.name for pod in pods if pod.name not in missing and not _counts(pod, target, now)}
    used = {name: milli for name, milli in found.items() if milli is not None and name not in unready}
    if not used:
        raise NoMetric(f"no ready replica's {name_of(target)} was measured yet")
    ratio, current = _ratio(target, used, requests)
    up_with_unready = bool(unready) and ratio > 1.0
    if not up_with_unready and not missing:
        wanted = replicas if tolerance.covers(ratio) else math.ceil(ratio * len(used))
        return Proposal(wanted, current)
    # Whoever was not measured is taken to stand against the change: idle on the way up, busy on the way down.
    if missing and ratio < 1.0:
        used |= {name: _busy(target, requests.get(name, 0)) for name in missing}
    elif missing and ratio > 1.0:
        used |= dict.fromkeys(missing, 0)
    if up_with_unready:
        used |= dict.fromkeys(unready, 0)
    careful, _ = _ratio(target, used, requests)
    turned = (ratio < 1.0 < careful) or (careful < 1.0 < ratio)
    wanted = math.ceil(careful * len(used))
    against = (careful < 1.0 and wanted > replicas) or (careful > 1.0 and wanted < replicas)
    return Proposal(replicas if tolerance.covers(careful) or turned or against else wanted, current)


def name_of(target: Target) -> str:
    """The metric's name."""
    return target.name if isinstance(target, PodsTarget) else "cpu"


def _counts(pod: Pod, target: Target, now: float) -> bool:
    """Whether the pod's usage says how busy it is, rather than how it starts: only CPU is doubted."""
    if pod.pending or isinstance(target, PodsTarget):
        return not pod.pending
    if pod.usage is None:
        return False
    if pod.started + INITIALIZATION_SECONDS > now:
        return pod.ready and pod.usage.at >= pod.ready_changed + pod.usage.window
    never_ready = pod.started + INITIAL_READINESS_SECONDS > pod.ready_changed
    return pod.ready or not never_ready


def _requests(pods: Sequence[Pod]) -> dict[str, int]:
    for pod in pods:
        if pod.request is None:
            raise NoMetric("missing request for cpu: set resources.requests.cpu")
    return {pod.name: pod.request or 0 for pod in pods}


def _ratio(target: Target, used: Mapping[str, int], requests: Mapping[str, int]) -> tuple[float, int]:
    """Usage over target, and the usage: percent of the requests, or the average in thousandths."""
    total = sum(used.values())
    if isinstance(target, PodsTarget) or target.utilization is None:
        average = total // len(used)
        return average / target.milli, average
    requested = sum(requests[name] for name in used)
    if requested == 0:
        raise NoMetric("the requests for cpu are 0")
    percent = total * 100 // requested
    return percent / target.utilization, percent


def _busy(target: Target, request: int) -> int:
    """What a pod uses that is as busy as it may be thought to be."""
    if isinstance(target, PodsTarget) or target.utilization is None:
        return target.milli
    return request * max(100, target.utilization) // 100
