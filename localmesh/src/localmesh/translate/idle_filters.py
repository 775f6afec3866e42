"""Filters that do nothing for most requests, out of their way.

On a caller's way out istiod has filters for faults and CORS before every request, whether a route asks for them or not,
and one that counts gRPC calls where nobody here reads it; `make bench-mesh` shows such costs. Envoy can leave a filter
out until the route has settings for it. Not at the edge: there a token may change the route of a request whose filters
are chosen already.
"""

from __future__ import annotations

from localmesh.translate import cors, fault
from localmesh.translate.listeners import GRPC_STATS
from localmesh.translate.resources import Resource

_ASKED_FOR_BY_ROUTES = (fault.FILTER, cors.FILTER)


def left_out(listener: Resource) -> Resource:
    """A caller's listener that costs what its routes ask for."""
    chains = []
    for chain in listener["filter_chains"]:
        http = chain["filters"][0]
        filters = [
            {**one, "disabled": True} if one["name"] in _ASKED_FOR_BY_ROUTES else one
            for one in http["typed_config"]["http_filters"]
            if one["name"] != GRPC_STATS
        ]
        chains.append(
            {**chain, "filters": [{**http, "typed_config": {**http["typed_config"], "http_filters": filters}}]}
        )
    return {**listener, "filter_chains": chains}
