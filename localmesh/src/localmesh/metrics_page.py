"""Envoy's statistics for Prometheus, where a sidecar of Istio's has them too: port 15090, `/stats/prometheus`.

Envoy begins each name with `envoy_`, and only extensions that upstream Envoy lacks may take that away. So a few lines
of Lua do: what `translate.request_metrics` counts is there under Istio's own names. Nothing else of the admin interface
can be reached here.
"""

from __future__ import annotations

from typing import Any

from localmesh.mesh import Address

METRICS_PORT = 15090
PATH = "/stats/prometheus"
_MOST_BYTES = 64 * 1024 * 1024
_TYPES = "type.googleapis.com/envoy.extensions.filters"
# Where nothing is known Envoy says `-`, Istio `unknown`, or nothing for the status of a call that is not gRPC.
_LUA = """
function envoy_on_response(handle)
  local body = handle:body()
  if body == nil then return end
  local page = body:getBytes(0, body:length())
  page = page:gsub("envoy_istio_", "istio_")
  page = page:gsub('(istio_[a-z_]+{[^}\\n]*})', function(one)
    return (one:gsub('([a-z]+_[a-z_]+)="%-"', function(label)
      if label == "response_flags" then return nil end
      return label .. (label == "grpc_response_status" and '=""' or '="unknown"')
    end))
  end)
  handle:headers():remove("content-length")
  body:setBytes(page)
end
"""


def resources(at: Address, admin: Address) -> dict[str, Any]:
    """The static resources of Envoy's bootstrap: the page at `at`, and the way to the admin interface."""
    settings = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "metrics",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "metrics",
                    "domains": ["*"],
                    "routes": [{"match": {"path": PATH}, "route": {"cluster": "admin"}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.lua",
                "typed_config": {
                    "@type": f"{_TYPES}.http.lua.v3.Lua",
                    "default_source_code": {"inline_string": _LUA},
                },
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"},
            },
        ],
    }
    listener = {
        "name": "metrics",
        "address": _socket(at),
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": _MOST_BYTES,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": settings}]}
        ],
    }
    cluster = {
        "name": "admin",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "admin",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket(admin)}}]}],
        },
    }
    return {"listeners": [listener], "clusters": [cluster]}


def _socket(address: Address) -> dict[str, Any]:
    return {"socket_address": {"address": address.ip, "port_value": address.port}}
