"""What one metric asks for: usage over target times replicas, with Kubernetes' care for pods that are not like others.

The numbers are kube-controller-manager's: milli-CPU as whole numbers, and its order of rounding, so that the same
observations give the same counts there and here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localmesh.manifests.model import CpuTarget

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
    """How many replicas one metric asks for, and what it was: percent of the request, or milli-CPU a pod."""

    replicas: int
    current: int


class NoMetric(Exception):
    """This metric says nothing now; the message says why."""


def propose(target: CpuTarget, pods: Sequence[Pod], replicas: int, now: float, tolerance: Tolerance) -> Proposal:
    """What `target` asks for, `replicas` being wanted now. Raises NoMetric."""
    if not pods:
        raise NoMetric("there are no replicas to measure")
    requests = _requests(pods) if target.utilization is not None else {}
    missing = {pod.name for pod in pods if not pod.pending and pod.usage is None}
    unready = {pod.name for pod in pods if pod.name not in missing and not _counts(pod, now)}
    used = {pod.name: pod.usage.milli for pod in pods if pod.usage is not None and pod.name not in unready}
    if not used:
        raise NoMetric("no ready replica was measured yet")
    ratio, current = _ratio(target, used, requests)
    up_with_unready = bool(unready) and ratio > 1.0
    if not up_with_unready and not missing:
        wanted = replicas if tolerance.covers(ratio) else math.ceil(ratio * len(used))
        return Proposal(wanted, current)
    # Whoever was not measured is taken to stand against the change: idle on the way up, busy on the way down.
    if missing and ratio < 1.0:
        used |= {name: _busy(target, requests.get(name, 0)) for name in missing}
    elif missing and (ratio > 1.0 or target.utilization is None):
        used |= dict.fromkeys(missing, 0)
    if up_with_unready:
        used |= dict.fromkeys(unready, 0)
    careful, _ = _ratio(target, used, requests)
    turned = (ratio < 1.0 < careful) or (careful < 1.0 < ratio)
    wanted = math.ceil(careful * len(used))
    against = (careful < 1.0 and wanted > replicas) or (careful > 1.0 and wanted < replicas)
    return Proposal(replicas if tolerance.covers(careful) or turned or against else wanted, current)


def _counts(pod: Pod, now: float) -> bool:
    """Whether the pod's usage says how busy it is, rather than how it starts."""
    if pod.pending or pod.usage is None:
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


def _ratio(target: CpuTarget, used: Mapping[str, int], requests: Mapping[str, int]) -> tuple[float, int]:
    """Usage over target, and the usage: percent of the requests, or the average in milli-CPU."""
    total = sum(used.values())
    if target.utilization is None:
        average = total // len(used)
        return average / target.milli, average
    requested = sum(requests[name] for name in used)
    if requested == 0:
        raise NoMetric("the requests for cpu are 0")
    percent = total * 100 // requested
    return percent / target.utilization, percent


def _busy(target: CpuTarget, request: int) -> int:
    """What a pod uses that is as busy as it may be thought to be."""
    if target.utilization is None:
        return target.milli
    return request * max(100, target.utilization) // 100
