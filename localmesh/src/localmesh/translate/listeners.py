"""Where Envoy listens: for the edge's ports, and for each service port that a workload calls."""

from __future__ import annotations

from typing import Any

from localmesh.mesh import Address
from localmesh.translate import cors, fault
from localmesh.translate.access_log import access_log
from localmesh.translate.clusters import BY_CONTROL_PLANE
from localmesh.translate.endpoints import socket_address
from localmesh.translate.resources import Resource

_TYPES = "type.googleapis.com/envoy.extensions.filters"
_UUID = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"
_MUTATION = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"

# Not istiod's: a laptop's edge has no load balancer before it that would close connections which send too slowly.
_HEADERS_WITHIN, _REQUEST_WITHIN = "10s", "30s"


def outbound(name: str, address: Address, routes: str, log: str) -> Resource:
    """A workload's listener for one service port. Its Host may be anything, so calls by address work."""
    return _listener(name, address, _connections(name, routes, log) | {"use_remote_address": False})


def edge(name: str, address: Address, routes: str, log: str) -> Resource:
    """An ingress listener: whatever callers claim about themselves is taken off before anything reads it."""
    settings = {
        "use_remote_address": True,
        "server_name": "istio-envoy",
        "http_protocol_options": {},
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "cert": True, "dns": True, "uri": True},
        "request_headers_timeout": _HEADERS_WITHIN,
        "request_timeout": _REQUEST_WITHIN,
        "early_header_mutation_extensions": [_without_envoy_headers()],
    }
    return _listener(name, address, _connections(name, routes, log) | settings)


def _listener(name: str, address: Address, connections: dict[str, Any]) -> Resource:
    return {
        "name": name,
        "address": socket_address(address),
        "traffic_direction": "OUTBOUND",
        # A port that another process has must be an error, not shared with it.
        "enable_reuse_port": False,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}]}
        ],
    }


def _connections(name: str, routes: str, log: str) -> dict[str, Any]:
    return {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "rds": {"config_source": BY_CONTROL_PLANE, "route_config_name": routes},
        "http_filters": _filters(),
        "normalize_path": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "proxy_100_continue": True,
        "stream_idle_timeout": "0s",
        "request_id_extension": {"typed_config": {"@type": _UUID, "use_request_id_for_trace_sampling": True}},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "access_log": access_log(log),
    }


def _filters() -> list[dict[str, Any]]:
    grpc_stats = {"emit_filter_state": True, "stats_for_all_methods": False}
    return [
        _filter("envoy.filters.http.grpc_stats", "grpc_stats.v3.FilterConfig", grpc_stats),
        _filter(fault.FILTER, "fault.v3.HTTPFault", {}),
        _filter(cors.FILTER, "cors.v3.Cors", {}),
        _filter("envoy.filters.http.router", "router.v3.Router", {}),
    ]


def _filter(name: str, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPES}.http.{kind}", **settings}}


def _without_envoy_headers() -> dict[str, Any]:
    prefixed = {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-", "ignore_case": True}}}
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": _MUTATION, "mutations": [prefixed, {"remove": "x-forwarded-client-cert"}]},
    }
