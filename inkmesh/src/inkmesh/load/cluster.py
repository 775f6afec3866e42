"""A Kubernetes cluster: loaded through its ingress, watched through its API server."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from inkmesh.load import sidecars
from inkmesh.load.api_server import ApiServer
from inkmesh.load.target import verdict
from localmesh.errors import LocalmeshError

NAMESPACE = "inkmesh"
SCENARIO = "inkmesh/scenario"
"""The annotation that a scenario's patch leaves on what it changes."""
_AUDIT_SECONDS = 60.0
_METRICS_SECONDS = 15.0
"""How often metrics-server looks by default."""
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3}
_APPS = "/apis/apps/v1"
_SCALING = "/apis/autoscaling/v2"
_MESH = "/apis/networking.istio.io/v1"
_METRICS = "/apis/metrics.k8s.io/v1beta1"

Objects = list[dict[str, Any]]


class Cluster:
    """What the API server tells of the product's namespace, and each pod's sidecar of its calls."""

    def __init__(self, host: str, namespace: str = NAMESPACE) -> None:
        self.host = host
        self._namespace = namespace
        self._api = ApiServer()
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
        deployments, pods, scalers, services, rules, _ = await asyncio.gather(
            self._list(_APPS, "deployments"),
            self._list("/api/v1", "pods"),
            self._list(_SCALING, "horizontalpodautoscalers"),
            self._list(_MESH, "virtualservices"),
            self._list(_MESH, "destinationrules"),
            self._measure(),
        )
        if deployments is None or pods is None or scalers is None:
            return None
        told = await asyncio.gather(*(self._counts(pod) for pod in pods))
        return {
            "t": time.time(),
            "scenario": scenario([*(services or []), *(rules or [])]),
            "workloads": workloads(deployments, pods),
            "served": served(pods, told),
            "autoscalers": [autoscaler(one) for one in scalers],
            "envoy": envoys(pods, told),
            "cpu": self._cpu,
        }

    async def close(self) -> None:
        """End what asks the API server."""
        await self._api.close()

    def audit(self) -> dict[str, Any]:
        """`payment audit` in a pod of payment."""
        words = ("exec", "deploy/payment", "-c", "payment", "--", "python", "-m", "payment", "audit")
        command = ["kubectl", "-n", self._namespace, *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_AUDIT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return {"code": None, "said": "kubectl could not be run, or took too long"}
        return verdict(done.returncode, done.stdout + done.stderr)

    async def _list(self, group: str, kind: str) -> Objects | None:
        return await self._api.items(f"{group}/namespaces/{self._namespace}/{kind}")

    async def _counts(self, pod: dict[str, Any]) -> sidecars.Counts | None:
        """What a pod's sidecar counts; None without one."""
        if not sidecars.runs(pod):
            return None
        address = f"/api/v1/namespaces/{self._namespace}/pods/{pod['metadata']['name']}:{sidecars.PORT}/proxy"
        text = await self._api.text(f"{address}/{sidecars.PATH}", filter=sidecars.FILTER)
        return None if text is None else sidecars.counts(text)

    async def _measure(self) -> None:
        """Each pod's CPU as metrics-server has it; none where there is no metrics-server."""
        if time.monotonic() - self._measured >= _METRICS_SECONDS:
            self._measured = time.monotonic()
            self._cpu = usage(await self._list(_METRICS, "pods") or [])


def scenario(objects: Objects) -> str | None:
    """The scenarios in force, by the annotations of what they changed; None when there are none."""
    found = {one["metadata"].get("annotations", {}).get(SCENARIO) for one in objects} - {None}
    return ", ".join(sorted(found)) or None


def workloads(deployments: Objects, pods: Objects) -> dict[str, Any]:
    """Each Deployment's wanted and ready replicas, and how often containers of its pods were started again."""
    restarts: dict[str, int] = {}
    for pod in pods:
        name = _deployment(pod)
        restarts[name] = restarts.get(name, 0) + sum(one["restartCount"] for one in sidecars.statuses(pod))
    return {
        one["metadata"]["name"]: {
            "desired": one["spec"].get("replicas", 1),
            "ready": one.get("status", {}).get("readyReplicas", 0),
            "restarts": restarts.get(one["metadata"]["name"], 0),
        }
        for one in deployments
    }


def served(pods: Objects, told: list[sidecars.Counts | None]) -> dict[str, Any]:
    """Requests into each pod that has a sidecar; its name without the ReplicaSet's hash, as charts have little room."""
    return {
        f"{_deployment(pod)}-{pod['metadata']['name'].rsplit('-', 1)[-1]}": {
            "workload": _deployment(pod),
            "count": counts.served,
        }
        for pod, counts in zip(pods, told, strict=True)
        if counts is not None
    }


def envoys(pods: Objects, told: list[sidecars.Counts | None]) -> dict[str, int]:
    """What all sidecars counted of their pods' calls, and how often one was started again."""
    every = [counts.envoy for counts in told if counts is not None]
    total = {name: sum(one[name] for one in every) for name in sidecars.Counts().envoy}
    return total | {"restarts": sum(sidecars.restarts(pod) for pod in pods)}


def usage(items: Objects) -> dict[str, float]:
    """PodMetrics as pod → cores without its sidecar; `envoy` is all sidecars together."""
    found: dict[str, float] = {}
    for pod in items:
        for container in pod["containers"]:
            name = "envoy" if container["name"] == sidecars.CONTAINER else pod["metadata"]["name"]
            found[name] = found.get(name, 0.0) + _cores(container["usage"]["cpu"])
    return found


def autoscaler(one: dict[str, Any]) -> dict[str, Any]:
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


def _cores(quantity: str) -> float:
    """`12345678n`, `250m` or `1`."""
    unit = _UNITS.get(quantity[-1])
    return float(quantity) if unit is None else float(quantity[:-1]) * unit


def _deployment(pod: dict[str, Any]) -> str:
    """A pod's name is its Deployment's, its ReplicaSet's hash, and one of its own."""
    return str(pod["metadata"]["name"]).rsplit("-", 2)[0]
