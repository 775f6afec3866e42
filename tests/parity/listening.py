"""One form for listeners: what acts on requests that come in, at a workload and at the edge.

Left out: access logs and tracing, which istiod also writes out where nothing uses them, where certificates are fetched
from, and the routes to the one process behind an inbound listener.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

_ALWAYS = ("grpc_stats", "fault", "cors", "router")
_CONNECTIONS = (
    "http_filters",
    "forward_client_cert_details",
    "set_current_client_cert_details",
    "use_remote_address",
    "local_reply_config",
)
_OUR_UNFETCHED = "jMrfLTc2G7oDVYmbcimbcpdoAbFprB_u0RFufMDH6XQ"
_UNFETCHED = "0xObjM0UvS_oaazjpEYlAbwctEJ4L8pH3OuTb7qth7g"
"""How the key begins that istiod puts in the place of keys which it cannot fetch."""


def answer(listener: Mapping[str, Any]) -> dict[str, Any]:
    """`inbound PORT` → its filter chains and what they do; `edge PORT …` → its filters and replies, if they differ."""
    chains = [chain for chain in listener.get("filter_chains", []) if _connections(chain)]
    if listener["name"] == "virtualInbound":
        return _inbound(chains, None)
    if listener.get("traffic_direction") == "INBOUND":
        return _inbound(chains, listener["address"]["socket_address"]["port_value"])
    if listener["name"] == "virtualOutbound":
        return {}
    port = listener["address"]["socket_address"]["port_value"]
    found: dict[str, Any] = {}
    if any("transport_socket" in chain for chain in chains):
        found[f"edge {port} chains"] = [
            {
                "match": chain.get("filter_chain_match"),
                "transport_socket": _socket(chain["transport_socket"]),
                "routes": _connections(chain)["rds"]["route_config_name"],
            }
            for chain in chains
        ]
    for settings in map(_connections, chains):
        filters = [_filter(one) for one in settings["http_filters"]]
        if [_short(one) for one in filters] != [*_ALWAYS]:
            found[f"edge {port}"] = filters
        if "local_reply_config" in settings:
            found[f"edge {port} replies"] = settings["local_reply_config"]
    return found


def _inbound(chains: Iterable[Mapping[str, Any]], own: int | None) -> dict[str, Any]:
    """`own`: the port of a listener for one; istiod has one listener for all."""
    found: dict[str, Any] = {}
    for chain in chains:
        match = dict(chain["filter_chain_match"])
        port = match.pop("destination_port", own)
        if port is None:
            continue
        connections = {key: value for key, value in _connections(chain).items() if key in _CONNECTIONS}
        if _connections(chain).get("access_log"):
            connections["logged"] = True
        connections["http_filters"] = [_filter(one) for one in connections["http_filters"]]
        one = found.setdefault(f"inbound {port}", {"chains": [], "connections": connections})
        if one["connections"] != connections:
            raise ValueError(f"the chains of port {port} differ")
        one["chains"].append({"match": match, "transport_socket": _socket(chain.get("transport_socket"))})
    return found


def _connections(chain: Mapping[str, Any]) -> Mapping[str, Any]:
    last: Mapping[str, Any] = chain["filters"][-1]
    return last["typed_config"] if last["name"].endswith("http_connection_manager") else {}


def _filter(one: Mapping[str, Any]) -> dict[str, Any]:
    out = copy.deepcopy(dict(one))
    for provider in out["typed_config"].get("providers", {}).values():
        keys = provider["local_jwks"]["inline_string"]
        if _UNFETCHED in keys or _OUR_UNFETCHED in keys:
            provider["local_jwks"] = "not fetched"
    return out


def _short(one: Mapping[str, Any]) -> str:
    return str(one["name"]).rpartition(".")[2]


def _socket(socket: Mapping[str, Any] | None) -> Any:
    return sockets(copy.deepcopy(socket))


def sockets(value: Any) -> Any:
    """A transport socket without where its certificates come from."""
    if isinstance(value, dict):
        return {key: "secrets" if key == "sds_config" else sockets(inner) for key, inner in value.items()}
    return [sockets(inner) for inner in value] if isinstance(value, list) else value
