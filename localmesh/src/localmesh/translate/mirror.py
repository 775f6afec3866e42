"""Mirror and mirrors → request mirror policies: a copy of a share of requests, its answer thrown away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localmesh.translate.percent import of_hundred, of_million


def mirror_policies(route: Mapping[str, Any], cluster_of: Callable[[Mapping[str, Any]], str]) -> list[dict[str, Any]]:
    """One policy a mirror, all requests by default; a mirror of 0 percent is none."""
    out = []
    if route.get("mirror"):
        whole = route.get("mirrorPercent")
        share = _share(route.get("mirrorPercentage"), 100 if whole is None else whole)
        if share:
            out.append(_policy(cluster_of(route["mirror"]), share))
    shares = [(mirror, _share(mirror.get("percentage"), 100)) for mirror in route.get("mirrors") or []]
    return out + [_policy(cluster_of(mirror["destination"]), share) for mirror, share in shares if share]


def _share(percentage: Mapping[str, Any] | None, otherwise: int) -> dict[str, Any] | None:
    if percentage is not None:
        return of_million(percentage) if percentage.get("value", 0) > 0 else None
    return of_hundred(otherwise) if otherwise > 0 else None


def _policy(cluster: str, share: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "runtime_fraction": {"default_value": share},
        "trace_sampled": False,
        "disable_shadow_host_suffix_append": True,
    }
