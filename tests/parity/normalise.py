"""One form for both sides: what a caller's Envoy is told, without what cannot be the same on a laptop.

Left out: istiod's own clusters and its catch-all virtual host for addresses outside of the mesh, statistics' names,
the services' names within the registry, where resources are fetched from, and what endpoints are called in statistics.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from parity import listening

_ELSEWHERE = ("allow_any", "block_all")
Answer = dict[str, Any]
"""`clusters NAME`, `endpoints NAME` and `routes NAME` → the resource; and the keys of `listening`."""


def answer(
    clusters: Iterable[Any], endpoints: Iterable[Any], routes: Iterable[Any], listeners: Iterable[Any] = ()
) -> Answer:
    """The comparable form of one caller's resources."""
    found: Answer = {}
    for listener in listeners:
        found |= listening.answer(listener)
    for cluster in clusters:
        if cluster["name"].startswith("outbound|"):
            found[f"clusters {cluster['name']}"] = _cluster(cluster)
    for assignment in endpoints:
        found[f"endpoints {assignment['cluster_name']}"] = _addresses(assignment)
    for configuration in routes:
        found[f"routes {configuration['name']}"] = _routes(configuration)
    return found


def _cluster(cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    out = copy.deepcopy(dict(cluster))
    out.pop("alt_stat_name", None)
    out["metadata"]["filter_metadata"]["istio"].pop("services")
    for locality in out.get("load_assignment", {}).get("endpoints", []):
        for endpoint in locality["lb_endpoints"]:
            endpoint.pop("metadata", None)
    return dict(listening.sockets(out))


def _addresses(assignment: Mapping[str, Any]) -> list[str]:
    found = []
    for locality in assignment.get("endpoints", []):
        for one in locality["lb_endpoints"]:
            address = one["endpoint"]["address"]["socket_address"]
            weight = one.get("load_balancing_weight", 1)
            found.append(f"{address['address']}:{address['port_value']}" + (f" × {weight}" if weight > 1 else ""))
    return sorted(found)


def _routes(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    out = copy.deepcopy(dict(configuration))
    out["virtual_hosts"] = [host for host in out["virtual_hosts"] if host["name"] not in _ELSEWHERE]
    for host in out["virtual_hosts"]:
        for route in host.get("routes", []):
            # A map in Istio's YAML, which istiod walks in no order.
            if parameters := route["match"].get("query_parameters"):
                parameters.sort(key=lambda parameter: parameter["name"])
    return out
