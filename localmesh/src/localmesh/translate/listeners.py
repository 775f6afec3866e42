"""Where Envoy listens: for the edge's ports, and for each service port that a workload calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localmesh.mesh import Address
from localmesh.translate import cors, fault
from localmesh.translate.access_log import access_log
from localmesh.translate.clusters import BY_CONTROL_PLANE
from localmesh.translate.endpoints import socket_address
from localmesh.translate.resources import Resource

Filter = dict[str, Any]
HTTP = "envoy.filters.network.http_connection_manager"
GRPC_STATS = "envoy.filters.http.grpc_stats"
TLS_INSPECTOR = {
    "name": "envoy.filters.listener.tls_inspector",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
        "initial_read_buffer_size": 512,
    },
}

_TYPES = "type.googleapis.com/envoy.extensions.filters"
_UUID = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"
_MUTATION = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"

# Not istiod's: a laptop's edge has no load balancer before it that would close connections which send too slowly.
_HEADERS_WITHIN, _REQUEST_WITHIN = "10s", "30s"


def outbound(name: str, address: Address, routes: str, log: str) -> Resource:
    """A workload's listener for one service port. Its Host may be anything, so calls by address work."""
    return _listener(name, address, connections(name, by_name(routes), log) | {"use_remote_address": False})


def edge(name: str, address: Address, settings: dict[str, Any]) -> Resource:
    """An ingress listener of a connection manager with the `edge_settings`."""
    return _listener(name, address, settings)


def edge_with_tls(name: str, address: Address, chains: Sequence[Resource]) -> Resource:
    """An ingress listener where the name that is asked for (SNI) chooses the chain."""
    return {**_listener(name, address, {}), "listener_filters": [TLS_INSPECTOR], "filter_chains": list(chains)}


def edge_settings(name: str, routes: str, log: str, guards: Sequence[Filter]) -> dict[str, Any]:
    """Whatever callers claim about themselves is taken off before anything reads it.

    `guards`: the filters of the edge's own policies.
    """
    return connections(name, by_name(routes), log, guards) | {
        "use_remote_address": True,
        "server_name": "istio-envoy",
        "http_protocol_options": {},
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "cert": True, "dns": True, "uri": True},
        "request_headers_timeout": _HEADERS_WITHIN,
        "request_timeout": _REQUEST_WITHIN,
        "early_header_mutation_extensions": [_without_envoy_headers()],
    }


def by_name(routes: str) -> dict[str, Any]:
    """Routes that are a resource of their own."""
    return {"rds": {"config_source": BY_CONTROL_PLANE, "route_config_name": routes}}


def _listener(name: str, address: Address, settings: dict[str, Any]) -> Resource:
    return {
        "name": name,
        "address": socket_address(address),
        "traffic_direction": "OUTBOUND",
        # A port that another process has must be an error, not shared with it.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": HTTP, "typed_config": settings}]}],
    }


def connections(name: str, routes: dict[str, Any], log: str, guards: Sequence[Filter] = ()) -> dict[str, Any]:
    """An HTTP connection manager. `guards` come before the filters that all have."""
    return {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        **routes,
        "http_filters": [*guards, *_filters()],
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
        _filter(GRPC_STATS, "grpc_stats.v3.FilterConfig", grpc_stats),
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
