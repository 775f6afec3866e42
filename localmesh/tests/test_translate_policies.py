"""What a policy may not say on a laptop, and how that is told."""

import pytest
import yaml

from localmesh.mesh import Address, Mesh, Workload
from localmesh.translate import Unsupported, translate

GROUPS = {
    "RequestAuthentication": "security.istio.io/v1",
    "AuthorizationPolicy": "security.istio.io/v1",
    "PeerAuthentication": "security.istio.io/v1",
    "Telemetry": "telemetry.istio.io/v1",
    "Sidecar": "networking.istio.io/v1",
    "EnvoyFilter": "networking.istio.io/v1alpha3",
}
FILTER = "{filter: {name: envoy.filters.network.http_connection_manager}}"
MATCH = f"{{context: SIDECAR_INBOUND, listener: {{filterChain: {FILTER}}}}}"
CASES = [
    ("RequestAuthentication", "{jwtRules: [{issuer: a}]}", "spec.jwtRules[0]", "needs jwks or jwksUri"),
    ("RequestAuthentication", "{jwtRules: [{issuer: a, jwks: x}]}", "spec.jwtRules[0].jwks", "JSON Web Key Set"),
    ("RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: x}]}", "spec.jwtRules[0].jwksUri", "http://"),
    ("RequestAuthentication", "{targetRef: {name: x}}", "spec.targetRef", "selector"),
    ("AuthorizationPolicy", "{action: CUSTOM, provider: {name: x}}", "spec.action", "authorization service"),
    ("AuthorizationPolicy", "{action: allow}", "spec.action", "supported: ALLOW, DENY, AUDIT"),
    ("AuthorizationPolicy", "{rules: [{form: []}]}", "spec.rules[0].form", "nearest supported one is from"),
    ("AuthorizationPolicy", "{rules: [{from: [{source: {}}]}]}", "spec.rules[0].from[0].source", "needs principals"),
    (
        "AuthorizationPolicy",
        "{rules: [{to: [{operation: {ports: [8080]}}]}]}",
        "spec.rules[0].to[0].operation.ports[0]",
        "quotes",
    ),
    (
        "AuthorizationPolicy",
        "{rules: [{to: [{operation: {paths: ['/a/{**}/b/{*}']}}]}]}",
        "spec.rules[0].to[0].operation.paths[0]",
        "last",
    ),
    (
        "AuthorizationPolicy",
        "{rules: [{from: [{source: {ipBlocks: [10.0.0.300]}}]}]}",
        "spec.rules[0].from[0].source.ipBlocks[0]",
        "neither an address nor a range",
    ),
    (
        "AuthorizationPolicy",
        "{rules: [{when: [{key: request.time, values: [x]}]}]}",
        "spec.rules[0].when[0].key",
        "not supported",
    ),
    ("AuthorizationPolicy", "{action: DENY}", "spec", "denies nothing"),
    (
        "AuthorizationPolicy",
        "{rules: [{from: [{source: {principals: []}}]}]}",
        "spec.rules[0].from[0].source",
        "needs principals",
    ),
    (
        "AuthorizationPolicy",
        "{rules: [{from: [{source: {serviceAccounts: ['*']}}]}]}",
        "spec.rules[0].from[0].source.serviceAccounts[0]",
        "NAMESPACE/ACCOUNT",
    ),
    (
        "AuthorizationPolicy",
        "{rules: [{from: [{source: {ipBlocks: [10.0.0.0/255.0.0.0]}}]}]}",
        "spec.rules[0].from[0].source.ipBlocks[0]",
        "neither an address nor a range",
    ),
    ("AuthorizationPolicy", "{selector: {matchLabels: {app: 'a*'}}}", "spec.selector.matchLabels.app", "no wildcards"),
    ("PeerAuthentication", "{mtls: {mode: MUTUAL}}", "spec.mtls.mode", "STRICT"),
    ("PeerAuthentication", "{portLevelMtls: {8080: {mode: STRICT}}}", "spec", "needs a selector"),
    ("Telemetry", "{accessLogging: [{providers: [{name: otel}]}]}", "spec.accessLogging[0].providers[0].name", "envoy"),
    ("Telemetry", "{tracing: [{providers: [{name: x}]}]}", "spec.tracing[0].providers", "no tracing provider"),
    ("Telemetry", "{metrics: [{}]}", "spec.metrics[0].providers", "is missing"),
    (
        "Telemetry",
        "{metrics: [{providers: [{name: prometheus}], overrides: []}]}",
        "spec.metrics[0].overrides",
        "by default",
    ),
    ("Sidecar", "{egress: [{hosts: [payment]}]}", "spec.egress[0].hosts[0]", "NAMESPACE/HOST"),
    ("Sidecar", "{egress: [{hosts: [demo/payment]}]}", "spec.egress[0].hosts[0]", "short name"),
    ("Sidecar", "{workloadSelector: {labels: {app: a}}}", "spec", "says nothing"),
    ("Sidecar", "{ingress: []}", "spec.ingress", "own ports"),
    ("EnvoyFilter", "{configPatches: [{applyTo: CLUSTER}]}", "spec.configPatches[0].applyTo", "local rate limit"),
    (
        "EnvoyFilter",
        f"{{configPatches: [{{applyTo: HTTP_FILTER, match: {MATCH}, patch: {{operation: REMOVE, value: {{}}}}}}]}}",
        "spec.configPatches[0].patch.operation",
        "local rate limit",
    ),
    (
        "EnvoyFilter",
        f"{{configPatches: [{{applyTo: HTTP_FILTER, match: {MATCH}, patch: {{operation: INSERT_BEFORE, "
        "value: {name: envoy.filters.http.lua, typed_config: {}}}}]}",
        "spec.configPatches[0].patch.value.name",
        "local rate limit",
    ),
    (
        "EnvoyFilter",
        "{configPatches: [{applyTo: NETWORK_FILTER, match: {context: SIDECAR_OUTBOUND, listener: {}}, patch: {}}]}",
        "spec.configPatches[0].match.context",
        "local rate limit",
    ),
]


