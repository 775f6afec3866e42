"""Istio's metrics at Istio's port and path, under Istio's names: what a query of a cluster's dashboards finds here."""

import asyncio
import re
from string import Template

import httpx
import promql_parser
import pytest
from envoys.http1 import Backend, eventually, get
from envoys.secured import policy, secured
from prometheus_client.parser import text_string_to_metric_families

from localmesh.certificates import Certificates
from localmesh.metrics_page import PATH

METRICS = policy("Telemetry", "{metrics: [{providers: [{name: prometheus}]}]}", group="telemetry")
DENY = policy("AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}")
STRICT = policy("PeerAuthentication", "{mtls: {mode: STRICT}}")
LABELS = {
    *(f"{side}_{name}" for side in ("source", "destination") for name in ("workload", "workload_namespace", "app")),
    *(f"{side}_{name}" for side in ("source", "destination") for name in ("version", "principal", "cluster")),
    *(f"{side}_canonical_{name}" for side in ("source", "destination") for name in ("service", "revision")),
    *("destination_service", "destination_service_name", "destination_service_namespace"),
    *("reporter", "request_protocol", "response_code", "response_flags", "grpc_response_status"),
    "connection_security_policy",
}
"""Those of https://istio.io/latest/docs/reference/config/metrics/."""


@pytest.fixture(scope="module")
def page(bench):
    """Three calls, one of them refused; then the page."""
    authority = Certificates(bench.directory.path)

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, METRICS, DENY, STRICT):
            for path in ("/", "/", "/admin"):
                await get(bench.callers["web"], path)
            async with httpx.AsyncClient(base_url=f"http://{bench.metrics_address}", trust_env=False) as client:
                assert (await client.post("/quitquitquit")).status_code == 404
                found = []

                async def complete():
                    # Counters are there at once, histograms when Envoy has put its threads' together.
                    found.append((await client.get(PATH)).text)
                    counts = samples(found[-1], "istio_request_duration_milliseconds_count")
                    return sum(value for _, value in counts) == 6

                await eventually(complete, 60)
                return found[-1]

    return asyncio.run(scenario())


def samples(page, name):
    found = [one for family in text_string_to_metric_families(page) for one in family.samples]
    return [(one.labels, one.value) for one in found if one.name == name]


@pytest.mark.parametrize("reporter", ["source", "destination"])
def test_requests_are_counted_with_istios_labels(page, reporter):
    """Each side counts each call, by who called whom and what came of it."""
    ours = [
        (labels, value) for labels, value in samples(page, "istio_requests_total") if labels["reporter"] == reporter
    ]
    assert {labels["response_code"]: value for labels, value in ours} == {"200": 2, "403": 1}
    for labels, _ in ours:
        assert labels.keys() == LABELS
        assert labels["source_principal"] == "spiffe://cluster.local/ns/demo/sa/web"
        assert labels["destination_principal"] == "spiffe://cluster.local/ns/demo/sa/model"
        assert labels["destination_service"] == "model.demo.svc.cluster.local"
        assert (labels["destination_workload"], labels["destination_version"]) == ("model", "v1")
        assert labels["destination_canonical_revision"] == "v1"
        assert (labels["request_protocol"], labels["grpc_response_status"]) == ("http", "")
        secured = "mutual_tls" if reporter == "destination" else "unknown"
        assert labels["connection_security_policy"] == secured
        assert (labels["source_workload"], labels["source_workload_namespace"]) == ("web", "demo")
        assert (labels["source_app"], labels["source_canonical_service"]) == ("web", "web")
        assert (labels["source_version"], labels["source_canonical_revision"]) == ("unknown", "latest")
        assert labels["source_cluster"] == "Kubernetes"


def test_durations_are_a_histogram_in_milliseconds(page):
    """As histogram_quantile wants it; the type is said under the same name."""
    assert "# TYPE istio_request_duration_milliseconds histogram" in page
    counts = samples(page, "istio_request_duration_milliseconds_count")
    assert sum(value for labels, value in counts if labels["reporter"] == "source") == 3
    buckets = samples(page, "istio_request_duration_milliseconds_bucket")
    assert {labels["le"] for labels, _ in buckets} >= {"+Inf", "1000"}


VARIABLES = {"service": "model.demo.svc.cluster.local", "workload": "model", "namespace": "demo", "srcwl": "web"}
DASHBOARDS = [
    'sum(irate(istio_requests_total{reporter="destination",destination_service=~"$service"}[1m])) by (response_code)',
    'round(sum(irate(istio_requests_total{reporter=~"source",destination_service=~"$service"}[5m])), 0.001)',
    'sum(irate(istio_requests_total{reporter=~"source",destination_service=~"$service",response_code!~"5.*"}[5m]))',
    'sum(rate(istio_requests_total{reporter=~"source|waypoint"}[5m])) by (destination_workload, destination_service)',
    'sum(irate(istio_requests_total{connection_security_policy="mutual_tls",destination_workload=~"$workload",'
    'destination_workload_namespace=~"$namespace",reporter=~"destination"}[5m])) by (source_workload, response_code)',
    'sum(irate(istio_requests_total{connection_security_policy!="mutual_tls",reporter=~"source",'
    'source_workload=~"$srcwl",source_workload_namespace=~"$namespace"}[5m])) by (destination_service, response_code)',
    'sum(istio_requests_total{reporter=~"source",destination_service="$service"}) by (source_cluster)',
    'histogram_quantile(0.99, sum(irate(istio_request_duration_milliseconds_bucket{reporter="destination",'
    'destination_service=~"$service"}[1m])) by (destination_workload, destination_workload_namespace, le))',
]
"""Queries of Istio's own mesh, service and workload dashboards."""


@pytest.mark.parametrize("query", DASHBOARDS)
def test_a_query_of_istios_dashboards_finds_its_series(page, query):
    """What was answered and what was refused is selected, and each label that it sums by has a value."""
    (selector,), by = selected(promql_parser.parse(Template(query).substitute(VARIABLES)))
    found = [labels for labels, _ in samples(page, selector.name) if matches(labels, selector.matchers.matchers)]
    assert {labels["response_code"] for labels in found} == {"200", "403"}
    assert all(labels[name] for labels in found for name in by)


def selected(node):
    """The selectors within a query, and the labels that it groups by."""
    modifier = getattr(node, "modifier", None)
    selectors, by = [], list(modifier.labels) if modifier else []
    if isinstance(node, promql_parser.VectorSelector):
        selectors.append(node)
    children = [getattr(node, name, None) for name in ("expr", "vector_selector")]
    for child in (*children, *(getattr(node, "args", None) or [])):
        if child is not None:
            more, others = selected(child)
            selectors += more
            by += others
    return selectors, by


def matches(labels, matchers):
    """As Prometheus does: regular expressions match a whole value, and a label that is missing is empty."""
    operators = promql_parser.MatchOp
    for one in matchers:
        value = labels.get(one.name, "")
        same = value == one.value if one.op in (operators.Equal, operators.NotEqual) else re.fullmatch(one.value, value)
        if bool(same) != (one.op in (operators.Equal, operators.Re)):
            return False
    return True


def test_envoys_own_statistics_keep_their_names(page):
    """Nothing but Istio's names was changed."""
    assert "\nenvoy_server_live{} 1" in page
