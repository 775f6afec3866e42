"""What kubectl tells of a cluster, as a second of a run."""

import pytest

from inkmesh.load.cluster import Cluster, read, usage
from localmesh.errors import LocalmeshError


def test_kubernetes_objects_are_a_sample():
    """Wanted and ready replicas, restarts of a Deployment's pods, and each autoscaler's CPU against its target."""
    percent = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 120}}}
    in_flight = {"type": "Pods", "pods": {}}
    items = [
        {"kind": "Deployment", "metadata": {"name": "gateway"}, "spec": {"replicas": 3},
         "status": {"readyReplicas": 2}},
        {"kind": "Deployment", "metadata": {"name": "idle"}, "spec": {"replicas": 0}},
        {"kind": "Pod", "metadata": {"name": "gateway-5d9c-x1"}, "status": {"containerStatuses": [
            {"restartCount": 1}, {"restartCount": 2}]}},
        {"kind": "Pod", "metadata": {"name": "gateway-5d9c-x2"}},
        {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "gateway"},
         "spec": {"scaleTargetRef": {"name": "gateway"}, "maxReplicas": 4, "metrics": [in_flight, percent]},
         "status": {"currentMetrics": [in_flight, current]}},
        {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "new"},
         "spec": {"scaleTargetRef": {"name": "idle"}, "maxReplicas": 2, "metrics": [percent]}},
    ]  # fmt: skip
    found = read(items, 5.0)
    assert found["workloads"] == {
        "gateway": {"desired": 3, "ready": 2, "restarts": 3},
        "idle": {"desired": 0, "ready": 0, "restarts": 0},
    }
    scaler, new = found["autoscalers"]
    assert (scaler["workload"], scaler["current"], scaler["target"], scaler["max"]) == ("gateway", 120, 80, 4)
    assert new["current"] is None


def test_cpu_is_of_all_containers_of_a_pod():
    """In whatever unit metrics-server tells it."""
    containers = [{"usage": {"cpu": cpu}} for cpu in ("250000000n", "1500u", "20m", "1")]
    assert usage([{"metadata": {"name": "gateway-1"}, "containers": containers}]) == {
        "gateway-1": pytest.approx(1.2715)
    }


def test_without_an_ingress_it_is_told_what_to_set():
    """A cluster is named by KUBECONFIG and INGRESS_URL."""
    with pytest.raises(LocalmeshError, match="INGRESS_URL"):
        Cluster.of({})
