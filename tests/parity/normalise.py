"""One form for both sides: what a caller's Envoy is told, without what cannot be the same on a laptop.

Left out: istiod's own clusters and its catch-all virtual host for addresses outside of the mesh, statistics' names,
the services' names within the registry, where resources are fetched from, what endpoints are called in statistics, and
what istiod does to the registry's services only because it is told of them by ServiceEntries.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from parity import listening, registry

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
    _without_accounts(out)
    for locality in out.get("load_assignment", {}).get("endpoints", []):
        for endpoint in locality["lb_endpoints"]:
            endpoint.pop("metadata", None)
    return dict(listening.sockets(out))


def _without_accounts(cluster: dict[str, Any]) -> None:
    """TLS to the registry's services, without the names that only a ServiceEntry's endpoints give to it.

    In Kubernetes, and so on a laptop, a Service's replicas are asked for these names by Istio's own mTLS alone.
    """
    own = [{"exact": one.identity} for one in registry.callers().values()]
    context = cluster.get("transport_socket", {}).get("typed_config", {}).get("common_tls_context", {})
    asked = context.get("combined_validation_context", {})
    plain = (
        asked.get("validation_context_sds_secret_config", {}).get("name", "").startswith(("file-root:", "kubernetes:"))
    )
    wanted = asked.get("default_validation_context", {})
    if plain and any(cluster["name"].endswith(f"|{service.host}") for service in registry.SERVICES):
        names = [one for one in wanted.pop("match_subject_alt_names", []) if one not in own]
        wanted |= {"match_subject_alt_names": names} if names else {}


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
