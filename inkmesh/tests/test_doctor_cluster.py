"""`doctor hpa --tier cluster`: a sound chain link by link, and every link broken in turn."""

import json
import sys

import pytest

from inkmesh.doctor import examine_cluster
from inkmesh.doctor.chain import findings
from inkmesh.doctor.snapshot import CUSTOM_METRICS, RESOURCE_METRICS, Snapshot

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
IN_FLIGHT = {
    "type": "Pods",
    "pods": {"metric": {"name": "requests_in_flight"}, "target": {"averageValue": "4"}},
}
CURRENT = [
    {"type": "Resource", "resource": {"current": {"averageUtilization": 30}}},
    {"type": "Pods", "pods": {"current": {"averageValue": "250m"}}},
]


def condition(kind, status="True", message=""):
    return {"type": kind, "status": status, "reason": "Why", "message": message}


def autoscaler(target="gateway", current=CURRENT, conditions=None):
    spec = {"scaleTargetRef": {"name": target}, "minReplicas": 1, "maxReplicas": 4, "metrics": [CPU, IN_FLIGHT]}
    conditions = [condition("AbleToScale"), condition("ScalingActive")] if conditions is None else conditions
    return {
        "metadata": {"name": "gateway"},
        "spec": spec,
        "status": {"conditions": conditions, "currentMetrics": current},
    }


def deployment(replicas=1, ready=1):
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "gateway"}}}
    return {"metadata": {"name": "gateway"}, "spec": spec, "status": {"readyReplicas": ready}}


def pod(requests, phase="Running"):
    proxy = {"name": "istio-proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": "10m"}}}
    containers = [{"name": "gateway", "resources": {"requests": requests}}]
    return {
        "metadata": {"name": "gateway-1", "labels": {"app": "gateway", "version": "v1"}},
        "spec": {"containers": containers, "initContainers": [{"name": "istio-init"}, proxy]},
        "status": {"phase": phase},
    }


def service(name, status="True", message="all checks passed"):
    where = {"namespace": "monitoring", "name": name}
    return {"spec": {"service": where}, "status": {"conditions": [condition("Available", status, message)]}}


APIS = {RESOURCE_METRICS: service("metrics-server"), CUSTOM_METRICS: service("prometheus-adapter")}


def snapshot(**other):
    sound = {
        "autoscalers": [autoscaler()],
        "deployments": [deployment()],
        "pods": [pod({"cpu": "100m"})],
        "apis": APIS,
        "measured": frozenset({"gateway-1"}),
        "replicas_scraped": 8,
        "custom": frozenset({"requests_in_flight"}),
        "values": {"requests_in_flight": frozenset({"gateway-1"})},
    }
    return Snapshot("inkmesh", **(sound | other))


def test_a_sound_chain_tells_what_each_link_has():
    """From the metrics' sources to the replicas."""
    found = list(findings(snapshot()))
    assert all(one.ok for one in found)
    told = {one.subject.removeprefix("gateway: "): one.found for one in found}
    assert told["metric cpu"] == "30 % of 80 %"
    assert told["metric requests_in_flight"] == "250m of 4"
    assert told["replicas"] == "1 ready of 1 wanted (1 to 4)"
    assert list(told).index("Prometheus") < list(told).index("adapter") < list(told).index("decision")


