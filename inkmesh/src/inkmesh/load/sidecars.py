"""What Istio's sidecars tell Prometheus: the requests into their pod, and what became of those out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

CONTAINER = "istio-proxy"
PORT = 15090
"""Where each sidecar tells, outside of mTLS."""
PATH = "stats/prometheus"
FILTER = r"upstream_rq_(total|retry|pending_overflow)$|outlier_detection.ejections_(active|enforced_total)$"

_LINE = re.compile(
    r'^envoy_cluster_(?P<what>[a-z_]+)\{[^}]*cluster_name="(?P<way>inbound|outbound)\|[^}]*\} (?P<count>\d+)$',
    re.MULTILINE,
)
_OUTBOUND = {
    "outlier_detection_ejections_active": "ejected",
    "outlier_detection_ejections_enforced_total": "ejections",
    "upstream_rq_retry": "retries",
    "upstream_rq_pending_overflow": "refused",
}


@dataclass
class Counts:
    """Of one sidecar."""

    served: int = 0
    """Requests into its pod; probes do not come that way."""
    envoy: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_OUTBOUND.values(), 0))
    """ejected (now), ejections, retries, refused (by a full pool): of its pod's own calls."""


def counts(text: str) -> Counts:
    """One sidecar's statistics in Prometheus' format."""
    found = Counts()
    for line in _LINE.finditer(text):
        if line["way"] == "inbound":
            found.served += int(line["count"]) if line["what"] == "upstream_rq_total" else 0
        elif name := _OUTBOUND.get(line["what"]):
            found.envoy[name] += int(line["count"])
    return found


def statuses(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """A pod's containers' statuses; a sidecar is an init container that stays, or one beside the others."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def restarts(pod: dict[str, Any]) -> int:
    """How often a pod's sidecar was started again."""
    return sum(one["restartCount"] for one in statuses(pod) if one["name"] == CONTAINER)


def runs(pod: dict[str, Any]) -> bool:
    """Whether a pod has a sidecar that runs."""
    return any(one["name"] == CONTAINER and "running" in one.get("state", {}) for one in statuses(pod))
