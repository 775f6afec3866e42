"""The chain from a metric's source to the replicas, link by link, up to the first that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inkmesh.doctor.snapshot import CUSTOM_METRICS, RESOURCE_METRICS, Object, Snapshot
from localmesh.product import Finding

_LOOKS = "An autoscaler looks every 15 s: ask again."
_METRICS_SERVER = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
_ADAPTER = "k8s/components/autoscaling-in-flight/adapter"


def findings(snapshot: Snapshot) -> Iterator[Finding]:
    """Every autoscaler's chain."""
    if snapshot.autoscalers is None or snapshot.deployments is None or snapshot.pods is None:
        step = (
            f"`kubectl -n {snapshot.namespace} get hpa,deployments,pods` says why, and KUBECONFIG which cluster it is."
        )
        yield Finding("API server", False, "it does not answer in time, or not to you", step)
        return
    if not snapshot.autoscalers:
        found = f"there is none in the namespace {snapshot.namespace}"
        yield Finding("HorizontalPodAutoscalers", False, found, "`kubectl apply -k k8s/overlays/mesh` has some.")
    for autoscaler in snapshot.autoscalers:
        for finding in _Chain(snapshot, autoscaler).links():
            yield finding
            if not finding.ok:
                break


class _Chain:
    def __init__(self, snapshot: Snapshot, autoscaler: Object) -> None:
        self._all = snapshot
        self._spec, self._status = autoscaler["spec"], autoscaler.get("status", {})
        self._name: str = autoscaler["metadata"]["name"]
        self._target: str = self._spec["scaleTargetRef"]["name"]
        self._kubectl = f"kubectl -n {snapshot.namespace}"
        self._conditions: dict[str, Object] = {one["type"]: one for one in self._status.get("conditions", [])}

    def links(self) -> Iterator[Finding]:
        deployment = next((one for one in self._all.deployments or [] if one["metadata"]["name"] == self._target), None)
        yield self._link(
            "target", deployment is not None, f"Deployment {self._target}" + ("" if deployment else " is not there"),
            f"Name one in scaleTargetRef; `{self._kubectl} get deployments` lists them.",
        )  # fmt: skip
        if deployment is None:
            return
        wanted, ready = deployment["spec"].get("replicas", 1), deployment.get("status", {}).get("readyReplicas", 0)
        labels = deployment["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = [one for one in self._all.pods or [] if labels.items() <= one["metadata"].get("labels", {}).items()]
        pods = [one for one in pods if "deletionTimestamp" not in one["metadata"]]
        running = [one for one in pods if one.get("status", {}).get("phase") == "Running"]
        least = self._spec.get("minReplicas", 1)
        yield self._link(
            "pods", bool(running), f"{len(running)} of {wanted} run",
            f"`{self._kubectl} scale deployment/{self._target} --replicas={least}`: at 0 autoscaling is off."
            if wanted == 0 else f"`{self._kubectl} describe pods -l {selector}` says why.",
        )  # fmt: skip
        yield self._link(
            "readiness", ready > 0, f"{ready} of {wanted} are ready",
            f"What is not ready is not counted: `{self._kubectl} describe pods -l {selector}`.",
        )  # fmt: skip
        for place, metric in enumerate(self._spec.get("metrics", [])):
            yield from self._metric(metric, place, running)
        yield self._decision()
        limited = self._conditions.get("ScalingLimited", {})
        said = f"{ready} ready of {wanted} wanted ({least} to {self._spec['maxReplicas']})"
        yield self._link(
            "replicas", ready >= wanted, said + (f"; {limited['message']}" if limited.get("status") == "True" else ""),
            f"New ones start, do not become ready, or do not fit: `{self._kubectl} get pods -l {selector}`, "
            f"`{self._kubectl} get events --field-selector reason=FailedCreate`.",
        )  # fmt: skip

    def _metric(self, metric: Object, place: int, pods: list[Object]) -> Iterator[Finding]:
        """Its source, what hands it on, and what the autoscaler has of it."""
        names = {one["metadata"]["name"] for one in pods}
        if metric["type"] == "Resource":
            name = metric["resource"]["name"]
            yield from self._resource(name, pods, names)
        elif metric["type"] == "Pods":
            name = metric["pods"]["metric"]["name"]
            yield from self._of_pods(name, names)
        else:
            name = metric["type"]
        found = self._status.get("currentMetrics") or []
        kind = metric["type"][0].lower() + metric["type"][1:]
        current = found[place].get(kind, {}).get("current") if place < len(found) else None
        target = metric.get(kind, {}).get("target", {})
        yield self._link(
            f"metric {name}", current is not None,
            f"{_amount(current)} of {_amount(target)}" if current is not None else self._said() or "not measured yet",
            f"`{self._kubectl} describe hpa {self._name}` has its events. {_LOOKS}",
        )  # fmt: skip

    def _resource(self, name: str, pods: list[Object], names: set[str]) -> Iterator[Finding]:
        without = {one["name"] for pod in pods for one in _counted(pod) if name not in _requests(one)}
        yield self._link(
            f"requests for {name}", not without,
            f"none by {', '.join(sorted(without))}" if without else "by every container",
            f"Give it resources.requests.{name}: percent are of the request.",
        )  # fmt: skip
        answers = self._all.measured is not None
        yield self._api("metrics-server", RESOURCE_METRICS, answers, f"`kubectl apply -f {_METRICS_SERVER}`")
        measured = names & (self._all.measured or frozenset())
        yield self._link(
            "metrics-server's values", bool(measured), f"of {len(measured)} of {len(names)} pods",
            f"A new pod is measured within a minute; after it: `{self._kubectl} top pods`.",
        )  # fmt: skip

    def _of_pods(self, name: str, names: set[str]) -> Iterator[Finding]:
        scraped, valued = self._all.replicas_scraped, names & self._all.values.get(name, frozenset())
        # The adapter may have another source than ours: with values there is one.
        if scraped or not valued:
            yield self._link(
                "Prometheus", bool(scraped),
                "it does not answer" if scraped is None else f"it knows {scraped} replicas",
                f"`{self._kubectl} get pods -l app=prometheus`; it is the component monitoring." if scraped is None
                else f"`{self._kubectl} port-forward svc/prometheus 9090`, then localhost:9090/targets; in a mesh it "
                "needs the component monitoring-mesh.",
            )  # fmt: skip
        install = f"`kubectl create namespace monitoring; kubectl apply -k {_ADAPTER}`"
        yield self._api("adapter", CUSTOM_METRICS, self._all.custom is not None, install)
        known = name in (self._all.custom or frozenset())
        yield self._link(
            "adapter's rule", known, f"it offers {'' if known else 'no '}{name}",
            f"Compare its rule with {_ADAPTER}/config.yaml. It asks Prometheus every 15 s: see its log.",
        )  # fmt: skip
        yield self._link(
            "adapter's values", bool(valued), f"of {len(valued)} of {len(names)} pods",
            f"`kubectl get --raw '/apis/{CUSTOM_METRICS}/v1beta1/namespaces/{self._all.namespace}/pods/*/{name}'`.",
        )  # fmt: skip

    def _api(self, subject: str, group: str, answers: bool, install: str) -> Finding:
        """Whether the API server has somebody to ask, who answers: it notices late that somebody is gone."""
        service = self._all.apis.get(group)
        if service is None:
            return self._link(subject, False, f"no API {group} is registered", f"{install}.")
        conditions = {one["type"]: one for one in service.get("status", {}).get("conditions", [])}
        available: Object = conditions.get("Available", {})
        where = service["spec"].get("service") or {"namespace": "default", "name": subject}
        there = available.get("status") == "True"
        said = available.get("message", "not looked at yet") if answers or not there else "nobody answers"
        return self._link(
            subject, there and answers, f"{group}: {said}",
            f"`kubectl -n {where['namespace']} get service,endpointslices,pods`, and the log of {where['name']}'s pod.",
        )  # fmt: skip

    def _decision(self) -> Finding:
        """What it says of itself: that it cannot act, or how it came to its number."""
        found = [one for kind in ("AbleToScale", "ScalingActive") if (one := self._conditions.get(kind))]
        if not found:
            return self._link("decision", False, "none yet", _LOOKS)
        one = next((one for one in found if one["status"] != "True"), found[-1])
        said = f"{one.get('reason', '')}: {one.get('message', '')}"
        return self._link("decision", one["status"] == "True", said, f"`{self._kubectl} describe hpa {self._name}`.")

    def _said(self) -> str:
        """The last failure that the autoscaler told of."""
        mine = [
            one for one in self._all.events
            if one["involvedObject"].get("kind") == "HorizontalPodAutoscaler"
            and one["involvedObject"].get("name") == self._name
            and one.get("reason", "").startswith("FailedGet")
        ]  # fmt: skip
        last: Any = max(mine, key=lambda one: one.get("lastTimestamp") or "", default={})
        return str(last.get("message", ""))

    def _link(self, subject: str, ok: bool, found: str, next_step: str) -> Finding:
        return Finding(f"{self._name}: {subject}", ok, found, "" if ok else next_step)


def _counted(pod: Object) -> list[Object]:
    """The containers whose usage and requests count: a sidecar among them, though it be an init container."""
    spec = pod["spec"]
    return [
        *spec["containers"],
        *(one for one in spec.get("initContainers", []) if one.get("restartPolicy") == "Always"),
    ]


def _requests(container: Object) -> Object:
    resources: Object = container.get("resources", {})
    return {**resources.get("limits", {}), **resources.get("requests", {})}


def _amount(of: Object) -> str:
    """A target's or a current value."""
    if "averageUtilization" in of:
        return f"{of['averageUtilization']} %"
    return str(of.get("averageValue") or of.get("value"))