REFUSED = {
    "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": "gateway"},
    "reason": "FailedGetPodsMetric",
    "message": "pods.custom.metrics.k8s.io is forbidden",
}
NO_VALUES = {"values": {}}
BROKEN = {
    "API server": ({"autoscalers": None}, "does not answer", "KUBECONFIG"),
    "half an answer": ({"pods": None}, "does not answer", "KUBECONFIG"),
    "no autoscaler": ({"autoscalers": []}, "none in the namespace inkmesh", "apply -k k8s/overlays/mesh"),
    "target": ({"autoscalers": [autoscaler("gatevay")]}, "gatevay is not there", "get deployments"),
    "at zero": ({"deployments": [deployment(0, 0)], "pods": []}, "0 of 0 run", "--replicas=1"),
    "pending": ({"pods": [pod({}, "Pending")]}, "0 of 1 run", "describe pods -l app=gateway"),
    "readiness": ({"deployments": [deployment(1, 0)]}, "0 of 1 are ready", "describe pods"),
    "requests": ({"pods": [pod({"memory": "1Gi"})]}, "none by gateway", "resources.requests.cpu"),
    "no metrics-server": ({"apis": {}}, "no API metrics.k8s.io is registered", "kubectl apply"),
    "metrics-server is silent": ({"measured": None}, "metrics.k8s.io: nobody answers", "metrics-server's pod"),
    "metrics-server has no values": ({"measured": frozenset()}, "of 0 of 1 pods", "top pods"),
    "no Prometheus": ({"replicas_scraped": None} | NO_VALUES, "Prometheus: it does not answer", "app=prometheus"),
    "Prometheus is blind": ({"replicas_scraped": 0} | NO_VALUES, "it knows 0 replicas", "monitoring-mesh"),
    "no adapter": (
        {"apis": {RESOURCE_METRICS: service("metrics-server")}},
        "no API custom.metrics.k8s.io is registered",
        "apply -k k8s/components/autoscaling-in-flight/adapter",
    ),
    "adapter is down": (
        {"apis": APIS | {CUSTOM_METRICS: service("prometheus-adapter", "False", "endpoints have no addresses")}},
        "endpoints have no addresses",
        "kubectl -n monitoring get",
    ),
    "adapter is silent": ({"custom": None}, "custom.metrics.k8s.io: nobody answers", "prometheus-adapter's pod"),
    "rule": ({"custom": frozenset({"other"})}, "it offers no requests_in_flight", "adapter/config.yaml"),
    "adapter has no values": (NO_VALUES, "adapter's values: of 0 of 1 pods", "get --raw"),
    "not read": (
        {"autoscalers": [autoscaler(current=[CURRENT[0], {"type": ""}])], "events": [REFUSED]},
        "is forbidden",
        "describe hpa gateway",
    ),
    "not looked yet": ({"autoscalers": [autoscaler(conditions=[])]}, "decision: none yet", "every 15 s"),
    "cannot scale": (
        {"autoscalers": [autoscaler(conditions=[condition("AbleToScale", "False", "no scale")])]},
        "no scale",
        "describe hpa",
    ),
    "replicas": ({"deployments": [deployment(3, 1)]}, "1 ready of 3 wanted", "reason=FailedCreate"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_broken_link_is_named_with_what_to_do(name):
    """It is the last one of its chain: what comes after it says nothing."""
    change, words, step = BROKEN[name]
    *sound, broken = findings(snapshot(**change))
    assert all(one.ok for one in sound)
    assert not broken.ok
    assert words in f"{broken.subject}: {broken.found}"
    assert step in broken.next_step


def test_another_source_of_the_adapter_is_no_fault():
    """It may ask a Prometheus that is not ours: it has values."""
    assert all(one.ok for one in findings(snapshot(replicas_scraped=None)))


KUBECTL = f"""\
#!{sys.executable}
import http.server, json, socketserver, sys

ANSWERS = json.loads({{answers!r}})

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ANSWERS.get(self.path.partition("?")[0])
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def address_string(self):
        return "a socket"

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

Server(sys.argv[2].removeprefix("--unix-socket="), Answers).serve_forever()
"""


def test_everything_is_asked_of_the_api_server(tmp_path, monkeypatch):
    """Objects of the namespace, both APIs of metrics, and Prometheus, through one kubectl."""
    group = {"spec": {"group": RESOURCE_METRICS}} | {"status": service("")["status"]}
    custom = {"spec": {"group": CUSTOM_METRICS}} | {"status": service("")["status"]}
    here = "namespaces/shop"
    answers = {
        f"/apis/autoscaling/v2/{here}/horizontalpodautoscalers": {"items": [autoscaler()]},
        f"/apis/apps/v1/{here}/deployments": {"items": [deployment()]},
        f"/api/v1/{here}/pods": {"items": [pod({"cpu": "1"})]},
        "/apis/apiregistration.k8s.io/v1/apiservices": {"items": [group, custom]},
        f"/apis/{RESOURCE_METRICS}/v1beta1/{here}/pods": {"items": [{"metadata": {"name": "gateway-1"}}]},
        f"/apis/{CUSTOM_METRICS}/v1beta1": {"resources": [{"name": "pods/requests_in_flight"}, {"name": "jobs/other"}]},
        f"/apis/{CUSTOM_METRICS}/v1beta1/{here}/pods/*/requests_in_flight": {
            "items": [{"describedObject": {"name": "gateway-1"}}]
        },
        f"/api/v1/{here}/services/prometheus:http/proxy/api/v1/query": {"data": {"result": [{"value": [0, "8"]}]}},
    }
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.format(answers=json.dumps(answers)))
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = examine_cluster({"INKMESH_NAMESPACE": "shop"})
    assert [one.subject for one in found if not one.ok] == []
    assert "it knows 8 replicas" in {one.found for one in found}


def test_without_a_cluster_it_says_what_to_set(tmp_path, monkeypatch):
    """No kubectl, or none that answers."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = examine_cluster({})
    assert not found.ok
    assert "KUBECONFIG" in found.next_step
