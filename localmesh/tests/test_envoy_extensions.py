"""EnvoyFilter, Sidecar and Telemetry at work in a real Envoy."""

import asyncio
import json

import httpx
import pytest
from envoys.bench import started
from envoys.http1 import Backend, eventually, get
from envoys.secured import policy, secured

from localmesh.certificates import Certificates
from localmesh.translate.fields_extensions import CONNECTIONS_TYPE

STRICT = policy("PeerAuthentication", "{mtls: {mode: STRICT}}")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with started(tmp_path_factory.mktemp("envoy")) as found:
        yield found


@pytest.fixture(scope="module")
def authority(bench):
    return Certificates(bench.directory.path)


def test_what_the_mesh_refuses_can_be_a_problem(bench, authority):
    """A local_reply_config gives refusals the body of one's own, without a word of the request."""
    replies = policy(
        "EnvoyFilter",
        """
        configPatches:
        - applyTo: NETWORK_FILTER
          match:
            context: SIDECAR_INBOUND
            listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
          patch:
            operation: MERGE
            value:
              typed_config:
                "@type": CONNECTIONS
                local_reply_config:
                  body_format:
                    content_type: application/problem+json
                    json_format: {status: "%RESPONSE_CODE%", detail: "%LOCAL_REPLY_BODY%"}
        """.replace("CONNECTIONS", CONNECTIONS_TYPE),
        group="networking",
    )

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, replies, policy("AuthorizationPolicy", "{}")):
            return await get(bench.callers["web"])

    answer = asyncio.run(scenario())
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
    assert json.loads(answer.body) == {"status": 403, "detail": "RBAC: access denied"}


def test_a_local_rate_limit_answers_429(bench, authority):
    """Five tokens: the sixth request is told when to come back, and the service never sees it."""
    limit = policy(
        "EnvoyFilter",
        """
        configPatches:
        - applyTo: HTTP_FILTER
          match:
            context: SIDECAR_INBOUND
            listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
          patch:
            operation: INSERT_BEFORE
            value:
              name: envoy.filters.http.local_ratelimit
              typed_config:
                "@type": type.googleapis.com/udpa.type.v1.TypedStruct
                type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
                value:
                  stat_prefix: limit
                  token_bucket: {max_tokens: 5, tokens_per_fill: 5, fill_interval: 600s}
                  filter_enabled: {default_value: {numerator: 100, denominator: HUNDRED}}
                  filter_enforced: {default_value: {numerator: 100, denominator: HUNDRED}}
                  response_headers_to_add: [{header: {key: retry-after, value: "600"}}]
        """,
        group="networking",
    )

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, limit):
            answers = [await get(bench.callers["web"]) for _ in range(6)]
            return answers, len(a.requests)

    answers, seen = asyncio.run(scenario())
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "600"
    assert seen == 5


def test_a_sidecar_takes_a_way_out_away(bench, authority):
    """A caller whose Sidecar does not name a service gets 502 for it, and the service no request."""
    only = policy(
        "Sidecar",
        """
        workloadSelector: {labels: {app: web}}
        outboundTrafficPolicy: {mode: REGISTRY_ONLY}
        egress: [{hosts: ["~/*"]}]
        """,
        group="networking",
    )

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, only):
            return [(await get(bench.callers[name])).status for name in ("web", "batch")]

    assert asyncio.run(scenario()) == [502, 200]


def test_telemetry_says_what_is_logged(bench, authority):
    """Off for the workload that is called: its callers' side has a line, its own has none."""
    off = policy(
        "Telemetry", "{selector: {matchLabels: {app: model}}, accessLogging: [{disabled: true}]}", group="telemetry"
    )

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, off):
            await get(bench.callers["web"], "/logged")
            await eventually(lambda: any(line["path"] == "/logged" for line in bench.access_log()))
            return [line["upstream_cluster"] for line in bench.access_log() if line["path"] == "/logged"]

    assert asyncio.run(scenario()) == ["web|outbound|8080||model.demo.svc.cluster.local"]


def test_requests_are_counted_with_istios_labels(bench, authority):
    """Where Telemetry asks for metrics: each side counts each call, by who called whom and what came of it."""
    metrics = policy("Telemetry", "{metrics: [{providers: [{name: prometheus}]}]}", group="telemetry")
    deny = policy("AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}")

    def lines(text):
        return [line for line in text.splitlines() if line.startswith("envoy_istio_requests_total{")]

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a, metrics, deny, STRICT):
            for path in ("/", "/", "/admin"):
                await get(bench.callers["web"], path)
            async with httpx.AsyncClient(base_url=f"http://{bench.admin_address}", trust_env=False) as admin:
                return lines((await admin.get("/stats/prometheus")).text)

    found = asyncio.run(scenario())
    for reporter in ("source", "destination"):
        ours = [line for line in found if f'reporter="{reporter}"' in line]
        counts = {("403" if 'response_code="403"' in line else "200"): line.rpartition(" ")[2] for line in ours}
        assert counts == {"200": "2", "403": "1"}
        labels = {
            'source_principal="spiffe://cluster.local/ns/demo/sa/web"',
            'destination_workload="model"',
            'destination_version="v1"',
            'destination_service="model.demo.svc.cluster.local"',
        }
        assert all(label in line for line in ours for label in labels), ours
