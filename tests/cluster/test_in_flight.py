"""Inference scales by requests in flight, through Prometheus and prometheus-adapter; `doctor hpa` names what breaks.

The adapter's image must be on the cluster: a test pulls nothing.
"""

import json
from contextlib import ExitStack

import pytest
import yaml

from autoscalers import deciding, scaled
from kube import get, kubectl
from product import ROOT, eventually
from traffic import Visitors, statuses
from troubles import wrong

COMPONENT = ROOT / "k8s/components/autoscaling-in-flight"
ADAPTER = "deployment/prometheus-adapter"
MONITORING = "monitoring"
POD = yaml.safe_load((COMPONENT / "adapter/deployment.yaml").read_text())["spec"]["template"]["spec"]
IMAGE = POD["containers"][0]["image"]
IN_FLIGHT = {
    "maxReplicas": 3,
    "metrics": [patch["value"] for patch in yaml.safe_load((COMPONENT / "in-flight.yaml").read_text())],
}
"""The component's metric, alone."""


@pytest.fixture(scope="module")
def adapter(product):
    images = [image for node in get("nodes", namespace="") for image in node["status"]["images"]]
    if not any(IMAGE in (one["names"] or ()) for one in images):
        pytest.skip(f"no node of the cluster has the image {IMAGE}")
    namespace = kubectl("get", "namespace", MONITORING, "--ignore-not-found", namespace="")
    if not namespace:
        kubectl("create", "namespace", MONITORING, namespace="")
    kubectl("apply", "-k", str(COMPONENT / "adapter"), namespace="")
    try:
        kubectl("rollout", "status", ADAPTER, "--timeout=120s", namespace=MONITORING)
        yield
    finally:
        kubectl("delete", "-k", str(COMPONENT / "adapter"), "--ignore-not-found", namespace="")
        if not namespace:
            kubectl("delete", "namespace", MONITORING, "--wait=false", namespace="")


@pytest.fixture(scope="module")
def autoscaler(adapter):
    with deciding("inference-v1", IN_FLIGHT):
        yield


def told():
    """Why the autoscaler of inference changed the number of replicas."""
    events = get("events", "--field-selector", "involvedObject.name=inference-v1,reason=SuccessfulRescale")
    return [one["message"] for one in events]


def test_each_replica_has_a_value(product, autoscaler):
    """One that has served nothing too: an autoscaler with an unknown metric would take no replica away."""

    def measured():
        path = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/inkmesh/pods/*/requests_in_flight"
        items = json.loads(kubectl("get", "--raw", path, check=False) or '{"items": []}')["items"]
        return {one["describedObject"]["name"] for one in items}

    for workload in ("gateway", "inference-v1", "inference-v2", "inference-v3"):
        eventually(lambda one=workload: {pod["name"] for pod in product.replicas(one)} <= measured(), 60, every=1)


def test_inference_scales_by_requests_in_flight(product, autoscaler):
    """Replicas that wait get help, whatever their CPU; no reading fails."""
    visitors = Visitors.arrive(product, count=8)
    with ExitStack() as slow:
        for replica in product.replicas("inference-v1"):
            slow.enter_context(product.sick(replica, status=0, delay_ms=500))
        with visitors.reading(40, 20) as finish:
            eventually(lambda: scaled("inference-v1") > 2, 75, every=1)
            answers = finish()
    assert set(statuses(answers)) == {201}
    assert any("requests_in_flight above target" in one for one in told())


def test_the_doctor_names_the_adapter_when_it_is_what_broke(product, autoscaler):
    """A sound chain; then nobody answers for the metric; then nobody is registered for it."""
    eventually(lambda: not wrong("inference-v1"), 90, every=1)
    kubectl("scale", ADAPTER, "--replicas=0", namespace=MONITORING)
    eventually(lambda: "inference-v1: adapter: custom.metrics.k8s.io" in wrong("inference-v1"), 60, every=1)
    kubectl("delete", "apiservice", "v1beta1.custom.metrics.k8s.io", namespace="")
    eventually(lambda: "no API custom.metrics.k8s.io is registered" in wrong("inference-v1"), 60, every=1)
    assert "kubectl apply -k k8s/components/autoscaling-in-flight/adapter" in wrong("inference-v1")
