"""Istio's metrics at Istio's port and path, under Istio's names: what a query of a cluster's dashboards finds here."""

import asyncio
import re

import httpx
import pytest
from envoys.http1 import Backend, eventually, get
from envoys.secured import policy, secured

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
    lines = re.findall(rf"^{name}{{(.*)}} (\S+)$", page, re.MULTILINE)
    return [(dict(re.findall(r'([a-z_]+)="([^"]*)"', labels)), float(value)) for labels, value in lines]


@pytest.mark.parametrize("reporter", ["source", "destination"])
def test_requests_are_counted_with_istios_labels(page, reporter):
    """Each side counts each call, by who called whom and what came of it."""
    ours = [
        (labels, value) for labels, value in samples(page, "istio_requests_total") if labels["reporter"] == reporter
    ]
    assert {labels["response_code"]: value for labels, value in ours} == {"200": 2, "403": 1}
    for labels, _ in ours:
        assert labels.keys() >= LABELS
        assert labels["source_principal"] == "spiffe://cluster.local/ns/demo/sa/web"
        assert labels["destination_principal"] == "spiffe://cluster.local/ns/demo/sa/model"
        assert labels["destination_service"] == "model.demo.svc.cluster.local"
        assert (labels["destination_workload"], labels["destination_version"]) == ("model", "v1")
        assert labels["destination_canonical_revision"] == "v1"
        assert (labels["request_protocol"], labels["grpc_response_status"]) == ("http", "")
        secured = "mutual_tls" if reporter == "destination" else "unknown"
        assert labels["connection_security_policy"] == secured
        assert labels["source_workload"] == ("web" if reporter == "source" else "unknown")


def test_durations_are_a_histogram_in_milliseconds(page):
    """As histogram_quantile wants it; the type is said under the same name."""
    assert "# TYPE istio_request_duration_milliseconds histogram" in page
    counts = samples(page, "istio_request_duration_milliseconds_count")
    assert sum(value for labels, value in counts if labels["reporter"] == "source") == 3
    buckets = samples(page, "istio_request_duration_milliseconds_bucket")
    assert {labels["le"] for labels, _ in buckets} >= {"+Inf", "1000"}


def test_envoys_own_statistics_keep_their_names(page):
    """Nothing but Istio's names was changed."""
    assert "\nenvoy_server_live{} 1" in page
