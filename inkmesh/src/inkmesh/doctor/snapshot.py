"""What a cluster's API server tells of autoscaling: objects, the APIs that metrics come from, and their values."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from inkmesh.load.api_server import ApiServer

Object = dict[str, Any]

RESOURCE_METRICS = "metrics.k8s.io"
"""metrics-server's API: CPU and memory."""
CUSTOM_METRICS = "custom.metrics.k8s.io"
"""The adapter's: what pods count themselves."""
_SERIES = "count(inkmesh_replica_info)"
"""How many replicas Prometheus knows by name: the adapter's rule begins with them."""


@dataclass(frozen=True)
class Snapshot:
    """One moment. None is what could not be asked."""

    namespace: str
    autoscalers: list[Object] | None
    deployments: list[Object] | None = None
    pods: list[Object] | None = None
    events: list[Object] = field(default_factory=list)
    apis: dict[str, Object] = field(default_factory=dict)
    """API group → its APIService, of the two groups above."""
    measured: frozenset[str] | None = None
    """Pods whose CPU metrics-server knows."""
    replicas_scraped: int | None = None
    """Replicas that the Prometheus of the component `monitoring` knows."""
    custom: frozenset[str] | None = None
    """Metrics of pods that the adapter offers."""
    values: dict[str, frozenset[str]] = field(default_factory=dict)
    """Such a metric → pods that it has a value of."""


async def take(api: ApiServer, namespace: str) -> Snapshot:
    """Ask for everything at once, then for the values of each metric that an autoscaler names."""
    here = f"namespaces/{namespace}"
    objects = asyncio.gather(
        api.items(f"/apis/autoscaling/v2/{here}/horizontalpodautoscalers"),
        api.items(f"/apis/apps/v1/{here}/deployments"),
        api.items(f"/api/v1/{here}/pods"),
        api.items(f"/api/v1/{here}/events"),
        api.items("/apis/apiregistration.k8s.io/v1/apiservices"),
        api.items(f"/apis/{RESOURCE_METRICS}/v1beta1/{here}/pods"),
    )
    texts = asyncio.gather(
        api.text(f"/apis/{CUSTOM_METRICS}/v1beta1"),
        api.text(f"/api/v1/{here}/services/prometheus:http/proxy/api/v1/query", query=_SERIES),
    )
    autoscalers, deployments, pods, events, services, usage = await objects
    offered, scraped = await texts
    names = sorted({its["pods"]["metric"]["name"] for one in autoscalers or [] for its in _by_pods(one)})
    paths = [f"/apis/{CUSTOM_METRICS}/v1beta1/{here}/pods/*/{name}" for name in names]
    values = await asyncio.gather(*map(api.items, paths))
    groups = {one["spec"].get("group"): one for one in services or []}
    return Snapshot(
        namespace,
        autoscalers,
        deployments,
        pods,
        events or [],
        {group: groups[group] for group in (RESOURCE_METRICS, CUSTOM_METRICS) if group in groups},
        None if usage is None else frozenset(one["metadata"]["name"] for one in usage),
        None if scraped is None else _number(scraped),
        None if offered is None else _offered(offered),
        {
            name: frozenset(one["describedObject"]["name"] for one in found or [])
            for name, found in zip(names, values, strict=True)
        },
    )


def _by_pods(autoscaler: Object) -> list[Object]:
    return [metric for metric in autoscaler["spec"].get("metrics", []) if metric["type"] == "Pods"]


def _number(answer: str) -> int:
    """Prometheus' answer to a query that has one number or none."""
    found = json.loads(answer)["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def _offered(answer: str) -> frozenset[str]:
    names = (one["name"] for one in json.loads(answer)["resources"])
    return frozenset(name.removeprefix("pods/") for name in names if name.startswith("pods/"))
