"""One request, followed through logs and metrics of all services."""

import json

import httpx
import pytest

from product import eventually, own
from topology import EDGES


def lines(product, request_id):
    found = {}
    for line in product.logs().splitlines():
        start = line.find("{")
        if request_id in line and start >= 0:
            entry = json.loads(line[start:])
            if "service" in entry:  # a proxy's lines have none
                found.setdefault(entry["service"], []).append(entry)
    return found


def followed(product, answer):
    """The lines of an answer's request, once three services have theirs."""
    name = answer.headers["x-request-id"]
    return eventually(lambda: (found := lines(product, name)) and len(found) == 3 and found)


def test_one_request_id_finds_its_lines_in_every_service(product):
    """A reading's id is in gateway's, payment's and inference's logs, under one trace."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = product.guest().read(traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    found = followed(product, answer)
    assert set(found) == {edge.upstream for edge in EDGES if edge.port == "grpc"} | {"gateway"}
    assert {entry["trace_id"] for entries in found.values() for entry in entries} == {trace}
    assert len(found["payment"]) == 2


def test_a_top_ups_trace_reaches_the_fraud_model(product):
    """The rare call by httpx carries the ids too."""
    guest = product.guest()
    body = {"credits": 5, "card": "4242424242424242"}
    found = followed(product, guest.post("/api/v1/topups", body, **{"idempotency-key": "trace"}))
    assert set(found) == {"gateway", "payment", "inference"}


def test_every_edge_of_the_topology_is_seen_in_the_mesh(product):
    """Each caller's calls to each upstream pass Envoy: its own clusters count them."""
    guest = product.guest()
    guest.read()
    guest.top_up(1)
    product.http.get("/")
    product.http.get("/predict?feature_1=0&feature_2=1&feature_3=2")
    for edge in EDGES:
        assert product.calls(edge, "upstream_rq_total") > 0, edge


def test_metrics_count_requests_and_predictions(product):
    """RED metrics by route template, predictions by model, version and label."""
    guest = product.guest()
    route = "POST /api/v1/predictions"

    def count(metric="inkmesh_requests_total", **labels):
        return sum(product.metric(one, metric, route=route, **labels) for one in product.replicas("gateway"))

    before = count(status="201")
    guest.read()
    guest.read()
    assert count(status="201") == before + 2
    assert count("inkmesh_request_duration_seconds_count") >= 2
    labels = {"model": "digits", "version": "v1", "label": "7"}
    replicas = product.replicas("inference-v1")
    assert sum(product.metric(replica, "inkmesh_predictions_total", **labels) for replica in replicas) >= 2


@pytest.mark.laptop
def test_every_replica_has_metrics_and_health(product):
    """/metrics, /healthz/live and /healthz/ready answer at each replica's own process."""
    for workload in product.status()["workloads"]:
        for replica in workload["replicas"]:
            for path in ("/metrics", "/healthz/live", "/healthz/ready"):
                assert httpx.get(f"{own(replica)}{path}").status_code == 200
