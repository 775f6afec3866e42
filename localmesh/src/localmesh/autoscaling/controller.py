"""The loop: every so often look at each HorizontalPodAutoscaler's workload, decide, and scale it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localmesh.autoscaling.behavior import History
from localmesh.autoscaling.own_metrics import OwnMetrics
from localmesh.autoscaling.pods import Pod, Proposal, Target, Usage, name_of
from localmesh.autoscaling.recommend import Decision, recommend
from localmesh.autoscaling.usage import Meter
from localmesh.manifests.autoscaler import milli
from localmesh.manifests.model import Autoscaler, CpuTarget, PodsTarget
from localmesh.replica import Replica
from localmesh.workload import Workload

SYNC_SECONDS = 15.0
"""kube-controller-manager's --horizontal-pod-autoscaler-sync-period."""


@dataclass
class _Watched:
    own: OwnMetrics
    meter: Meter = field(default_factory=Meter)
    history: History = field(default_factory=History)
    decision: Decision | None = None


class Autoscaling:
    """Acts on the autoscalers in force. `workloads` are those that run, by name."""

    def __init__(
        self,
        autoscalers: Callable[[], Sequence[Autoscaler]],
        workloads: Mapping[str, Workload],
        say: Callable[[str], None],
        period: float = SYNC_SECONDS,
        counters: Mapping[str, str] | None = None,
    ) -> None:
        """`period`: seconds between two looks; `counters`: as product.Product has them."""
        self.period = period
        self._autoscalers = autoscalers
        self._workloads = workloads
        self._say = say
        self._counters = counters or {}
        self._watched: dict[str, _Watched] = {}

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self.sync(time.monotonic())
            await asyncio.sleep(self.period)

    async def sync(self, now: float) -> None:
        """One look at each; returns when what is to change has begun to."""
        autoscalers = self._autoscalers()
        self._watched = {one.name: self._watched.get(one.name) or self._new() for one in autoscalers}
        for autoscaler in autoscalers:
            workload = self._workloads.get(autoscaler.target)
            # While a rollout or a verb is under way, the next look will do.
            if workload is not None and not workload.busy:
                await self._act(autoscaler, workload, now)

    def of(self, workload: str) -> Autoscaler | None:
        """The one that scales that workload."""
        return next((one for one in self._autoscalers() if one.target == workload), None)

    def status(self) -> list[dict[str, Any]]:
        """Each as `status --json` has it: metrics against targets, what is wanted, the bounds, and why."""
        return [self._status_of(one) for one in self._autoscalers()]

    async def _act(self, autoscaler: Autoscaler, workload: Workload, now: float) -> None:
        watched = self._watched[autoscaler.name]
        replicas = workload.replicas
        pids = [replica.process.pid for replica in replicas if replica.process]
        usages = watched.meter.look(pids, now)
        names = [one.name for one in autoscaler.metrics if isinstance(one, PodsTarget)]
        own = await watched.own.look(replicas, names, now)
        if workload.busy:  # since then
            return
        before = workload.desired
        pods = [pod_of(replica, usages, own.get(replica.name, {})) for replica in replicas]
        decision = recommend(autoscaler, before, pods, watched.history, now)
        watched.history, watched.decision = decision.history, decision
        if decision.replicas != before:
            await workload.resize(decision.replicas)
            pairs = zip(autoscaler.metrics, decision.metrics, strict=True)
            measured = ", ".join(f"{name_of(target)} {shown(target, proposal)}" for target, proposal in pairs)
            self._say(f"{autoscaler.target}: {before} → {decision.replicas} replicas (autoscaler: {measured})")

    def _new(self) -> _Watched:
        return _Watched(OwnMetrics(self._counters))

    def _status_of(self, autoscaler: Autoscaler) -> dict[str, Any]:
        watched = self._watched.get(autoscaler.name)
        workload = self._workloads.get(autoscaler.target)
        decision = watched.decision if watched and workload else None
        currents = decision.metrics if decision else (None,) * len(autoscaler.metrics)
        return {
            "name": autoscaler.name,
            "workload": autoscaler.target,
            "min": autoscaler.min_replicas,
            "max": autoscaler.max_replicas,
            "desired": workload.desired if workload else None,
            "metrics": [
                {
                    "name": name_of(target),
                    "unit": _unit(target),
                    "current": proposal.current if proposal else None,
                    "target": _goal(target),
                    "asks_for": proposal.replicas if proposal else None,
                }
                for target, proposal in zip(autoscaler.metrics, currents, strict=False)
            ],
            "active": decision.active if decision else None,
            "reason": decision.reason if decision else "" if workload else "FailedGetScale",
            "message": decision.message if decision else _not_yet(autoscaler, workload),
            "period": self.period,
        }


def _not_yet(autoscaler: Autoscaler, workload: Workload | None) -> str:
    return "not looked at yet" if workload else f"there is no Deployment `{autoscaler.target}`"


def shown(target: Target, proposal: Proposal | None) -> str:
    """As kubectl shows it: `83%/50%`, `120m/100m`, `<unknown>/50%`."""
    unit = "%" if _unit(target).startswith("percent") else "m"
    current = f"{proposal.current}{unit}" if proposal else "<unknown>"
    return f"{current}/{_goal(target)}{unit}"


def _unit(target: Target) -> str:
    if isinstance(target, PodsTarget):
        return "thousandths a replica"
    return "percent of request" if target.utilization is not None else "milli-CPU"


def _goal(target: Target) -> int:
    if isinstance(target, CpuTarget) and target.utilization is not None:
        return target.utilization
    return target.milli


def pod_of(replica: Replica, usages: Mapping[int, Usage], own: Mapping[str, int]) -> Pod:
    """A replica as the algorithm sees it."""
    process = replica.process
    requested = replica.deployment.container.requests.get("cpu")
    return Pod(
        name=replica.name,
        request=milli(requested) if requested is not None else None,
        started=replica.started,
        ready=replica.ready,
        ready_changed=replica.ready_changed,
        usage=usages.get(process.pid) if process else None,
        pending=process is None and replica.restarts == 0,
        metrics=own,
    )
