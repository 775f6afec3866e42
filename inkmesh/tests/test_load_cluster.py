"""What the API server and the sidecars of a cluster tell, as a second of a run."""

import asyncio
import sys

import pytest

from inkmesh.load.cluster import Cluster, envoys, measured, scenario, served, usage, workloads
from inkmesh.load.sidecars import Counts, counts, runs
from localmesh.errors import LocalmeshError

STATISTICS = """\
# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{cluster_name="inbound|8080||"} 7
envoy_cluster_upstream_rq_total{cluster_name="inbound|9090||"} 5
envoy_cluster_upstream_rq_total{cluster_name="outbound|9090|v1|inference"} 40
envoy_cluster_upstream_rq_total{cluster_name="xds-grpc"} 9
envoy_cluster_upstream_rq_retry{cluster_name="outbound|9090|v1|inference"} 3
envoy_cluster_upstream_rq_pending_overflow{cluster_name="outbound|8080|v1|inference"} 2
envoy_cluster_outlier_detection_ejections_active{cluster_name="outbound|9090|v1|inference"} 1
envoy_cluster_outlier_detection_ejections_enforced_total{cluster_name="outbound|9090|v1|inference"} 4
envoy_cluster_outlier_detection_ejections_active{cluster_name="outbound|9090|v2|inference"} 1
"""

KUBECTL = f"""\
#!{sys.executable}
import http.server, json, socketserver, sys

sidecar = {{"name": "istio-proxy", "state": {{"running": {{}}}}, "restartCount": 0}}
LISTS = {{
    "deployments": [{{"metadata": {{"name": "gateway"}}, "spec": {{}}, "status": {{"readyReplicas": 1}}}}],
    "pods": [{{"metadata": {{"name": "gateway-1-2"}}, "status": {{"containerStatuses": [sidecar]}}}}],
    "horizontalpodautoscalers": [],
    "virtualservices": [{{"metadata": {{"annotations": {{"inkmesh/scenario": "mirror"}}}}}}],
}}

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.partition("?")[0].rsplit("/", 1)[1]
        if self.path.startswith("/apis/metrics"):
            name = "no such group"
        body = {STATISTICS!r} if name == "prometheus" else json.dumps({{"items": LISTS.get(name)}})
        known = self.headers["host"] == "localhost" and (name in LISTS or name == "prometheus")
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(body.encode())

    def address_string(self):
        return "a socket"

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

assert sys.argv[1] == "proxy"
Server(sys.argv[2].removeprefix("--unix-socket="), Answers).serve_forever()
"""


def pod(name, proxy_restarts=0, restarts=0):
    running = {"state": {"running": {}}}
    return {
        "metadata": {"name": name},
        "status": {
            "initContainerStatuses": [{"name": "istio-proxy", "restartCount": proxy_restarts} | running],
            "containerStatuses": [{"name": "service", "restartCount": restarts} | running],
        },
    }


def test_deployments_and_their_pods_are_workloads():
    """Wanted and ready replicas, and every restart of a container of its pods."""
    deployments = [
        {"metadata": {"name": "gateway"}, "spec": {"replicas": 3}, "status": {"readyReplicas": 2}},
        {"metadata": {"name": "idle"}, "spec": {"replicas": 0}},
    ]
    pods = [pod("gateway-5d9c-x1", proxy_restarts=1, restarts=2), {"metadata": {"name": "gateway-5d9c-x2"}}]
    assert workloads(deployments, pods) == {
        "gateway": {"desired": 3, "ready": 2, "restarts": 3},
        "idle": {"desired": 0, "ready": 0, "restarts": 0},
    }


def test_an_autoscaler_tells_each_metric_against_its_target():
    """None of it before the first look; what could not be measured has an empty place among the others."""
    percent = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 120}}}
    in_flight = {"metric": {"name": "requests_in_flight"}, "target": {"averageValue": "4"}}
    now = {"type": "Pods", "pods": {"current": {"averageValue": "4427m"}}}
    metrics = [{"type": "Pods", "pods": in_flight}, {"type": "External"}, percent]
    spec = {"scaleTargetRef": {"name": "gateway"}, "maxReplicas": 4, "metrics": metrics}

    def told(*currents):
        found = list(measured({"spec": spec, "status": {"currentMetrics": list(currents)}}))
        assert {(one["workload"], one["min"], one["max"]) for one in found} == {("gateway", 1, 4)}
        return [(one["metric"], one["current"], one["target"]) for one in found]

    unknown = {"type": ""}
    assert told(now, unknown, current) == [("requests_in_flight", pytest.approx(4.427), 4), ("cpu", 120, 80)]
    assert told(unknown, unknown, current) == [("requests_in_flight", None, 4), ("cpu", 120, 80)]
    assert told() == [("requests_in_flight", None, 4), ("cpu", None, 80)]


