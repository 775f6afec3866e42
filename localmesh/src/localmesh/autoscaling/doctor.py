"""`doctor hpa`: the chain from the metric's source to the replicas, link by link, up to the first that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localmesh.autoscaling.own_metrics import PATH
from localmesh.product import Finding
from localmesh.session import Session


def examine_autoscalers(session: Session) -> list[Finding]:
    """Every HorizontalPodAutoscaler's chain. Raises LocalmeshError when nothing runs."""
    name = session.product.name
    status = session.ask("status", timeout=5)
    autoscalers = status.get("autoscalers") or []
    if not autoscalers:
        step = f"Add an autoscaling/v2 HorizontalPodAutoscaler to what {status['overlay']} renders."
        return [Finding("HorizontalPodAutoscalers", False, "there is none in force", step)]
    workloads = {one["name"]: one for one in status["workloads"]}
    found: list[Finding] = []
    for autoscaler in autoscalers:
        for finding in _chain(autoscaler, workloads.get(autoscaler["workload"]), name):
            found.append(finding)
            if not finding.ok:
                break
    return found


def _chain(hpa: dict[str, Any], workload: dict[str, Any] | None, command: str) -> Iterator[Finding]:
    name, target = hpa["name"], hpa["workload"]
    yield Finding(
        f"{name}: target", workload is not None, f"Deployment {target}" if workload else hpa["message"],
        f"Name a Deployment of the overlay in scaleTargetRef; `{command} status` lists them.",
    )  # fmt: skip
    if workload is None:
        return
    replicas = workload["replicas"]
    running = sum(one["pid"] is not None for one in replicas)
    wanted = workload["desired"]
    yield Finding(
        f"{name}: processes", running > 0, f"{running} of {wanted} run",
        f"`{command} scale {target} {hpa['min']}`: at 0 autoscaling is off." if wanted == 0
        else f"`{command} logs {target}` says why they end.",
    )  # fmt: skip
    ready = sum(one["ready"] for one in replicas)
    yield Finding(
        f"{name}: readiness", ready > 0, f"{ready} of {wanted} are ready",
        f"What is not ready is not counted: `{command} logs {target}`.",
    )  # fmt: skip
    for metric in hpa["metrics"]:
        yield _metric(hpa, metric, command)
    active = hpa["active"] is not False
    said = hpa["message"] if hpa["reason"] else f"every {hpa['period']:g} s"
    yield Finding(f"{name}: decision", active, f"{hpa['reason'] or 'none yet'}: {said}", _step(hpa, command))
    yield Finding(
        f"{name}: replicas", ready >= wanted, f"{ready} ready of {wanted} wanted ({hpa['min']} to {hpa['max']})",
        f"New ones start, or do not become ready: `{command} logs {target}`.",
    )  # fmt: skip


def _metric(hpa: dict[str, Any], metric: dict[str, Any], command: str) -> Finding:
    subject = f"{hpa['name']}: metric {metric['name']}"
    if metric["current"] is None:
        return Finding(subject, False, hpa["message"] or "not measured", _step(hpa, command))
    asks = f"asks for {metric['asks_for']}"
    return Finding(subject, True, f"{metric['current']} of {metric['target']} {metric['unit']}: {asks}")


def _step(hpa: dict[str, Any], command: str) -> str:
    if "request" in hpa["message"]:
        return f"Give the container of {hpa['workload']} resources.requests.cpu: percent are of the request."
    if hpa["reason"] == "FailedGetPodsMetric":
        return f"Replicas are to serve its counter at {PATH}; they are asked twice before it is known."
    if hpa["reason"] == "ScalingDisabled":
        return f"`{command} scale {hpa['workload']} {hpa['min']}`."
    return f"A replica is measured from look to look: ask again in {2 * hpa['period']:g} s."
