"""Filters of policies as resources of their own.

A listener that changes gives its connections time to end, and until then they go by what was. A filter that is
a resource of its own changes for the next request of each connection: a policy or a key is in force at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from localmesh.translate import authorization, jwt_authn
from localmesh.translate.clusters import BY_CONTROL_PLANE
from localmesh.translate.resources import Resource

_MOVED = (jwt_authn.NAME, authorization.NAME)


def owner(name: str, labels: Mapping[str, str], *ports: int) -> str:
    """Whose filters they are: replicas of one name, labels and ports share theirs."""
    digest = hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:8]
    return "|".join((name, digest, *map(str, ports)))


def moved(listener: Resource, of: str) -> tuple[Resource, dict[str, Resource]]:
    """The listener with references in place of filters, and these by their names, which begin with `of`."""
    found: dict[str, Resource] = {}
    chains = []
    for chain in listener["filter_chains"]:
        http = chain["filters"][0]
        filters = [
            _reference(one, f"{of}|{index}", found) for index, one in enumerate(http["typed_config"]["http_filters"])
        ]
        settings = {**http["typed_config"], "http_filters": filters}
        chains.append({**chain, "filters": [{**http, "typed_config": settings}]})
    return {**listener, "filter_chains": chains}, found


def _reference(one: Mapping[str, Any], name: str, found: dict[str, Resource]) -> Mapping[str, Any]:
    if one["name"] not in _MOVED:
        return one
    found[name] = {"name": name, "typed_config": one["typed_config"]}
    kinds = [one["typed_config"]["@type"]]
    return {"name": name, "config_discovery": {"config_source": BY_CONTROL_PLANE, "type_urls": kinds}}