def test_a_sidecar_counts_what_comes_in_and_what_becomes_of_what_goes_out():
    """Requests into its pod at every port; retries, refusals and ejections on the way to all others."""
    found = counts(STATISTICS)
    assert found.served == 12
    assert found.envoy == {"ejected": 2, "ejections": 4, "retries": 3, "refused": 2}


def test_a_pods_share_and_the_sum_of_all_sidecars():
    """A pod without a sidecar has no share; a sidecar that was started again is told."""
    pods = [pod("inference-v1-5d9c-x1", proxy_restarts=1), pod("inference-v1-5d9c-x2"), {"metadata": {"name": "a-b-c"}}]
    told = [counts(STATISTICS), Counts(served=1), None]
    assert [runs(one) for one in pods] == [True, True, False]
    assert served(pods, told) == {
        "inference-v1-x1": {"workload": "inference-v1", "count": 12},
        "inference-v1-x2": {"workload": "inference-v1", "count": 1},
    }
    assert envoys(pods, told) == {"ejected": 2, "ejections": 4, "retries": 3, "refused": 2, "restarts": 1}


def test_a_scenario_is_known_by_what_it_changed():
    """Its patch leaves an annotation; none of it, no scenario."""
    canary = {"metadata": {"annotations": {"inkmesh/scenario": "canary-10"}}}
    assert scenario([{"metadata": {}}, canary]) == "canary-10"
    assert scenario([{"metadata": {"annotations": {"other": "x"}}}]) is None


def sampled(cluster):
    async def ask():
        try:
            return await cluster.sample()
        finally:
            await cluster.close()

    return asyncio.run(ask())


def test_a_second_is_asked_of_the_api_server(tmp_path, monkeypatch):
    """Objects and each pod's sidecar, through one kubectl; what a cluster has not got is left out."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = sampled(Cluster("http://ingress.example"))
    assert found["workloads"]["gateway"]["ready"] == 1
    assert found["served"] == {"gateway-2": {"workload": "gateway", "count": 12}}
    assert found["envoy"]["ejected"] == 2
    assert (found["scenario"], found["autoscalers"], found["cpu"]) == ("mirror", [], {})


def test_a_sidecar_that_does_not_answer_counts_what_it_told_before(tmp_path, monkeypatch):
    """Else its part would look like news when it answers again; its pod's share is not known in that second."""
    kubectl, busy = tmp_path / "kubectl", tmp_path / "busy"
    text = KUBECTL.replace('name == "prometheus")', f'name == "prometheus" and not os.path.exists({str(busy)!r}))')
    assert text != KUBECTL
    kubectl.write_text(text.replace("import http.server,", "import os, http.server,"))
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    async def twice(cluster):
        try:
            first = await cluster.sample()
            busy.touch()
            return first, await cluster.sample()
        finally:
            await cluster.close()

    before, after = asyncio.run(twice(Cluster("http://ingress.example")))
    assert before["envoy"] == after["envoy"]
    assert (len(before["served"]), len(after["served"])) == (1, 0)


def test_a_second_without_an_answer_is_none(tmp_path, monkeypatch):
    """No kubectl, or no cluster behind it: the run goes on."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sampled(Cluster("http://ingress.example")) is None
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\nexit 1\n")
    kubectl.chmod(0o755)
    assert sampled(Cluster("http://ingress.example")) is None


def test_cpu_is_of_all_containers_of_a_pod():
    """In whatever unit metrics-server tells it; the sidecars' is told apart."""
    containers = [{"name": "service", "usage": {"cpu": cpu}} for cpu in ("250000000n", "1500u", "1")]
    sidecar = {"name": "istio-proxy", "usage": {"cpu": "20m"}}
    items = [
        {"metadata": {"name": "gateway-1"}, "containers": [*containers, sidecar]},
        {"metadata": {"name": "payment-1"}, "containers": [sidecar]},
    ]
    assert usage(items) == {"gateway-1": pytest.approx(1.2515), "envoy": pytest.approx(0.04)}


def test_without_an_ingress_it_is_told_what_to_set():
    """A cluster is named by KUBECONFIG and INGRESS_URL."""
    with pytest.raises(LocalmeshError, match="INGRESS_URL"):
        Cluster.of({})
