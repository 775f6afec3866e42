"""What a matched request becomes: its destinations and weights, timeout, retries, rewrite, mirrors and hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from localmesh.translate import durations
from localmesh.translate.destination_rule import destination_hash
from localmesh.translate.hash_policy import hash_policy
from localmesh.translate.headers import authority, operations
from localmesh.translate.hosts import qualified
from localmesh.translate.mirror import mirror_policies
from localmesh.translate.registry import cluster_name
from localmesh.translate.retries import retry_policy

if TYPE_CHECKING:
    from localmesh.translate.virtual_service import Site

Operations = dict[str, list[Any]]


def route_action(rule: Mapping[str, Any], namespace: str, host: str, site: Site) -> tuple[dict[str, Any], Operations]:
    """Envoy's RouteAction, and the header operations of a single destination, which belong to the route.

    `namespace` completes short host names; `host` is the authority that the route's headers set, if they do.
    """
    action = timeouts(rule.get("timeout"))
    rewrite = rule.get("rewrite") or {}
    if pattern := rewrite.get("uriRegexRewrite"):
        action["regex_rewrite"] = {"pattern": {"regex": pattern["match"]}, "substitution": pattern["rewrite"]}
    elif rewrite.get("uri"):
        action["prefix_rewrite"] = rewrite["uri"]
    if host := rewrite.get("authority") or host:
        action["host_rewrite_literal"] = host

    def cluster_of(destination: Mapping[str, Any]) -> str:
        return _cluster(destination, namespace, site)

    if mirrors := mirror_policies(rule, cluster_of):
        action["request_mirror_policies"] = mirrors
    destinations = rule["route"]
    hashes = [
        _hash(one["destination"], namespace, site)
        for one in destinations
        if len(destinations) == 1 or one.get("weight")
    ]
    if policies := [policy for one in hashes for policy in hash_policy(one)]:
        action["hash_policy"] = policies
    extra: Operations = {}
    if len(destinations) == 1:
        only = destinations[0]
        action["cluster"] = cluster_of(only["destination"])
        extra = operations(only.get("headers") or {})
        if (wanted := authority(only.get("headers") or {})) and "host_rewrite_literal" not in action:
            action["host_rewrite_literal"] = wanted
    else:
        weighted = [_weighted(one, cluster_of(one["destination"])) for one in destinations if one.get("weight")]
        action["weighted_clusters"] = {"clusters": weighted}
    policy = retry_policy(rule.get("retries"), hashed=len(destinations) == 1 and hashes[0] is not None)
    if policy is not None:
        action["retry_policy"] = policy
    return action, extra


def timeouts(timeout: str | None) -> dict[str, Any]:
    """The time for a whole answer, unlimited by default; a gRPC caller's own deadline holds within it.

    max_grpc_timeout is deprecated, but its replacement ends the stream elsewhere: not retried, counted differently.
    """
    limit = durations.envoy(timeout or "0s")
    return {"timeout": limit, "max_grpc_timeout": limit}


def _weighted(destination: Mapping[str, Any], cluster: str) -> dict[str, Any]:
    headers = destination.get("headers") or {}
    out: dict[str, Any] = {"name": cluster, "weight": destination["weight"], **operations(headers)}
    if wanted := authority(headers):
        out["host_rewrite_literal"] = wanted
    return out


def _cluster(destination: Mapping[str, Any], namespace: str, site: Site) -> str:
    """Its port: the one named, else the service's only one, else the listener's."""
    host = qualified(destination["host"], namespace)
    port = (destination.get("port") or {}).get("number")
    service = site.services.get(host)
    if port is None:
        port = service.ports[0].number if service and len(service.ports) == 1 else site.port
    return cluster_name(host, port, destination.get("subset") or "")


def _hash(destination: Mapping[str, Any], namespace: str, site: Site) -> Mapping[str, Any] | None:
    return destination_hash(site.rules.of(qualified(destination["host"], namespace)), destination)
