"""What autoscalers were shown and what kube-controller-manager did: the traces, and how a recording is kept.

A trace is an autoscaler and a story: how much there is to do, for how many looks, and how pods start. What each look
saw is recorded as it was, so that whoever plays it back needs to know nothing of the story.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded")
WINDOW = 2
"""Seconds that a measured usage is the mean of."""
METRIC = "requests_in_flight"


@dataclass(frozen=True)
class Pod:
    """A pod at one look. `cpu` and `custom` are in thousandths, None: not measured; times are the trace's seconds."""

    name: str
    cpu: int | None
    custom: int | None
    at: int
    """When the measured window ended."""
    started: int
    ready: bool
    ready_changed: int
    pending: bool = False


@dataclass(frozen=True)
class Look:
    """The controller at work at `t` seconds: `before` replicas were wanted, then `after`."""

    t: float
    before: int
    pods: tuple[Pod, ...]
    after: int


@dataclass(frozen=True)
class Trace:
    """One autoscaler's story."""

    shows: str
    load: tuple[tuple[int, int], ...]
    """(looks, milli-CPU or thousandths of the metric that all ready pods share), in turn."""
    start: int = 2
    metrics: tuple[Mapping[str, Any], ...] = ()
    """As in the manifest."""
    most: int = 10
    least: int = 1
    behavior: Mapping[str, Any] | None = None
    age: int = 1000
    """Of the pods that are there at first: seconds."""
    pending: int = 0
    """Looks that a new pod waits for a node."""
    boot: int = 0
    """Looks until it is ready after that."""
    boot_cpu: int = 0
    """What it uses meanwhile."""
    unmeasured: frozenset[int] = field(default=frozenset())
    """Pods, by number, whose usage is never known."""
    sick: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Pods, by number, that are not ready from one look until another."""
    request: int | None = 100
    """Milli-CPU."""

    def looks(self) -> list[int]:
        """The load at each look."""
        return [much for count, much in self.load for _ in range(count)]

    def spec(self, name: str) -> dict[str, Any]:
        """The HorizontalPodAutoscaler's."""
        found: dict[str, Any] = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": self.least,
            "maxReplicas": self.most,
            "metrics": list(self.metrics),
        }
        return found | ({"behavior": dict(self.behavior)} if self.behavior else {})


def percent(target: int) -> dict[str, Any]:
    """CPU in percent of the request."""
    return _resource({"type": "Utilization", "averageUtilization": target})


def value(target: str) -> dict[str, Any]:
    """CPU a pod."""
    return _resource({"type": "AverageValue", "averageValue": target})


def in_flight(target: str) -> dict[str, Any]:
    """A metric of the pods' own."""
    return {
        "type": "Pods",
        "pods": {"metric": {"name": METRIC}, "target": {"type": "AverageValue", "averageValue": target}},
    }


