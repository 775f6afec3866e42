"""The running copy on this machine: its `status`, Envoy's and the services' metrics, and the CPU of each process."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import psutil

from inkmesh.load import drift
from inkmesh.load.target import verdict
from localmesh.errors import LocalmeshError
from localmesh.session import Session

_ENVOY = re.compile(
    r"^cluster\..*?\.(?P<what>outlier_detection\.ejections_active|outlier_detection\.ejections_enforced_total"
    r"|upstream_rq_retry|upstream_rq_pending_overflow): (?P<count>\d+)$"
)
_FILTER = "outlier_detection.ejections_(active|enforced_total)$|upstream_rq_retry$|upstream_rq_pending_overflow$"
_NAMES = {
    "outlier_detection.ejections_active": "ejected",
    "outlier_detection.ejections_enforced_total": "ejections",
    "upstream_rq_retry": "retries",
    "upstream_rq_pending_overflow": "refused",
}
_SERVED = re.compile(r"^inkmesh_requests_total\{(?P<labels>[^}]*)\} (?P<count>[\d.e+]+)$", re.MULTILINE)
_OWN = ('route="/healthz', 'route="/metrics', "Health/")
_DEADLINE_SECONDS = 0.8
_AUDIT_SECONDS = 60.0


class Laptop:
    """Asks everything at the same time. What does not answer in time is left out of that second."""

    def __init__(self, session: Session) -> None:
        """Raises LocalmeshError when nothing runs."""
        self._session = session
        self.host: str = session.ask("status", timeout=5)["ingress"]
        self._http = httpx.AsyncClient(timeout=_DEADLINE_SECONDS, trust_env=False)
        self._processes: dict[int, psutil.Process] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def sample(self) -> dict[str, Any] | None:
        """One second's line; None when the copy does not answer."""
        try:
            status = await asyncio.to_thread(self._session.ask, "status", timeout=2)
        except LocalmeshError:
            return None
        replicas = [(workload, one) for workload in status["workloads"] for one in workload["replicas"]]
        metrics = await asyncio.gather(*(self._metrics(one["own"].get("http")) for _, one in replicas))
        envoy = await self._envoy(status["envoy"]["admin"])
        pids = {one["name"]: one["pid"] for _, one in replicas if one["pid"]}
        if envoys := status["envoy"].get("pid"):
            pids["envoy"] = envoys
        return {
            "t": time.time(),
            "scenario": status["scenario"],
            "workloads": {
                workload["name"]: {
                    "desired": workload["desired"],
                    "ready": sum(one["ready"] for one in workload["replicas"]),
                    "restarts": sum(one["restarts"] for one in workload["replicas"]),
                }
                for workload in status["workloads"]
            },
            "served": {
                one["name"]: {"workload": workload["name"], "count": _served(text)}
                for (workload, one), text in zip(replicas, metrics, strict=True)
                if text is not None
            },
            "drift": _drift((workload["name"], text) for (workload, _), text in zip(replicas, metrics, strict=True)),
            "autoscalers": [metric for one in status.get("autoscalers", []) for metric in _measured(one)],
            "envoy": {**envoy, "restarts": status["envoy"].get("restarts", 0)},
            "cpu": {name: round(used, 3) for name, pid in pids.items() if (used := self._cpu(pid)) is not None},
        }

    def audit(self) -> dict[str, Any]:
        """`python -m payment audit`, with the environment of a payment process that runs."""
        try:
            status = self._session.ask("status", timeout=5)
            payment = next(one for one in status["workloads"] if one["service"] == "payment")
            done = subprocess.run(
                [sys.executable, "-m", "payment", "audit"],
                env=psutil.Process(payment["replicas"][0]["pid"]).environ(),
                capture_output=True, text=True, timeout=_AUDIT_SECONDS, check=False,
            )  # fmt: skip
        except (
            LocalmeshError,
            StopIteration,
            LookupError,
            TypeError,
            psutil.Error,
            subprocess.SubprocessError,
        ) as error:
            return {"code": None, "said": f"payment could not be asked: {error!r}"}
        return verdict(done.returncode, done.stdout + done.stderr)

    async def _metrics(self, address: str | None) -> str | None:
        """What a replica tells of itself."""
        if address is None:
            return None
        try:
            return (await self._http.get(f"http://{address}/metrics")).text
        except httpx.HTTPError:
            return None

    async def _envoy(self, admin: str) -> dict[str, int]:
        found = dict.fromkeys(_NAMES.values(), 0)
        try:
            text = (await self._http.get(f"{admin}/stats", params={"filter": _FILTER, "usedonly": ""})).text
        except httpx.HTTPError:
            return found
        for line in text.splitlines():
            if match := _ENVOY.match(line):
                found[_NAMES[match["what"]]] += int(match["count"])
        return found

    def _cpu(self, pid: int) -> float | None:
        """Cores that it used since the second before; None the first time."""
        try:
            if pid in self._processes:
                return self._processes[pid].cpu_percent() / 100
            process = self._processes[pid] = psutil.Process(pid)
            process.cpu_percent()
        except psutil.Error:
            self._processes.pop(pid, None)
        return None


def _served(metrics: str) -> float:
    """How many requests a replica served since it started, without probes and metrics."""
    found = _SERVED.finditer(metrics)
    return sum(float(one["count"]) for one in found if not any(own in one["labels"] for own in _OWN))


def _drift(metrics: Iterable[tuple[str, str | None]]) -> dict[str, float]:
    """Of each workload that reads digits, the replica that is furthest off."""
    found: dict[str, float] = {}
    for workload, text in metrics:
        if text is not None and (index := drift.measured(text)) is not None:
            found[workload] = max(index, found.get(workload, 0.0))
    return found


def _measured(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each metric of an autoscaler."""
    for metric in one["metrics"]:
        yield {
            "workload": one["workload"],
            "metric": metric["name"],
            "current": metric["current"],
            "target": metric["target"],
            "unit": metric["unit"],
            "min": one["min"],
            "max": one["max"],
        }
