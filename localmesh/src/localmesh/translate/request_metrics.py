"""Istio's request metrics, counted by Envoy itself: `envoy_istio_requests_total` and `…_request_duration_milliseconds`.

They are at `/stats/prometheus` of Envoy's admin interface, with Istio's labels. An own prefix Envoy does not allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from localmesh.mesh import Endpoint, Service
from localmesh.translate.callers import Caller
from localmesh.translate.documents import Item
from localmesh.translate.resources import Resource
from localmesh.translate.selection import acting_on

_NAMESPACE = "localmesh"
_TYPE = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_UNKNOWN = "unknown"
_ANSWER = {
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "grpc_response_status": "%GRPC_STATUS_NUMBER%",
}

Logger = dict[str, Any]


def asked_for(items: Sequence[Item], workload: Caller) -> bool:
    """Whether Telemetry asks for metrics of a workload. On a cluster they are there by default; here they cost."""
    return any(item.spec.get("metrics") for item in acting_on(workload, items))


def of_caller(items: Sequence[Item], caller: Caller) -> list[Logger]:
    """What a caller sees of its calls: where they went is in the metadata of the cluster and the replica."""
    if not asked_for(items, caller):
        return []
    called = {key: f"%METADATA(CLUSTER:{_NAMESPACE}:{key})%" for key in _of_service(None)}
    chosen = {key: f"%METADATA(UPSTREAM_HOST:{_NAMESPACE}:{key})%" for key in _of_replica(None)}
    return [_logger({"reporter": "source", **_source(caller), **called, **chosen, **_ANSWER})]


def of_called(items: Sequence[Item], workload: Caller, service: Service) -> list[Logger]:
    """What a workload sees of calls to it: of the caller its certificate's name."""
    if not asked_for(items, workload):
        return []
    source = {"source_workload": _UNKNOWN, "source_principal": "%DOWNSTREAM_PEER_URI_SAN%"}
    own = _labels("destination", workload.name, workload.namespace, workload.labels)
    return [_logger({"reporter": "destination", **source, **_of_service(service), **own, **_ANSWER})]


def counted(listener: Resource, loggers: Sequence[Logger]) -> Resource:
    """The listener with these loggers besides its own."""
    if not loggers:
        return listener
    chains = []
    for chain in listener["filter_chains"]:
        http = chain["filters"][0]
        settings = {**http["typed_config"], "access_log": [*http["typed_config"]["access_log"], *loggers]}
        chains.append({**chain, "filters": [{**http, "typed_config": settings}]})
    return {**listener, "filter_chains": chains}


def cluster_metadata(service: Service) -> dict[str, Any]:
    """What `of_caller` reads of a cluster."""
    return {_NAMESPACE: _of_service(service)}


def replica_metadata(replica: Endpoint) -> dict[str, Any]:
    """What `of_caller` reads of a replica."""
    return {_NAMESPACE: _of_replica(replica)}


def _source(caller: Caller) -> dict[str, str]:
    return {
        **_labels("source", caller.name, caller.namespace, caller.labels),
        "source_principal": caller.identity,
    }


def _of_service(service: Service | None) -> dict[str, str]:
    return {
        "destination_service": service.host if service else "",
        "destination_service_name": service.name if service else "",
        "destination_service_namespace": service.namespace if service else "",
    }


def _of_replica(replica: Endpoint | None) -> dict[str, str]:
    if replica is None:
        return _labels("destination", "", "", {})
    return _labels("destination", replica.workload, replica.namespace, replica.labels)


def _labels(side: str, workload: str, namespace: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{side}_workload": workload,
        f"{side}_workload_namespace": namespace,
        f"{side}_app": labels.get("app") or _UNKNOWN,
        f"{side}_version": labels.get("version") or _UNKNOWN,
    }


def _logger(labels: Mapping[str, str]) -> Logger:
    tags = [{"name": name, "value_format": value} for name, value in labels.items()]
    duration = {"stat": {"name": "request_duration_milliseconds", "tags": tags}, "unit": "Milliseconds"}
    settings = {
        "@type": _TYPE,
        "stats_scope": {"prefix": "istio"},
        "counters": [{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
        "histograms": [{**duration, "value_format": "%DURATION%"}],
    }
    return {"name": "envoy.access_loggers.stats", "typed_config": settings}
