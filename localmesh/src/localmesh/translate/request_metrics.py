"""Istio's request metrics, counted by Envoy itself: `istio_requests_total` and `istio_request_duration_milliseconds`.

`localmesh.metrics_page` shows them under these names; Envoy's admin interface has them with its own prefix `envoy_`.
The labels are those of https://istio.io/latest/docs/reference/config/metrics/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from localmesh.mesh import Endpoint, Service, ServicePort
from localmesh.translate import peer_metadata
from localmesh.translate.callers import Caller
from localmesh.translate.documents import Item
from localmesh.translate.registry import GRPC
from localmesh.translate.resources import Resource
from localmesh.translate.selection import acting_on

_NAMESPACE = "localmesh"
_TYPE = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_UNKNOWN = "unknown"
_CLUSTER = "Kubernetes"
"""What Istio calls the only cluster."""
_INGRESS = "istio-ingressgateway"
"""The edge as Istio's own installation names it: its workload and its app."""
_ANSWER = {
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "grpc_response_status": "%GRPC_STATUS_NUMBER%",
}

Labels = dict[str, str]
"""A label → its value, or where Envoy finds it; empty where nothing is counted."""


def asked_for(items: Sequence[Item], workload: Caller) -> bool:
    """Whether Telemetry asks for metrics of a workload. On a cluster they are there by default; here they cost."""
    return asked_for_by_any(acting_on(workload, items))


def asked_for_by_any(items: Iterable[Item]) -> bool:
    """Whether somebody's metrics are asked for, so that callers have to say who they are."""
    return any(item.spec.get("metrics") for item in items)


def identity_of(caller: Caller) -> Labels:
    """What a caller tells of itself to those it calls."""
    if caller.is_gateway:
        return _labels("source", _INGRESS, caller.namespace, {"app": _INGRESS})
    return _labels("source", caller.name, caller.namespace, caller.labels)


def of_caller(items: Sequence[Item], caller: Caller) -> Labels:
    """What a caller sees of its calls: where they went is in the metadata of the cluster and the replica."""
    if not asked_for(items, caller):
        return {}
    called = {key: f"%METADATA(CLUSTER:{_NAMESPACE}:{key})%" for key in _of_service(None, None)}
    chosen = {key: f"%METADATA(UPSTREAM_HOST:{_NAMESPACE}:{key})%" for key in _of_replica(None)}
    source = {
        **identity_of(caller),
        "source_principal": caller.identity,
        "destination_principal": "%UPSTREAM_PEER_URI_SAN%",
    }
    return {"reporter": "source", **source, **called, **chosen, **_ANSWER}


def of_called(items: Sequence[Item], workload: Caller, service: Service, port: ServicePort) -> Labels:
    """What a workload sees of calls to it: of the caller its certificate's name, and what it told of itself."""
    if not asked_for(items, workload):
        return {}
    source = {
        **{name: peer_metadata.remembered(name) for name in TOLD},
        "source_principal": "%DOWNSTREAM_PEER_URI_SAN%",
        "destination_principal": workload.identity,
    }
    own = _labels("destination", workload.name, workload.namespace, workload.labels)
    return {"reporter": "destination", **source, **_of_service(service, port), **own, **_ANSWER}


def counted(listener: Resource, labels: Labels) -> Resource:
    """The listener with a counter besides its loggers. Who is called says how the connection was secured.

    Where some come by mTLS, all of the mesh do: who comes without is not believed what it tells of itself.
    """
    if not labels:
        return listener
    chains = []
    for chain in listener["filter_chains"]:
        secured = "mutual_tls" if "transport_socket" in chain else "none"
        policy = secured if labels["reporter"] == "destination" else _UNKNOWN
        http = chain["filters"][0]
        by_stranger = policy == "none" and len(listener["filter_chains"]) > 1
        nobody = {name: _UNKNOWN for name in labels if by_stranger and name.startswith("source_")}
        logger = _logger({**labels, **nobody, "connection_security_policy": policy})
        settings = {**http["typed_config"], "access_log": [*http["typed_config"]["access_log"], logger]}
        chains.append({**chain, "filters": [{**http, "typed_config": settings}]})
    return {**listener, "filter_chains": chains}


def cluster_metadata(service: Service, number: int) -> dict[str, Any]:
    """What `of_caller` reads of the cluster of that port."""
    port = next((one for one in service.ports if one.number == number), None)
    return {_NAMESPACE: _of_service(service, port)}


def replica_metadata(replica: Endpoint) -> dict[str, Any]:
    """What `of_caller` reads of a replica."""
    return {_NAMESPACE: _of_replica(replica)}


def _of_service(service: Service | None, port: ServicePort | None) -> Labels:
    return {
        "destination_service": service.host if service else "",
        "destination_service_name": service.name if service else "",
        "destination_service_namespace": service.namespace if service else "",
        # Istio looks at each request; here a port has one protocol.
        "request_protocol": "grpc" if port and port.protocol in GRPC else "http",
    }


def _of_replica(replica: Endpoint | None) -> Labels:
    if replica is None:
        return _labels("destination", "", "", {})
    return _labels("destination", replica.workload, replica.namespace, replica.labels)


def _labels(side: str, workload: str, namespace: str, labels: Mapping[str, str]) -> Labels:
    app = labels.get("app") or _UNKNOWN
    version = labels.get("version") or _UNKNOWN
    names = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
    revisions = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
    return {
        f"{side}_workload": workload or _UNKNOWN,
        f"{side}_workload_namespace": namespace or _UNKNOWN,
        f"{side}_app": app,
        f"{side}_version": version,
        f"{side}_canonical_service": _first(labels, names) or workload or _UNKNOWN,
        f"{side}_canonical_revision": _first(labels, revisions) or ("latest" if workload else _UNKNOWN),
        f"{side}_cluster": _CLUSTER if workload else _UNKNOWN,
    }


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _logger(labels: Mapping[str, str]) -> dict[str, Any]:
    tags = [{"name": name, "value_format": value} for name, value in labels.items()]
    duration = {"stat": {"name": "request_duration_milliseconds", "tags": tags}, "unit": "Milliseconds"}
    settings = {
        "@type": _TYPE,
        "stats_scope": {"prefix": "istio"},
        "counters": [{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
        "histograms": [{**duration, "value_format": "%DURATION%"}],
    }
    return {"name": "envoy.access_loggers.stats", "typed_config": settings}


TOLD = tuple(_labels("source", "", "", {}))
"""The labels that callers tell of themselves."""
