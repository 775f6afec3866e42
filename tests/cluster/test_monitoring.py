"""Prometheus sees every service, and every question of the dashboards and alerts has an answer under load."""

import json
import urllib.parse

import pytest

from kube import kubectl
from monitoring import alerts, panels, recordings
from product import eventually
from topology import SERVICES
from traffic import Visitors


def prometheus(path, **query):
    """An answer of Prometheus' API, through the API server."""
    words = urllib.parse.urlencode(query)
    raw = f"/api/v1/namespaces/inkmesh/services/prometheus:http/proxy/api/v1/{path}?{words}"
    answer = json.loads(kubectl("get", "--raw", raw))
    assert answer["status"] == "success", answer
    return answer["data"]


@pytest.fixture(scope="module")
def busy(product):
    """Readings, corrections and top-ups of every kind have just been made."""
    visitors = Visitors.arrive(product, count=4)
    guest = product.guest()
    for card in ("4242424242424242", "4000000000009235", "4000000000000002"):
        guest.top_up(1, card)
    for _ in range(5):
        guest.post(f"/api/v1/predictions/{guest.read().json()['id']}/feedback", {"label": 7})
    assert guest.read([0] * 63).status_code == 422
    guest.post("/api/v1/predictions/prd_none/feedback", {"label": 7})
    with product.sick(product.replicas("inference-v1")[0]):
        assert 503 in {guest.read().status_code for _ in range(8)}
    product.http.get("/")
    product.http.get("/predict?feature_1=0&feature_2=1&feature_3=2")
    # Envoy counts ejections only where a policy may eject.
    with product.scenario("breaker"), visitors.reading(20, 40):
        yield visitors


def test_every_services_targets_are_up(product):
    """Each replica of each service is scraped, and nothing is down."""

    def scraped():
        targets = [
            one for one in prometheus("targets", state="active")["activeTargets"] if one["labels"]["job"] == "pods"
        ]
        wanted = sum(len(product.replicas(service.name)) for service in SERVICES)
        return len(targets) == wanted and all(one["health"] == "up" for one in targets) and targets

    targets = eventually(scraped, 60, every=1)
    assert {one["labels"]["app"] for one in targets} == {service.name for service in SERVICES}


def answered(query):
    return prometheus("query", query=query)["result"]


@pytest.mark.parametrize("question", panels() + recordings(), ids=lambda question: question.name)
def test_every_question_has_an_answer(product, busy, question):
    """A dashboard's query, or a recording rule."""
    eventually(lambda: answered(question.query), 45, every=1)


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_every_alert_sees_what_it_watches(product, busy, alert):
    """It is silent while all is well, but there is data for each metric that it names."""
    for metric in alert.metrics():
        eventually(lambda metric=metric: answered(metric), 45, every=1)


def firing():
    return {one["labels"]["alertname"] for one in prometheus("alerts")["alerts"] if one["state"] == "firing"}


def test_no_alert_fires_while_all_is_well(product, busy):
    """Load alone is no reason to wake anyone; that everyone draws the same seven may be."""
    assert firing() <= {"ModelDrifts"}


def test_inputs_that_drift_are_told(product, busy):
    """Everyone draws the same seven: that is not what the models learned from."""
    eventually(lambda: "ModelDrifts" in firing() or not busy.read(20, 3), 180)
