"""A service's port → clusters: one for all replicas, one more a subset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.mesh import Mesh, Service, ServicePort
from localmesh.translate.connection_pool import OPTIONS, circuit_breakers, connect_timeout, http_options, keepalive
from localmesh.translate.destination_rule import Rules, port_policy, subset_policy
from localmesh.translate.documents import Item
from localmesh.translate.load_balancer import load_balancer
from localmesh.translate.outlier_detection import outlier_detection, panic_threshold
from localmesh.translate.registry import HTTP2, cluster_name
from localmesh.translate.resources import Resource

BY_CONTROL_PLANE = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
"""Where resources come from, in istiod's form; the xDS writer puts a file in its place."""


def clusters(mesh: Mesh, rules: Rules) -> list[Resource]:
    """All clusters that a caller of these rules knows, the order of services kept."""
    return [
        cluster
        for service in mesh.services
        for port in service.ports
        for cluster in of_port(service, port, rules.of(service.host))
    ]


def of_port(service: Service, port: ServicePort, rule: Item | None) -> list[Resource]:
    """The cluster of a port, and those of its rule's subsets."""
    policy = rule.spec.get("trafficPolicy") if rule else None
    out = [_cluster(service, port, rule, "", port_policy(policy, port.number))]
    for subset in (rule.spec.get("subsets") or []) if rule else []:
        special = subset_policy(policy, subset.get("trafficPolicy"), port.number)
        out.append(_cluster(service, port, rule, subset["name"], special))
    return out


def _cluster(
    service: Service, port: ServicePort, rule: Item | None, subset: str, policy: Mapping[str, Any] | None
) -> Resource:
    policy = policy or {}
    pool, outliers = policy.get("connectionPool") or {}, policy.get("outlierDetection")
    name = cluster_name(service.host, port.number, subset)
    cluster: dict[str, Any] = {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": BY_CONTROL_PLANE, "service_name": name},
        "connect_timeout": connect_timeout(pool),
        "common_lb_config": {},
        "circuit_breakers": circuit_breakers(pool, policy.get("retryBudget")),
        **load_balancer(policy.get("loadBalancer") or {}),
        "metadata": {"filter_metadata": {"istio": _metadata(service, rule, subset)}},
    }
    if outliers is not None:
        cluster["outlier_detection"] = outlier_detection(outliers)
        cluster["common_lb_config"] = {"healthy_panic_threshold": panic_threshold(outliers)}
    if (options := http_options(pool, http2=port.protocol in HTTP2)) is not None:
        cluster["typed_extension_protocol_options"] = {OPTIONS: options}
    if (connection := keepalive(pool)) is not None:
        cluster["upstream_connection_options"] = connection
    return cluster


def _metadata(service: Service, rule: Item | None, subset: str) -> dict[str, Any]:
    out: dict[str, Any] = {"services": [{"host": service.host, "name": service.name, "namespace": service.namespace}]}
    if rule is not None:
        out["config"] = rule.config
    if subset:
        out["subset"] = subset
    return out
