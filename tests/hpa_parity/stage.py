"""A trace on a real cluster: its Deployment, its pods as the story has them, and what the controller made of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from .control_plane import ControlPlane
from .traces import Look, Pod, Trace

SAME_LOOK_SECONDS = 0.4
"""An autoscaler with several metrics asks for them one after the other."""
SETTLE_SECONDS = 0.6
"""After a question until the controller has acted on the answer."""

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"


@dataclass(frozen=True)
class _Birth:
    """When a pod of the story came, by the number of the look."""

    look: int
    old: bool


class Stage:
    """The metrics API asks `measured`; between two looks `prepare` makes the pods what they are to be at the next."""

    def __init__(self, plane: ControlPlane, name: str, trace: Trace, base: int) -> None:
        """`base`: the trace's second 0, in Unix seconds."""
        self.looks: list[Look] = []
        self._plane, self._name, self._trace, self._base = plane, name, trace, base
        self._load = trace.looks()
        self._births: dict[str, _Birth] = {}
        self._pods: dict[str, Pod] = {}
        self._asked = 0.0
        self._prepared_for = trace.start
        self._ready = False
        self._lock = threading.Lock()

    @property
    def done(self) -> bool:
        """Whether the story is told."""
        return len(self.looks) >= len(self._load)

    @property
    def settled(self) -> bool:
        """Whether the last look's decision is known."""
        return self._ready

    def begin(self) -> None:
        """Everything is there before the autoscaler is."""
        labels = {"app": self._name}
        template = {"metadata": {"labels": labels}, "spec": self._pod_spec()}
        spec = {"replicas": self._trace.start, "selector": {"matchLabels": labels}, "template": template}
        self._plane.create(DEPLOYMENTS, {"metadata": {"name": self._name}, "spec": spec})
        self._make_pods(self._trace.start, 0)
        self._ready = True
        autoscaler = {"metadata": {"name": self._name}, "spec": self._trace.spec(self._name)}
        self._plane.create(AUTOSCALERS, autoscaler)

    def measured(self, custom: bool) -> tuple[str, Mapping[str, int]]:
        """The controller asks: a look, unless it is another metric of the same one."""
        with self._lock:
            now = time.time()
            if now - self._asked > SAME_LOOK_SECONDS and not self.done:
                self._look(now)
            at = datetime.fromtimestamp(int(self._asked), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            values = {one.name: one.custom if custom else one.cpu for one in self._pods.values()}
            return at, {name: value for name, value in values.items() if value is not None}

    def prepare(self) -> None:
        """Once the controller has acted: what it decided, and the pods of the next look."""
        with self._lock:
            if self._ready or time.time() - self._asked < SETTLE_SECONDS:
                return
            decided = self._replicas()
            self.looks[-1] = replace(self.looks[-1], after=decided)
            self._make_pods(decided, min(len(self.looks), len(self._load) - 1))
            self._prepared_for, self._ready = decided, True

    def _look(self, now: float) -> None:
        if not self._ready or self._prepared_for != self._replicas():
            raise RuntimeError(f"{self._name}: the controller looked before the pods were as they should be: too slow")
        at = int(now) - self._base
        self._pods = {name: replace(one, at=at) for name, one in self._pods.items()}
        self._asked, self._ready = now, False
        before = self._prepared_for
        self.looks.append(Look(round(now - self._base, 3), before, tuple(self._pods.values()), before))

    def _replicas(self) -> int:
        return int(self._plane.get(f"{DEPLOYMENTS}/{self._name}")["spec"]["replicas"])

    def _make_pods(self, replicas: int, look: int) -> None:
        names = [f"{self._name}-{number}" for number in range(replicas)]
        for name in [one for one in self._births if one not in names]:
            self._plane.delete(f"{PODS}/{name}")
            del self._births[name]
        for name in names:
            if name not in self._births:
                self._births[name] = _Birth(look, old=look == 0)
                body = {"metadata": {"name": name, "labels": {"app": self._name}}, "spec": self._pod_spec()}
                self._plane.create(PODS, body)
        states = [self._state(number, name, look) for number, name in enumerate(names)]
        for one in states:
            before = self._pods.get(one.name)
            if before is None or _status(before, 0) != _status(one, 0):
                self._plane.patch(f"{PODS}/{one.name}/status", {"status": _status(one, self._base)})
        self._pods = {one.name: one for one in self._shared(states, look)}

    def _state(self, number: int, name: str, look: int) -> Pod:
        """A pod as it is at a look, but for what it uses."""
        birth, trace, before = self._births[name], self._trace, self._pods.get(name)
        now = int(time.time()) - self._base
        age = look - birth.look
        first, last = trace.sick.get(number, (0, 0))
        pending = not birth.old and age < trace.pending
        ready = (birth.old or age >= trace.pending + trace.boot) and not first <= look < last
        started, changed = (-trace.age, -trace.age + 5) if birth.old else (now, now)
        if before is not None and before.pending == pending:
            started = before.started
            changed = before.ready_changed if before.ready == ready else now
        return Pod(name, None, None, 0, started, ready, changed, pending)

    def _shared(self, pods: list[Pod], look: int) -> list[Pod]:
        """With what each uses: those that are ready, or were, share the load."""
        trace = self._trace
        booting = {one.name for one in pods if not one.ready and not self._births[one.name].old}
        each = self._load[look] // max(1, len(pods) - len(booting))
        found = []
        for number, one in enumerate(pods):
            use = None if one.pending or number in trace.unmeasured else trace.boot_cpu if one.name in booting else each
            found.append(replace(one, cpu=use, custom=use))
        return found

    def _pod_spec(self) -> dict[str, Any]:
        requests = {"requests": {"cpu": f"{self._trace.request}m"}} if self._trace.request else {}
        return {"containers": [{"name": "main", "image": "none", "resources": requests}]}


def _status(pod: Pod, base: int) -> dict[str, Any]:
    if pod.pending:
        return {"phase": "Pending"}

    def time_of(second: int) -> str:
        return datetime.fromtimestamp(base + second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    ready = {"type": "Ready", "status": str(pod.ready), "lastTransitionTime": time_of(pod.ready_changed)}
    return {"phase": "Running", "startTime": time_of(pod.started), "conditions": [ready]}
