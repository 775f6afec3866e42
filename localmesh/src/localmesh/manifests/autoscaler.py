"""Reading a HorizontalPodAutoscaler, with the defaults that the API server fills in."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from localmesh.kustomize import Document
from localmesh.manifests.model import Autoscaler, CpuTarget, PodsTarget, ScalingPolicy, ScalingRules
from localmesh.manifests.node import Node

DEFAULT_UTILIZATION = 80
_UP = ScalingRules((ScalingPolicy("Pods", 4, 15), ScalingPolicy("Percent", 100, 15)), window=0)
_DOWN = ScalingRules((ScalingPolicy("Percent", 100, 15),))
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800
_QUANTITY = re.compile(r"[0-9.]+m?")


def read_autoscaler(document: Document) -> Autoscaler:
    """A HorizontalPodAutoscaler that scales a Deployment by its replicas' CPU or own metrics. Raises ManifestError."""
    top = Node(document, document.body, "")
    if document.api_version != "autoscaling/v2":
        raise top.error("apiVersion", "must be autoscaling/v2")
    spec = top.node("spec")
    target = spec.node("scaleTargetRef")
    target.take("apiVersion", str, "apps/v1")
    target.choose("kind", ("Deployment",))
    behavior = spec.node("behavior")
    up, down = behavior.maybe("scaleUp"), behavior.maybe("scaleDown")
    behavior.done()
    autoscaler = Autoscaler(
        name=document.name,
        namespace=document.identity.namespace,
        target=target.take("name", str),
        min_replicas=spec.take("minReplicas", int, 1),
        max_replicas=spec.take("maxReplicas", int),
        metrics=tuple(_metric(node) for node in spec.nodes("metrics")) or (CpuTarget(DEFAULT_UTILIZATION),),
        scale_up=_rules(up, _UP) if up or down else None,
        scale_down=_rules(down, _DOWN) if up or down else None,
    )
    target.done()
    if not 1 <= autoscaler.min_replicas <= autoscaler.max_replicas:
        raise spec.error("minReplicas", f"must be from 1 to maxReplicas ({autoscaler.max_replicas})")
    spec.done()
    return autoscaler


def milli(text: str) -> int:
    """A quantity of CPU, as `100m`, `1` or `0.5`, in thousandths, rounded up. Raises ValueError."""
    if not _QUANTITY.fullmatch(text):
        raise ValueError(f"`{text}` is not a quantity of CPU")
    try:
        return math.ceil(Decimal(text[:-1]) if text.endswith("m") else Decimal(text) * 1000)
    except InvalidOperation:
        raise ValueError(f"`{text}` is not a quantity of CPU") from None


def _metric(node: Node) -> CpuTarget | PodsTarget:
    if node.choose("type", ("Resource", "Pods")) == "Pods":
        return _pods_metric(node)
    resource = node.node("resource")
    resource.choose("name", ("cpu",))
    target = resource.node("target")
    found: CpuTarget
    if target.choose("type", ("Utilization", "AverageValue")) == "Utilization":
        found = CpuTarget(target.take("averageUtilization", int))
    else:
        found = CpuTarget(None, _milli(target, "averageValue"))
    if (found.utilization or found.milli) <= 0:
        raise target.error("", "must be more than 0")
    for one in (target, resource, node):
        one.done()
    return found


def _pods_metric(node: Node) -> PodsTarget:
    pods = node.node("pods")
    metric, target = pods.node("metric"), pods.node("target")
    target.choose("type", ("AverageValue",))
    found = PodsTarget(metric.take("name", str), _milli(target, "averageValue"))
    if found.milli <= 0:
        raise target.error("averageValue", "must be more than 0")
    for one in (metric, target, pods, node):
        one.done()
    return found


def _rules(node: Node | None, default: ScalingRules) -> ScalingRules:
    if node is None:
        return default
    policies = tuple(_policy(one) for one in node.nodes("policies"))
    window: int | None = default.window
    if node.peek("stabilizationWindowSeconds") is not None:
        window = node.take("stabilizationWindowSeconds", int)
        if not 0 <= window <= _LONGEST_WINDOW:
            raise node.error("stabilizationWindowSeconds", f"must be from 0 to {_LONGEST_WINDOW}")
    found = ScalingRules(
        policies=policies or default.policies,
        select=node.choose("selectPolicy", ("Max", "Min", "Disabled")),
        window=window,
        tolerance=_milli(node, "tolerance") / 1000 if node.peek("tolerance") is not None else default.tolerance,
    )
    node.done()
    return found


def _policy(node: Node) -> ScalingPolicy:
    kind = node.take("type", str)
    if kind not in ("Pods", "Percent"):
        raise node.error("type", "must be Pods or Percent")
    found = ScalingPolicy(kind, node.take("value", int), node.take("periodSeconds", int))
    if found.value <= 0 or not 0 < found.seconds <= _LONGEST_PERIOD:
        raise node.error("", f"value must be more than 0, and periodSeconds from 1 to {_LONGEST_PERIOD}")
    node.done()
    return found


def _milli(node: Node, field: str) -> int:
    value: Any = node.take(field, object)
    try:
        return milli(str(value))
    except ValueError as error:
        raise node.error(field, str(error)) from None