def _resource(target: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def policy(kind: str, number: int, seconds: int) -> dict[str, Any]:
    """One of a `behavior`'s."""
    return {"type": kind, "value": number, "periodSeconds": seconds}


AT_ONCE = {"scaleDown": {"stabilizationWindowSeconds": 0}}
HALF = (percent(50),)

# Windows and periods are no multiples of the time between two looks: on the edge of one, milliseconds would decide.
TRACES = {
    "up-and-down": Trace("the ratio, both ways, without waiting", ((3, 100), (5, 380), (5, 90), (3, 20)), 2, HALF,
                         behavior=AT_ONCE),
    "tolerance": Trace("a tenth of the target is no reason to act", ((3, 110), (3, 112), (3, 135), (3, 145), (4, 128)),
                       2, HALF, behavior=AT_ONCE),
    "no-behavior-up": Trace("without a behavior: at most twice as many, or 4", ((2, 50), (6, 3000)), 1, HALF, 20),
    "no-behavior-down": Trace("without a behavior: down after five minutes, all at once",
                              ((2, 300), (5, 600), (112, 40)), 6, HALF, 12),
    "default-window": Trace("a behavior for the way up leaves the way down its five minutes",
                            ((6, 500), (112, 20)), 4, HALF, 12,
                            behavior={"scaleUp": {"policies": [policy("Pods", 3, 7)]}}),
    "window-down": Trace("the highest recommendation of 13 s", ((2, 300), (2, 500), (3, 250), (12, 60)), 4, HALF, 12,
                         behavior={"scaleDown": {"stabilizationWindowSeconds": 13}}),
    "window-up": Trace("the lowest recommendation of 13 s holds a spike back",
                       ((3, 100), (2, 600), (3, 100), (9, 400)), 2, HALF, 12,
                       behavior={"scaleUp": {"stabilizationWindowSeconds": 13}, **AT_ONCE}),
    "pods-a-period": Trace("at most 2 more in 10 s, 1 fewer in 7 s", ((2, 100), (10, 2000), (14, 20)), 2, HALF, 9,
                           behavior={"scaleUp": {"policies": [policy("Pods", 2, 10)]},
                                     "scaleDown": {"stabilizationWindowSeconds": 0,
                                                   "policies": [policy("Pods", 1, 7)]}}),
    "percent-a-period": Trace("half more in 10 s, 30 % fewer in 7 s", ((2, 100), (10, 3000), (14, 20)), 3, HALF, 15,
                              behavior={"scaleUp": {"policies": [policy("Percent", 50, 10)]},
                                        "scaleDown": {"stabilizationWindowSeconds": 0,
                                                      "policies": [policy("Percent", 30, 7)]}}),
    "most-change": Trace("of two policies the one that changes more", ((2, 100), (6, 3000), (9, 20)), 3, HALF, 20,
                         behavior={"scaleUp": {"policies": [policy("Percent", 100, 10), policy("Pods", 4, 10)]},
                                   "scaleDown": {"stabilizationWindowSeconds": 0, "policies": [
                                       policy("Percent", 20, 7), policy("Pods", 3, 7)]}}),
    "least-change": Trace("selectPolicy: Min", ((2, 100), (8, 3000), (12, 20)), 3, HALF, 20,
                          behavior={"scaleUp": {"selectPolicy": "Min", "policies": [
                                        policy("Percent", 100, 10), policy("Pods", 4, 10)]},
                                    "scaleDown": {"selectPolicy": "Min", "stabilizationWindowSeconds": 0, "policies": [
                                        policy("Percent", 20, 7), policy("Pods", 3, 7)]}}),
    "never-down": Trace("selectPolicy: Disabled on the way down", ((2, 100), (4, 400), (6, 20)), 2, HALF,
                        behavior={"scaleDown": {"selectPolicy": "Disabled", "stabilizationWindowSeconds": 0}}),
    "never-up": Trace("selectPolicy: Disabled on the way up", ((2, 100), (4, 400), (6, 20)), 3, HALF,
                      behavior={"scaleUp": {"selectPolicy": "Disabled"}, **AT_ONCE}),
    "own-tolerance": Trace("a tolerance of each direction's own", ((2, 100), (3, 118), (3, 130), (3, 170), (4, 90)), 2,
                           HALF, behavior={"scaleUp": {"tolerance": "0.25"},
                                           "scaleDown": {"stabilizationWindowSeconds": 0, "tolerance": "0.05"}}),
    "bounds": Trace("never under 3, never over 5", ((3, 20), (4, 2000), (4, 20)), 4, HALF, 5, 3, behavior=AT_ONCE),
    "slow-start": Trace("new pods are not ready for 3 looks, and busy with their start: that is no load",
                        ((2, 100), (12, 400), (8, 60)), 2, HALF, 10, behavior=AT_ONCE, boot=3, boot_cpu=900),
    "waiting-for-a-node": Trace("pods that wait for a node count as idle", ((2, 100), (10, 500), (6, 60)), 2, HALF, 10,
                                behavior=AT_ONCE, pending=3, boot=1, boot_cpu=200),
    "unmeasured-up": Trace("who is not measured is idle on the way up", ((3, 150), (5, 500), (5, 300)), 3, HALF, 10,
                           behavior=AT_ONCE, unmeasured=frozenset({1})),
    "unmeasured-down": Trace("and busy on the way down", ((3, 200), (5, 40), (5, 5)), 4, HALF, 10,
                             behavior=AT_ONCE, unmeasured=frozenset({0})),
    "unmeasured-value": Trace("the same with a value as target", ((3, 200), (4, 600), (6, 10)), 4, (value("60m"),), 10,
                              behavior=AT_ONCE, unmeasured=frozenset({0})),
    "unmeasured-at-target": Trace("and nothing when the others are where they should be", ((8, 240), (3, 600)), 4,
                                  (value("60m"),), 10, behavior=AT_ONCE, unmeasured=frozenset({0})),
    "old-and-sick": Trace("a pod that was ready before counts though it is not now", ((3, 150), (8, 450), (4, 90)), 3,
                          HALF, 10, behavior=AT_ONCE, sick={1: (2, 9)}),
    "young-and-sick": Trace("a young pod that is not ready does not", ((3, 150), (8, 450), (4, 90)), 3, HALF, 10,
                            behavior=AT_ONCE, age=100, sick={1: (2, 9)}),
    "value": Trace("a value of CPU as target", ((3, 200), (4, 730), (4, 150)), 2, (value("100m"),), behavior=AT_ONCE),
    "largest-of-two": Trace("of two metrics the one that asks for more", ((3, 100), (4, 500), (4, 60)), 2,
                            (percent(80), value("50m")), behavior=AT_ONCE),
    "without-request": Trace("percent of no request: nothing", ((3, 100), (3, 900)), 2, HALF, request=None,
                             behavior=AT_ONCE),
    "one-metric-is-blind": Trace("with one of two metrics unknown: up, never down", ((3, 100), (4, 600), (4, 10)), 2,
                                 (percent(80), value("50m")), request=None, behavior=AT_ONCE),
    "in-flight": Trace("a metric of the pods' own", ((3, 8_000), (5, 30_000), (5, 2_500)), 2, (in_flight("4"),), 10,
                       behavior=AT_ONCE),
    "in-flight-and-cpu": Trace("beside CPU", ((3, 150), (4, 700), (5, 60)), 2, (percent(80), in_flight("50m")), 10,
                               behavior=AT_ONCE),
    "in-flight-starting": Trace("of pods that are not ready it counts", ((2, 8_000), (10, 30_000), (5, 2_500)), 2,
                                (in_flight("4"),), 10, behavior=AT_ONCE, pending=1, boot=3, boot_cpu=9_000),
    "in-flight-unmeasured": Trace("who does not tell is idle on the way up, busy on the way down",
                                  ((3, 12_000), (5, 30_000), (5, 2_500)), 3, (in_flight("4"),), 10, behavior=AT_ONCE,
                                  unmeasured=frozenset({1})),
}  # fmt: skip


def save(name: str, looks: list[Look]) -> Path:
    """A line a look: `t`, `before`, `after`, and the pods; an ordinary pod is only what it uses."""
    file = RECORDED / f"{name}.jsonl"
    lines = [
        json.dumps(
            {"t": look.t, "before": look.before, "after": look.after, "pods": [_short(one) for one in look.pods]}
        )
        for look in looks
    ]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def recorded(name: str) -> Iterator[Look]:
    """What a trace's looks were."""
    for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        pods = tuple(Pod(*one) for one in found["pods"])
        yield Look(found["t"], found["before"], pods, found["after"])


def _short(pod: Pod) -> list[Any]:
    return [pod.name, pod.cpu, pod.custom, pod.at, pod.started, pod.ready, pod.ready_changed, *([True] * pod.pending)]
