"""What can be asked of a running copy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from localmesh.control import Verb
from localmesh.errors import LocalmeshError
from localmesh.status import status
from localmesh.supervisor import Supervisor

_MOST_REPLICAS = 50


class Verbs:
    """The control socket's verbs on one supervisor."""

    def __init__(self, supervisor: Supervisor, envoy_version: str, stopping: asyncio.Event) -> None:
        self._supervisor = supervisor
        self._envoy_version = envoy_version
        self._stopping = stopping

    def table(self) -> dict[str, Verb]:
        """Verb by its name on the socket."""
        return {
            "status": self._status,
            "scenario": self._scenario,
            "kill": self._kill,
            "scale": self._scale,
            "restart": self._restart,
            "down": self._down,
        }

    async def _status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return status(self._supervisor, self._envoy_version)

    async def _scenario(self, question: Mapping[str, Any]) -> dict[str, Any]:
        plan = await self._supervisor.change(question["name"])
        return {"scenario": plan.scenario}

    async def _kill(self, question: Mapping[str, Any]) -> dict[str, Any]:
        killed = self._supervisor.find(question["workload"]).kill()
        if killed is None:
            raise LocalmeshError(f"{question['workload']} has no process now", "See `status`.")
        return {"replica": killed[0], "pid": killed[1]}

    async def _scale(self, question: Mapping[str, Any]) -> dict[str, Any]:
        count = int(question["replicas"])
        if not 0 <= count <= _MOST_REPLICAS:
            raise LocalmeshError(f"{count} replicas are not possible", f"Take a number from 0 to {_MOST_REPLICAS}.")
        workload = self._supervisor.find(question["workload"])
        before = workload.desired
        await workload.scale(count)
        autoscaling = self._supervisor.autoscaling
        autoscaler = autoscaling.of(question["workload"])
        decides = {"name": autoscaler.name, "period": autoscaling.period} if autoscaler else None
        return {"before": before, "now": count, "autoscaler": decides}

    async def _restart(self, question: Mapping[str, Any]) -> dict[str, Any]:
        workload = self._supervisor.find(question["workload"])
        await workload.restart()
        return {"replicas": [replica.name for replica in workload.replicas]}

    async def _down(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._stopping.set()
        return {}