@pytest.mark.parametrize(("kind", "spec", "field", "words"), CASES, ids=[f"{one[0]}-{one[2]}" for one in CASES])
def test_a_wrong_field_is_named(kind, spec, field, words):
    """The error has the kind, the name, the field's path, and what to do instead."""
    document = {
        "apiVersion": GROUPS[kind],
        "kind": kind,
        "metadata": {"name": "x", "namespace": "demo"},
        "spec": yaml.safe_load(spec),
    }
    with pytest.raises(Unsupported) as refused:
        translate(Mesh((), (), (), (document,)))
    assert (refused.value.resource, refused.value.field) == (f"{kind} demo/x", field)
    assert words in refused.value.reason


@pytest.mark.parametrize(
    ("action", "said"), [("AUDIT", "true"), ("ALLOW", "yes")], ids=["of another action", "no boolean"]
)
def test_a_trial_that_istio_does_not_know_is_named(action, said):
    """A policy that was meant to be tried shall not act in silence."""
    policy = {
        "apiVersion": GROUPS["AuthorizationPolicy"],
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "x", "namespace": "demo", "annotations": {"istio.io/dry-run": said}},
        "spec": {"action": action, "rules": [{}]},
    }
    with pytest.raises(Unsupported, match=r"metadata.annotations.istio.io/dry-run: "):
        translate(Mesh((), (), (), (policy,)))


def test_two_telemetries_that_select_one_workload_are_named():
    """In Istio it depends on the order of questions what they mean."""
    workload = Workload("model", "demo", {"app": "model"})
    documents = [
        {
            "apiVersion": GROUPS["Telemetry"],
            "kind": "Telemetry",
            "metadata": {"name": name, "namespace": "demo"},
            "spec": {"selector": {"matchLabels": {"app": "model"}}, "accessLogging": [{"disabled": True}]},
        }
        for name in ("one", "two")
    ]
    mesh = Mesh((), (workload,), (), tuple(documents))
    with pytest.raises(Unsupported, match=r"Telemetry demo/two: spec.selector: it selects model, as one does"):
        translate(mesh)


@pytest.mark.parametrize(("mode", "logged"), [("CLIENT", True), ("SERVER", False), ("CLIENT_AND_SERVER", True)])
def test_the_edge_logs_as_a_client(mode, logged):
    """As in Istio: what comes in at the edge is a call that the edge makes."""
    telemetry = {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "x", "namespace": "istio-system"},
        "spec": {"accessLogging": [{"match": {"mode": mode}, "providers": [{"name": "envoy"}]}]},
    }
    gateway = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "demo"},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
        },
    }
    ports = {80: Address("127.0.0.1", 8080)}
    made = translate(Mesh((), (), (), (telemetry, gateway), gateway_ports=ports, log_file="access.log"))
    (listener,) = made.listeners
    settings = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert bool(settings["access_log"]) is logged
