"""OutlierDetection → Envoy's: when a replica is left out, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localmesh.translate import durations


def outlier_detection(detection: Mapping[str, Any]) -> dict[str, Any]:
    """Ejection by consecutive errors only; what is unset is Envoy's default (5 errors, 10 s, 30 s, 10 %)."""
    out: dict[str, Any] = {"enforcing_success_rate": 0}
    for ours, envoys in (
        ("consecutive5xxErrors", "consecutive_5xx"),
        ("consecutiveGatewayErrors", "consecutive_gateway_failure"),
    ):
        count = detection.get(ours)
        if count is not None:
            out[envoys] = count
            out[f"enforcing_{envoys}"] = 100 if count else 0
    for ours, envoys in (("interval", "interval"), ("baseEjectionTime", "base_ejection_time")):
        if detection.get(ours) is not None:
            out[envoys] = durations.envoy(detection[ours])
    if detection.get("maxEjectionPercent"):
        out["max_ejection_percent"] = detection["maxEjectionPercent"]
    if detection.get("splitExternalLocalOriginErrors"):
        out["split_external_local_origin_errors"] = True
        if detection.get("consecutiveLocalOriginFailures"):
            out["consecutive_local_origin_failure"] = detection["consecutiveLocalOriginFailures"]
            out["enforcing_consecutive_local_origin_failure"] = 100
        out["enforcing_local_origin_success_rate"] = 0
    return out


def panic_threshold(detection: Mapping[str, Any]) -> dict[str, Any]:
    """Below this share of healthy replicas Envoy calls the ejected ones too; Istio's default is never."""
    percent = detection.get("minHealthPercent") or 0
    return {"value": float(percent)} if percent else {}
