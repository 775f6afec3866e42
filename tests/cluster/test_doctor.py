"""`inkmesh doctor hpa --tier cluster` walks from the metrics to the replicas, and names the link that is broken."""

from autoscalers import deciding
from kube import kubectl
from product import eventually
from troubles import wrong


def test_a_sound_chain_is_well(product):
    """Once metrics-server has measured everybody."""
    eventually(lambda: not wrong("frontend"), 120, every=1)


def test_a_target_that_is_not_there_is_named(product):
    """And how to find the right one."""
    there = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "fronted"}}
    with deciding("frontend", there):
        found = wrong("frontend")
    assert "target: Deployment fronted is not there" in found
    assert "get deployments" in found


def test_a_deployment_at_zero_is_named(product):
    """That is how autoscaling is turned off."""
    kubectl("scale", "deployment/frontend", "--replicas=0")
    try:
        eventually(lambda: "pods: 0 of 0 run" in wrong("frontend"), 60, every=1)
        assert "scale deployment/frontend --replicas=1" in wrong("frontend")
    finally:
        kubectl("scale", "deployment/frontend", "--replicas=1")
        kubectl("rollout", "status", "deployment/frontend", "--timeout=120s")
