"""Each pod has its own share of the node, and no more."""

import json

from kube import get, kubectl
from product import eventually

HOG = "held = []\nwhile True: held.append(b'x' * 1_000_000)"


def restarts(product):
    workloads = ("gateway", "payment", "inference-v1")
    return {one["name"]: one["restarts"] for workload in workloads for one in product.replicas(workload)}


def test_a_pod_over_its_memory_limit_is_killed_alone(product):
    """A greedy pod is OOM-killed; nobody else is restarted, and readings go on."""
    before = restarts(product)
    image = get("deployments", "-l", "app=gateway")[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    limits = {"memory": "48Mi", "cpu": "100m"}
    container = {"name": "hog", "image": image, "command": ["python", "-c", HOG], "resources": {"limits": limits}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "hog", "labels": {"sidecar.istio.io/inject": "false"}},
        "spec": {"containers": [container], "restartPolicy": "Never"},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    try:
        reason = "jsonpath={.status.containerStatuses[0].state.terminated.reason}"
        assert eventually(lambda: kubectl("get", "pod", "hog", "-o", reason), 60) == "OOMKilled"
    finally:
        kubectl("delete", "pod", "hog", "--grace-period=0", "--force")
    assert restarts(product) == before
    assert product.guest().read().status_code == 201


def test_the_quota_refuses_what_does_not_fit(product):
    """A deployment that asks for more than the namespace may have gets no pod, and is told why."""
    (quota,) = get("resourcequotas")
    assert quota["status"]["used"]["pods"] != "0"
    resources = {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    template = {"containers": [{"name": "greedy", "image": "none", "resources": resources}]}
    labels = {"app": "greedy"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "greedy"},
        "spec": {
            "replicas": 12,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template},
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(deployment))
    try:

        def told():
            events = get("events", "--field-selector", "reason=FailedCreate")
            return [one for one in events if "greedy" in one["involvedObject"]["name"]]

        (event, *_) = eventually(told, 30)
        assert "exceeded quota" in event["message"]
        assert len(get("pods", "-l", "app=greedy")) < 12
    finally:
        kubectl("delete", "deployment", "greedy", "--wait=false")
    assert product.guest().read().status_code == 201
