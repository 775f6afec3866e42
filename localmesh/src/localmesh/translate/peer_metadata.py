"""Who calls, told to who is called: Istio's exchange of metadata, in headers of the request.

Envoy sets them when a request leaves a caller for a service of the mesh, whatever the caller itself wrote there. Envoy
before the replica takes them off again, ahead of every policy, and keeps what they said for the metrics: the process
sees none of them, and nor does a service outside. Istio has all of it in one header, which only its own filters read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from localmesh.translate.connection_pool import OPTIONS
from localmesh.translate.resources import Resource

PREFIX = "x-envoy-peer-metadata-"
_NAMESPACE = "localmesh.peer"
_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"


def sent(cluster: Resource, labels: Mapping[str, str]) -> Resource:
    """A caller's cluster whose requests carry its labels."""
    mutations = [
        {"append": {"header": {"key": _header(name), "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
        for name, value in labels.items()
    ]
    filters = [
        _filter("header_mutation", "HeaderMutation", {"mutations": {"request_mutations": mutations}}),
        _filter("upstream_codec", "UpstreamCodec", {}),
    ]
    every = cluster.get("typed_extension_protocol_options") or {}
    plain = {"@type": f"type.googleapis.com/{OPTIONS}", "explicit_http_config": {"http_protocol_options": {}}}
    return {
        **cluster,
        "typed_extension_protocol_options": {**every, OPTIONS: {**every.get(OPTIONS, plain), "http_filters": filters}},
    }


def taken(listener: Resource, names: Iterable[str]) -> Resource:
    """The listener before a replica, which takes these labels off and remembers them."""
    rules = [
        {
            "header": _header(name),
            "on_header_present": {"metadata_namespace": _NAMESPACE, "key": name, "type": "STRING"},
            "remove": True,
        }
        for name in names
    ]
    first = _filter("header_to_metadata", "Config", {"request_rules": rules})
    chains = []
    for chain in listener["filter_chains"]:
        http = chain["filters"][0]
        settings = {**http["typed_config"], "http_filters": [first, *http["typed_config"]["http_filters"]]}
        chains.append({**chain, "filters": [{**http, "typed_config": settings}]})
    return {**listener, "filter_chains": chains}


def remembered(name: str) -> str:
    """Where a logger of the listener finds a label; nothing where the caller did not tell."""
    return f"%DYNAMIC_METADATA({_NAMESPACE}:{name})%"


def _header(name: str) -> str:
    return PREFIX + name.replace("_", "-")


def _filter(name: str, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{_FILTERS}.{name}.v3.{kind}", **settings},
    }
