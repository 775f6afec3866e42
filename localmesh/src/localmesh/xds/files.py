"""Resources as Envoy's files: all clusters in one, all listeners in one, each other resource in its own.

Envoy reads one ClusterLoadAssignment, RouteConfiguration or filter a file and no more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from localmesh.translate.resources import Resource, Resources

CLUSTERS, LISTENERS = "clusters.json", "listeners.json"
_ENDPOINTS, _ROUTES, _FILTERS = "endpoints", "routes", "filters"
_TYPES = {
    CLUSTERS: "envoy.config.cluster.v3.Cluster",
    LISTENERS: "envoy.config.listener.v3.Listener",
    _ENDPOINTS: "envoy.config.endpoint.v3.ClusterLoadAssignment",
    _ROUTES: "envoy.config.route.v3.RouteConfiguration",
    _FILTERS: "envoy.config.core.v3.TypedExtensionConfig",
}
_VERSION = b'{"version_info":"'
_ORDER = (_ENDPOINTS, CLUSTERS, _FILTERS, "new routes", LISTENERS, _ROUTES)


def grouped(resources: Resources) -> dict[str, list[Resource]]:
    """Each file's name → the resources in it. ValueError: two resources would share a file."""
    found = {CLUSTERS: [*resources.clusters], LISTENERS: [*resources.listeners]}
    names = [(_file(_ENDPOINTS, one["cluster_name"]), one) for one in resources.endpoints]
    names += [(_file(_ROUTES, one["name"]), one) for one in resources.routes]
    names += [(_file(_FILTERS, one["name"]), one) for one in resources.filters]
    for name, one in names:
        if name in found:
            raise ValueError(f"two resources would be in the file {name}")
        found[name] = [one]
    return found


def content(folder: Path, name: str, resources: Iterable[Resource]) -> bytes:
    """What a file in `folder` says; the resources that it refers to are in files of the same folder."""
    if name == CLUSTERS:
        resources = [_cluster(folder, one) for one in resources]
    if name == LISTENERS:
        resources = [_listener(folder, one) for one in resources]
    kind = name.partition("/")[0]
    typed = [{"@type": f"type.googleapis.com/{_TYPES[kind]}", **one} for one in resources]
    body = json.dumps(typed, separators=(",", ":"))
    digest = hashlib.sha256(f"{kind} {body}".encode()).hexdigest()[:16]
    return _VERSION + f'{digest}","resources":{body}}}\n'.encode()


def stage(name: str, *, is_new: bool) -> int:
    """When a file is written: what others refer to comes first.

    A listener cannot start without the file of its routes, so a new one comes before listeners, a changed one after.
    """
    kind = name.partition("/")[0]
    return _ORDER.index("new routes" if kind == _ROUTES and is_new else kind)


def version(content: bytes) -> str:
    """A file's `version_info`, a digest of what it says."""
    return content[len(_VERSION) : len(_VERSION) + 16].decode()


def readers(resources: Resources) -> Counter[str]:
    """How many of Envoy's subscriptions read each file."""
    found = Counter({CLUSTERS: 1, LISTENERS: 1})
    loads = [one["eds_cluster_config"]["service_name"] for one in resources.clusters if "eds_cluster_config" in one]
    found.update(_file(_ENDPOINTS, name) for name in loads)
    found.update(name for one in resources.listeners for name in _routes_of(one))
    # Listeners that refer to one filter share the subscription.
    found.update({name for one in resources.listeners for name in _filters_of(one)})
    return found


def _cluster(folder: Path, cluster: Resource) -> Resource:
    found = dict(_with_secrets(folder, cluster))
    if eds := cluster.get("eds_cluster_config"):
        source = _source(folder / _file(_ENDPOINTS, eds["service_name"]))
        found["eds_cluster_config"] = {**eds, "eds_config": source}
    return found


def _listener(folder: Path, listener: Resource) -> Resource:
    return {**listener, "filter_chains": [_chain(folder, one) for one in listener["filter_chains"]]}


def _chain(folder: Path, chain: Resource) -> Resource:
    found = dict(_with_secrets(folder, chain))
    connections = chain["filters"][0]["typed_config"]
    settings = {**connections, "http_filters": [_filter(folder, one) for one in connections.get("http_filters", [])]}
    if rds := connections.get("rds"):
        source = _source(folder / _file(_ROUTES, rds["route_config_name"]))
        settings["rds"] = {**rds, "config_source": source}
    found["filters"] = [{**chain["filters"][0], "typed_config": settings}]
    return found


def _filter(folder: Path, one: Resource) -> Resource:
    if "config_discovery" not in one:
        return one
    source = _source(folder / _file(_FILTERS, one["name"]))
    return {**one, "config_discovery": {**one["config_discovery"], "config_source": source}}


def secret(folder: Path, name: str) -> Path:
    """The file of a secret that the xDS files in `folder` name: it is beside that folder, and readable to us alone."""
    return folder.parent / "certificates" / f"{_safe(name)}.json"


def _with_secrets(folder: Path, resource: Any) -> Any:  # noqa: ANN401 (JSON)
    """The same, with a file for each secret's source."""
    if isinstance(resource, dict):
        if "sds_config" in resource:
            return {**resource, "sds_config": _source(secret(folder, resource["name"]))}
        return {key: _with_secrets(folder, value) for key, value in resource.items()}
    return [_with_secrets(folder, value) for value in resource] if isinstance(resource, list) else resource


def _filters_of(listener: Resource) -> set[str]:
    """The files of the filters that it refers to."""
    settings = [chain["filters"][0]["typed_config"] for chain in listener["filter_chains"]]
    filters = [one for connections in settings for one in connections.get("http_filters", [])]
    return {_file(_FILTERS, one["name"]) for one in filters if "config_discovery" in one}


def _routes_of(listener: Resource) -> set[str]:
    """The files of the routes that its chains read, each once."""
    settings = [chain["filters"][0]["typed_config"] for chain in listener["filter_chains"]]
    return {_file(_ROUTES, one["rds"]["route_config_name"]) for one in settings if "rds" in one}


def _source(path: Path) -> dict[str, Any]:
    return {"path_config_source": {"path": str(path)}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}


def _file(kind: str, name: str) -> str:
    return f"{kind}/{_safe(name)}.json"


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", name)
