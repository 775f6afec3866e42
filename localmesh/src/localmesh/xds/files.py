"""Resources as Envoy's files: all clusters in one, all listeners in one, each assignment and route table in its own.

Envoy reads one ClusterLoadAssignment or RouteConfiguration a file and no more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from localmesh.translate.resources import Resource, Resources

CLUSTERS, LISTENERS = "clusters.json", "listeners.json"
_ENDPOINTS, _ROUTES = "endpoints", "routes"
_TYPES = {
    CLUSTERS: "envoy.config.cluster.v3.Cluster",
    LISTENERS: "envoy.config.listener.v3.Listener",
    _ENDPOINTS: "envoy.config.endpoint.v3.ClusterLoadAssignment",
    _ROUTES: "envoy.config.route.v3.RouteConfiguration",
}
_VERSION = b'{"version_info":"'
_ORDER = (_ENDPOINTS, CLUSTERS, "new routes", LISTENERS, _ROUTES)


def contents(folder: Path, resources: Resources) -> dict[str, bytes]:
    """Each file's content by its name in `folder`. ValueError: two resources would share a file."""
    files = {
        CLUSTERS: _content(CLUSTERS, [_cluster(folder, one) for one in resources.clusters]),
        LISTENERS: _content(LISTENERS, [_listener(folder, one) for one in resources.listeners]),
    }
    for one in resources.endpoints:
        _add(files, _file(_ENDPOINTS, one["cluster_name"]), _content(_ENDPOINTS, [one]))
    for one in resources.routes:
        _add(files, _file(_ROUTES, one["name"]), _content(_ROUTES, [one]))
    return files


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
    found.update(_file(_ENDPOINTS, one["eds_cluster_config"]["service_name"]) for one in resources.clusters)
    found.update(_file(_ROUTES, _connections(one)["rds"]["route_config_name"]) for one in resources.listeners)
    return found


def _content(kind: str, resources: list[Resource]) -> bytes:
    typed = [{"@type": f"type.googleapis.com/{_TYPES[kind]}", **one} for one in resources]
    body = json.dumps(typed, separators=(",", ":"))
    digest = hashlib.sha256(f"{kind} {body}".encode()).hexdigest()[:16]
    return _VERSION + f'{digest}","resources":{body}}}\n'.encode()


def _cluster(folder: Path, cluster: Resource) -> Resource:
    eds = cluster["eds_cluster_config"]
    source = _source(folder / _file(_ENDPOINTS, eds["service_name"]))
    return {**cluster, "eds_cluster_config": {**eds, "eds_config": source}}


def _listener(folder: Path, listener: Resource) -> Resource:
    connections = _connections(listener)
    rds = connections["rds"]
    source = _source(folder / _file(_ROUTES, rds["route_config_name"]))
    chain = {
        "name": listener["filter_chains"][0]["filters"][0]["name"],
        "typed_config": {**connections, "rds": {**rds, "config_source": source}},
    }
    return {**listener, "filter_chains": [{"filters": [chain]}]}


def _connections(listener: Resource) -> dict[str, Any]:
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def _source(path: Path) -> dict[str, Any]:
    return {"path_config_source": {"path": str(path)}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}


def _file(kind: str, name: str) -> str:
    return f"{kind}/{re.sub(r'[^A-Za-z0-9.-]', '_', name)}.json"


def _add(files: dict[str, bytes], name: str, content: bytes) -> None:
    if name in files:
        raise ValueError(f"two resources would be in the file {name}")
    files[name] = content
