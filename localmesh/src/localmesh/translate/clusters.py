"""A service's port → clusters: one for all replicas, one more a subset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from localmesh.mesh import Mesh, Service, ServicePort
from localmesh.translate import client_tls, service_entry, transport_sockets
from localmesh.translate.callers import identity
from localmesh.translate.connection_pool import OPTIONS, circuit_breakers, connect_timeout, http_options, keepalive
from localmesh.translate.destination_rule import Rules, port_policy, subset_named, subset_policy
from localmesh.translate.documents import Item
from localmesh.translate.load_balancer import load_balancer
from localmesh.translate.outlier_detection import outlier_detection, panic_threshold
from localmesh.translate.registry import HTTP2, cluster_name
from localmesh.translate.resources import Resource
from localmesh.translate.service_entry import Entry

BY_CONTROL_PLANE = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
"""Where resources come from, in istiod's form; the xDS writer puts a file in its place."""


def clusters(mesh: Mesh, rules: Rules, *, is_gateway: bool) -> list[Resource]:
    """All clusters that a caller of these rules knows, the order of services kept."""
    return [
        cluster
        for service in mesh.services
        for port in service.ports
        for cluster in of_port(mesh, service, port, rules.of(service.host), is_gateway=is_gateway)
    ]


def of_port(mesh: Mesh, service: Service, port: ServicePort, rule: Item | None, *, is_gateway: bool) -> list[Resource]:
    """The cluster of a port, and those of its rule's subsets."""
    policy = rule.spec.get("trafficPolicy") if rule else None
    subsets = (rule.spec.get("subsets") or []) if rule else []
    policies = [
        ("", port_policy(policy, port.number)),
        *((one["name"], subset_policy(policy, one.get("trafficPolicy"), port.number)) for one in subsets),
    ]
    found = []
    for name, one in policies:
        labels = (subset_named(rule, name) or {}).get("labels") or {}
        endpoints = _endpoints(service, port, name, labels)
        if "load_assignment" in endpoints and "endpoints" not in endpoints["load_assignment"]:
            # A subset of names to ask for that has none: like istiod without a cluster, so its routes are a 503.
            continue
        cluster = {**_cluster(service, port, rule, name, one), **endpoints}
        found.append(_secured(cluster, mesh, service, port, name, one or {}, is_gateway=is_gateway))
    return found


def _endpoints(service: Service, port: ServicePort, subset: str, labels: Mapping[str, str]) -> Resource:
    """Where its endpoints come from: they are told to Envoy as they come and go, or are names to ask DNS for."""
    name = cluster_name(service.host, port.number, subset)
    if isinstance(service, Entry) and not service.is_static:
        return service_entry.dns(service, name, port, labels)
    return {"type": "EDS", "eds_cluster_config": {"eds_config": BY_CONTROL_PLANE, "service_name": name}}


def _secured(
    cluster: Resource,
    mesh: Mesh,
    service: Service,
    port: ServicePort,
    subset: str,
    policy: Mapping[str, Any],
    *,
    is_gateway: bool,
) -> Resource:
    """How it is connected to: as the rule says, else mTLS where the other side takes it."""
    tls = policy.get("tls") or {}
    mode = tls.get("mode") or ("DISABLE" if tls else None)
    http2 = port.protocol in HTTP2
    where = (service.host, port.number, subset)
    if mode in client_tls.ORIGINATED:
        names = tls.get("subjectAltNames") or (service.identities if isinstance(service, Entry) else [])
        return client_tls.originated(cluster, tls, names, http2=http2, is_gateway=is_gateway)
    if mode == "ISTIO_MUTUAL":
        peers = tls.get("subjectAltNames") or _identities(mesh, service)
        socket = transport_sockets.mutual(*where, http2=http2, peers=peers, sni=tls.get("sni") or "")
        return {**cluster, "transport_socket": socket}
    if mode == "DISABLE" or not mesh.mtls or (isinstance(service, Entry) and service.is_external):
        return cluster
    matches = transport_sockets.matches(*where, http2=http2, peers=_identities(mesh, service))
    return {**cluster, "transport_socket_matches": matches}


def _identities(mesh: Mesh, service: Service) -> Collection[str]:
    """The names that its replicas may have."""
    if isinstance(service, Entry):
        return service.identities
    return {
        identity(workload.namespace, workload.service_account)
        for workload in mesh.workloads
        if workload.namespace == service.namespace
        and service.selector
        and service.selector.items() <= workload.labels.items()
    }


def _cluster(
    service: Service, port: ServicePort, rule: Item | None, subset: str, policy: Mapping[str, Any] | None
) -> Resource:
    policy = policy or {}
    pool, outliers = policy.get("connectionPool") or {}, policy.get("outlierDetection")
    name = cluster_name(service.host, port.number, subset)
    cluster: dict[str, Any] = {
        "name": name,
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
    elif isinstance(service, Entry) and service.is_external:
        out["external"] = True
    return out
