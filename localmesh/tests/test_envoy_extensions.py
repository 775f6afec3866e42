"""EnvoyFilter, Sidecar and Telemetry at work in a real Envoy."""

import asyncio
import json
import re

from envoys.http1 import Backend, eventually, get
from envoys.secured import policy, secured

from localmesh.translate.access_log import access_log
from localmesh.translate.fields_extensions import CONNECTIONS_TYPE

STRICT = policy("PeerAuthentication", "{mtls: {mode: STRICT}}")


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
            await eventually(lambda: any("/logged" in line["request"] for line in bench.access_log()))
            return [line["upstream_cluster"] for line in bench.access_log() if "/logged" in line["request"]]

    assert asyncio.run(scenario()) == ["web|outbound|8080||model.demo.svc.cluster.local"]


def test_the_access_log_has_istios_default_format():
    """As Istio's documentation prints it and its EnvoyTextLogFormat has it (pilot/pkg/model/telemetry_logging.go)."""
    istio = (
        r"[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
        r"%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
        r"\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
        r"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
        r"\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
        r"%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
        r"%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
    )
    (logger,) = access_log("access.log")
    assert logger["typed_config"]["log_format"] == {"text_format_source": {"inline_string": json.loads(f'"{istio}"')}}


def test_a_line_of_the_access_log_reads_as_on_a_cluster(bench, authority):
    """Field by field, so what reads the lines of a cluster reads these."""
    line = re.compile(
        r'\[\d{4}-\d\d-\d\dT[\d:.]+Z\] "GET /line HTTP/1\.1" 200 - via_upstream - "-" 0 1 \d+ \d+ '
        r'"[^"]*" "[^"]*" "[0-9a-f-]{36}" "127\.0\.0\.1:\d+" "127\.0\.0\.1:\d+" '
        r"\S+\|outbound\|8080\|\|model\.demo\.svc\.cluster\.local( 127\.0\.0\.1:\d+){3} - \S+"
    )
    path = bench.folder / "access.log"

    async def scenario():
        async with Backend("a") as a, secured(bench, authority, a):
            await get(bench.callers["web"], "/line")
            await eventually(lambda: path.exists() and any(map(line.fullmatch, path.read_text().splitlines())))

    asyncio.run(scenario())
