"""A Kubernetes cluster: loaded through its ingress, watched through its API server."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator, Mapping
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
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
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
        self._told: dict[str, sidecars.Counts] = {}

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
        asked = time.time()
        told = await asyncio.gather(*(self._counts(pod) for pod in pods))
        return {
            "t": (asked + time.time()) / 2,  # when they counted: under load an answer takes a while
            "scenario": scenario([*(services or []), *(rules or [])]),
            "workloads": workloads(deployments, pods),
            "served": served(pods, told),
            "autoscalers": [metric for one in scalers for metric in measured(one)],
            "envoy": envoys(pods, self._last(pods, told)),
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

    def _last(self, pods: Objects, told: list[sidecars.Counts | None]) -> list[sidecars.Counts | None]:
        """With what a sidecar told before where it does not answer: a missing part would look like new events later."""
        names = [pod["metadata"]["name"] for pod in pods]
        answers = zip(names, told, strict=True)
        self._told = {name: last for name, one in answers if (last := one or self._told.get(name)) is not None}
        return [self._told.get(name) for name in names]

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
            found[name] = found.get(name, 0.0) + quantity(container["usage"]["cpu"])
    return found


def measured(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each metric of an autoscaler against its target: CPU in percent of its request, a metric of the pods as it is."""
    spec, found = one["spec"], one.get("status", {}).get("currentMetrics") or []
    for place, wanted in enumerate(spec.get("metrics", [])):
        if wanted["type"] == "Resource":
            name, field, unit = wanted["resource"]["name"], "averageUtilization", "percent of request"
        elif wanted["type"] == "Pods":
            name, field, unit = wanted["pods"]["metric"]["name"], "averageValue", "a replica"
        else:
            continue
        kind = wanted["type"].lower()
        # What could not be measured has an empty place among the current ones.
        current = found[place] if place < len(found) else {}
        now = current.get(kind, {}).get("current", {}).get(field)
        target = wanted[kind]["target"].get(field)
        yield {
            "workload": spec["scaleTargetRef"]["name"],
            "metric": name,
            "current": None if now is None else quantity(str(now)),
            "target": None if target is None else quantity(str(target)),
            "unit": unit,
            "min": spec.get("minReplicas", 1),
            "max": spec["maxReplicas"],
        }


def quantity(text: str) -> float:
    """`12345678n`, `250m`, `1` or `2k`, as Kubernetes writes numbers."""
    unit = _UNITS.get(text[-1])
    return float(text) if unit is None else float(text[:-1]) * unit


def _deployment(pod: dict[str, Any]) -> str:
    """A pod's name is its Deployment's, its ReplicaSet's hash, and one of its own."""
    return str(pod["metadata"]["name"]).rsplit("-", 2)[0]
