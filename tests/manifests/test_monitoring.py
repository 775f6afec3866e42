"""Rules and dashboards: every query parses, and names only metrics that somebody has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitoring import DASHBOARDS, FOLDER, alerts, panels, recordings, rules
from product import ROOT

ENVOYS = set(Path(__file__).with_name("envoy_statistics.txt").read_text().split())
PROMETHEUS = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}
RECORDED = {recording.name for recording in recordings()}
QUESTIONS = panels() + recordings() + alerts()


def metrics_of_the_code():
    """Names as Prometheus stores them: a counter has `_total`, a histogram three series."""
    files = [file for folder in ("packages", "services", "gateway") for file in (ROOT / folder).rglob("src/**/*.py")]
    text = "\n".join(file.read_text() for file in files)
    found = set()
    for kind, name in re.findall(r'(Counter|Gauge|Histogram)(?:MetricFamily)?\(\s*"(inkmesh_[a-z0-9_]+)"', text):
        ends = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}[kind]
        found |= {name.removesuffix("_total") + end for end in ends}
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_query_names_metrics_that_exist(question):
    """The code's, Envoy's, the client library's and Prometheus' own, or what a rule records."""
    named = question.metrics()
    assert named
    assert named <= metrics_of_the_code() | ENVOYS | PROMETHEUS | RECORDED


def test_envoys_list_is_what_is_used():
    """No name in the list is left over."""
    assert {name for question in QUESTIONS for name in question.metrics()} >= ENVOYS


def test_an_alert_says_what_is_wrong_and_what_to_do_next():
    """Both in words, and how bad it is."""
    assert len({alert.name for alert in alerts()}) == len(alerts())
    for rule in (rule for rule in rules() if "alert" in rule):
        assert set(rule["annotations"]) == {"summary", "next"}, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_whole(file):
    """Panels do not overlap, each has a unit and a legend, and the data source can be chosen."""
    dashboard = json.loads(file.read_text())
    assert dashboard["uid"] == f"inkmesh-{file.stem}"
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(target["legendFormat"] for target in panel["targets"])


def test_every_deployment_is_scraped(rendered):
    """Each has a headless Service of its own, which prometheus.yaml asks DNS for."""
    documents = rendered["all components"]
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    names = config["scrape_configs"][0]["dns_sd_configs"][0]["names"]
    ours = {
        one.name
        for one in documents
        if one.kind == "Deployment" and one.metadata["labels"].get("app.kubernetes.io/part-of") == "inkmesh"
    }
    assert {name.removeprefix("_metrics._tcp.").removesuffix("-metrics") for name in names} == ours
    services = {one.name: one["spec"] for one in documents if one.kind == "Service"}
    assert all(services[f"{name}-metrics"]["clusterIP"] == "None" for name in ours)


def test_alerts_fire_when_they_should():
    """Prometheus' own tests of rules: rules_test.yaml."""
    if shutil.which("promtool") is None:
        pytest.skip("there is no promtool: Debian's package prometheus has it")
    file = Path(__file__).with_name("rules_test.yaml")
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
