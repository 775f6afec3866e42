"""LoadBalancerSettings → a cluster's policy: which replica gets the next request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import durations

_SIMPLE = {"RANDOM": "RANDOM", "ROUND_ROBIN": "ROUND_ROBIN"}
_RING = 1024


def load_balancer(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`lb_policy` and its settings: LEAST_REQUEST unless another is named, a hash where one is."""
    warmup = _warmup(settings)
    if (consistent := settings.get("consistentHash")) is not None:
        found = _hash(consistent)
        if warmup is None or len(found) > 1:
            return found
        # istiod leaves the default policy's settings there.
        return found | {"least_request_lb_config": {"slow_start_config": warmup}}
    policy = _SIMPLE.get(settings.get("simple") or "", "LEAST_REQUEST")
    if policy == "RANDOM" or warmup is None:
        # ROUND_ROBIN is Envoy's default, and proto3 JSON leaves a default out.
        return {} if policy == "ROUND_ROBIN" else {"lb_policy": policy}
    if policy == "ROUND_ROBIN":
        return {"round_robin_lb_config": {"slow_start_config": warmup}}
    return {"lb_policy": policy, "least_request_lb_config": {"slow_start_config": warmup}}


def _hash(consistent: Mapping[str, Any]) -> dict[str, Any]:
    if (maglev := consistent.get("maglev")) is not None:
        size = maglev.get("tableSize")
        return {"lb_policy": "MAGLEV", **({"maglev_lb_config": {"table_size": str(size)}} if size else {})}
    if (ring := consistent.get("ringHash")) is not None:
        size = ring.get("minimumRingSize")
        return {"lb_policy": "RING_HASH", **({"ring_hash_lb_config": _ring(size)} if size else {})}
    return {"lb_policy": "RING_HASH", "ring_hash_lb_config": _ring(consistent.get("minimumRingSize") or _RING)}


def _ring(size: int) -> dict[str, str]:
    return {"minimum_ring_size": str(size)}


def _warmup(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """A new replica's share grows over this time."""
    if (warmup := settings.get("warmup")) is not None:
        aggression, minimum = warmup.get("aggression"), warmup.get("minimumPercent", 10)
        return {
            "slow_start_window": durations.envoy(warmup["duration"]),
            # istiod gives a runtime key of one bracket, so that nothing at run time can match it.
            "aggression": {"default_value": 1.0 if aggression is None else float(aggression), "runtime_key": "("},
            "min_weight_percent": {"value": float(minimum)} if minimum else {},
        }
    if (seconds := settings.get("warmupDurationSecs")) is not None:
        return {"slow_start_window": durations.envoy(seconds)}
    return None
