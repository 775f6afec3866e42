"""A Kubernetes cluster: loaded through its ingress, watched with kubectl alone."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from inkmesh.load.target import verdict
from localmesh.errors import LocalmeshError

NAMESPACE = "inkmesh"
_DEADLINE_SECONDS = 10.0
_AUDIT_SECONDS = 60.0
_METRICS_SECONDS = 15.0
"""How often metrics-server looks by default."""
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3}
_NO_ENVOY = {"ejected": 0, "ejections": 0, "retries": 0, "refused": 0, "restarts": 0}


class Cluster:
    """What kubectl tells of the product's namespace. Envoys' counters are theirs alone, and not asked."""

    def __init__(self, host: str, namespace: str = NAMESPACE) -> None:
        self.host = host
        self._namespace = namespace
        self._cpu: dict[str, float] = {}
        self._measured = -_METRICS_SECONDS

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Cluster:
        """The cluster of KUBECONFIG, by its ingress at INGRESS_URL. Raises LocalmeshError when there is none."""
        host = environment.get("INGRESS_URL", "")
        if not host:
            raise LocalmeshError("INGRESS_URL is not set", "Set it to the URL of the cluster's ingress gateway.")
        return cls(host.rstrip("/"), environment.get("INKMESH_NAMESPACE", NAMESPACE))

    async def sample(self) -> dict[str, Any] | None:
        """As target.Target has it."""
        asked = asyncio.to_thread(self._kubectl, "get", "deployments,hpa,pods", "-o", "json")
        found, _ = await asyncio.gather(asked, asyncio.to_thread(self._measure))
        if found is None or found.returncode != 0:
            return None
        return read(json.loads(found.stdout)["items"], time.time()) | {"cpu": self._cpu}

    async def close(self) -> None:
        """Nothing is open."""

    def audit(self) -> dict[str, Any]:
        """`payment audit` in a pod of payment."""
        words = ("exec", "deploy/payment", "-c", "payment", "--", "python", "-m", "payment", "audit")
        done = self._kubectl(*words, seconds=_AUDIT_SECONDS)
        if done is None:
            return {"code": None, "said": "kubectl could not be run, or took too long"}
        return verdict(done.returncode, done.stdout + done.stderr)

    def _measure(self) -> None:
        """Each pod's CPU as metrics-server has it; none where there is no metrics-server."""
        if time.monotonic() - self._measured < _METRICS_SECONDS:
            return
        self._measured = time.monotonic()
        found = self._kubectl("get", "--raw", f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._namespace}/pods")
        self._cpu = usage(json.loads(found.stdout)["items"]) if found and found.returncode == 0 else {}

    def _kubectl(self, *words: str, seconds: float = _DEADLINE_SECONDS) -> subprocess.CompletedProcess[str] | None:
        command = ["kubectl", "-n", self._namespace, *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None


def read(items: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """Kubernetes' objects as a sample."""
    deployments = [one for one in items if one["kind"] == "Deployment"]
    restarts = _restarts(items)
    return {
        "t": now,
        "scenario": None,
        "workloads": {
            one["metadata"]["name"]: {
                "desired": one["spec"].get("replicas", 1),
                "ready": one.get("status", {}).get("readyReplicas", 0),
                "restarts": restarts.get(one["metadata"]["name"], 0),
            }
            for one in deployments
        },
        "served": {},
        "autoscalers": [_autoscaler(one) for one in items if one["kind"] == "HorizontalPodAutoscaler"],
        "envoy": dict(_NO_ENVOY),
        "cpu": {},
    }


def usage(items: list[dict[str, Any]]) -> dict[str, float]:
    """PodMetrics as pod → cores, all containers together."""
    return {
        one["metadata"]["name"]: sum(_cores(container["usage"]["cpu"]) for container in one["containers"])
        for one in items
    }


def _cores(quantity: str) -> float:
    """`12345678n`, `250m` or `1`."""
    unit = _UNITS.get(quantity[-1])
    return float(quantity) if unit is None else float(quantity[:-1]) * unit


def _restarts(items: list[dict[str, Any]]) -> dict[str, int]:
    """By Deployment: its pods' names are its own, its ReplicaSet's hash, and one of their own."""
    found: dict[str, int] = {}
    for one in items:
        if one["kind"] == "Pod":
            name = one["metadata"]["name"].rsplit("-", 2)[0]
            statuses = one.get("status", {}).get("containerStatuses", [])
            found[name] = found.get(name, 0) + sum(its["restartCount"] for its in statuses)
    return found


def _autoscaler(one: dict[str, Any]) -> dict[str, Any]:
    """The first resource metric is what is drawn."""
    spec, status = one["spec"], one.get("status", {})
    targets = [its["resource"]["target"] for its in spec.get("metrics", []) if its["type"] == "Resource"]
    currents = [its["resource"]["current"] for its in status.get("currentMetrics") or [] if its["type"] == "Resource"]
    return {
        "workload": spec["scaleTargetRef"]["name"],
        "current": currents[0].get("averageUtilization") if currents else None,
        "target": targets[0].get("averageUtilization") if targets else None,
        "unit": "percent of request",
        "min": spec.get("minReplicas", 1),
        "max": spec["maxReplicas"],
    }
