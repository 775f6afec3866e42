"""Each field that is unknown, not supported or wrong is an error that names file, resource and field."""

import pytest
import yaml

from localmesh.mesh import Mesh
from localmesh.translate import Unsupported, translate

ROUTE = "route: [{destination: {host: model}}]"


def document(kind, spec):
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": "model", "namespace": "demo", "annotations": {"localmesh/file": "istio/model.yaml"}},
        "spec": yaml.safe_load(spec),
    }


def refusal(kind, spec):
    """The error that a document with this spec gives."""
    with pytest.raises(Unsupported) as refused:
        translate(Mesh((), (), (), (document(kind, spec),)))
    return refused.value


def http(route):
    return f"{{hosts: [model], http: [{route}]}}"


VIRTUAL_SERVICES = [
    (http(f"{{{ROUTE}, retry: {{attempts: 1}}}}"), "spec.http[0].retry", "nearest supported one is retries"),
    (http("{route: [{destination: {host: model}, weigth: 3}]}"), "spec.http[0].route[0].weigth", "is weight"),
    (
        http("{route: [{destination: {host: a, port: {name: x}}}]}"),
        "spec.http[0].route[0].destination.port.name",
        "number",
    ),
    (http("{delegate: {name: x, of: y}}"), "spec.http[0].delegate.of", "supported: name, namespace"),
    ("{http: [{delegate: {name: x}}]}", "spec", "cannot delegate further"),
    ("{gateways: [x], http: [{redirect: {uri: /}}]}", "spec", "a VirtualService without hosts is a delegate"),
    (f"{{hosts: [model], tcp: [{{{ROUTE}}}]}}", "spec.tcp", "speaks HTTP alone; use http routes"),
    (f"{{hosts: [model], tls: [{{{ROUTE}}}]}}", "spec.tls", "speaks HTTP alone; use http routes"),
    ("{hosts: [], http: []}", "spec.http", "must not be empty"),
    ("{http: [{}]}", "spec.http[0]", "exactly one of route"),
    ("{hosts: ['*'], " + f"http: [{{{ROUTE}}}]}}", "spec", "the host * is for gateways"),
    ("{hosts: [a.example.com, '*.example.com'], " + f"http: [{{{ROUTE}}}]}}", "spec", "overlap"),
    ("{hosts: [model], exportTo: ['~'], " + f"http: [{{{ROUTE}}}]}}", "spec.exportTo", "no DNS label"),
    (http(f"{{{ROUTE}, timeout: 10}}"), "spec.http[0].timeout", "must be a duration"),
    (http(f"{{{ROUTE}, timeout: 0s}}"), "spec.http[0].timeout", "at least 1ms"),
    (http(f"{{{ROUTE}, timeout: 1 minute}}"), "spec.http[0].timeout", "no duration"),
    (http(f"{{{ROUTE}, timeout: 1.5ms}}"), "spec.http[0].timeout", "a multiple of 1ms"),
    (
        http(f"{{{ROUTE}, match: [{{headers: {{x: {{exact: no}}}}}}]}}"),
        "spec.http[0].match[0].headers.x.exact",
        "quotes",
    ),
    (
        http(f"{{{ROUTE}, match: [{{headers: {{x: {{suffix: a}}}}}}]}}"),
        "spec.http[0].match[0].headers.x.suffix",
        "prefix",
    ),
    (
        http(f"{{{ROUTE}, match: [{{headers: {{x: {{regex: '*'}}}}}}]}}"),
        "spec.http[0].match[0].headers.x.regex",
        "is no regular expression",
    ),
    (http(f"{{{ROUTE}, match: [{{uri: {{exact: a, prefix: b}}}}]}}"), "spec.http[0].match[0].uri", "only one of"),
    (
        http(f"{{{ROUTE}, match: [{{headers: {{'@request.auth.claims.sub': {{exact: a}}}}}}]}}"),
        "spec.http[0].match[0].headers.@request.auth.claims.sub",
        "not supported",
    ),
    (http(f"{{{ROUTE}, retries: {{attempts: -1}}}}"), "spec.http[0].retries.attempts", "between 0"),
    (http(f"{{{ROUTE}, retries: {{retryOn: 5xx}}}}"), "spec.http[0].retries", "attempts above 0"),
    (http(f"{{{ROUTE}, retries: {{attempts: 1, retryOn: '5xx, reset'}}}}"), "spec.http[0].retries.retryOn", "' reset'"),
    (http(f"{{{ROUTE}, fault: {{}}}}"), "spec.http[0].fault", "needs delay or abort"),
    (http(f"{{{ROUTE}, fault: {{abort: {{http2Error: X}}}}}}"), "spec.http[0].fault.abort.http2Error", "httpStatus"),
    (
        http(f"{{{ROUTE}, fault: {{abort: {{grpcStatus: NOPE}}}}}}"),
        "spec.http[0].fault.abort.grpcStatus",
        "UNAVAILABLE",
    ),
    (
        http(f"{{{ROUTE}, fault: {{delay: {{fixedDelay: 1s, percentage: {{value: 101}}}}}}}}"),
        "spec.http[0].fault.delay.percentage.value",
        "between 0 and 100",
    ),
    (http(f"{{{ROUTE}, redirect: {{uri: /}}}}"), "spec.http[0]", "exactly one of"),
    (http("{redirect: {uri: /, redirectCode: 300}}"), "spec.http[0].redirect.redirectCode", "301"),
    (http("{redirect: {uri: /}, rewrite: {uri: /x}}"), "spec.http[0]", "rewrite cannot go with redirect"),
    (http(f"{{{ROUTE}, rewrite: {{}}}}"), "spec.http[0].rewrite", "needs uri"),
    (
        http(f"{{{ROUTE}, mirror: {{host: a}}, mirrors: [{{destination: {{host: b}}}}]}}"),
        "spec.http[0]",
        "only one of mirror, mirrors",
    ),
    (http("{route: [{destination: {host: a}}, {destination: {host: b}}]}"), "spec.http[0]", "add up to 0"),
    (http(f"{{{ROUTE}, headers: {{request: {{set: {{x: 1}}}}}}}}"), "spec.http[0].headers.request.set.x", "quotes"),
    (
        http(f"{{{ROUTE}, headers: {{response: {{set: {{host: a}}}}}}}}"),
        "spec.http[0].headers.response.set.host",
        "host",
    ),
    (http(f"{{{ROUTE}, corsPolicy: {{maxAge: 1.5s}}}}"), "spec.http[0].corsPolicy.maxAge", "multiple of 1s"),
]

DESTINATION_RULES = [
    ("{host: model, subset: []}", "spec.subset", "is subsets"),
    ("{}", "spec.host", "is missing"),
    ("{host: model, trafficPolicy: {}}", "spec.trafficPolicy", "needs"),
    ("{host: model, trafficPolicy: {tls: {mode: MUTUAL}}}", "spec.trafficPolicy.tls", "clientCertificate"),
    (
        "{host: model, trafficPolicy: {tls: {mode: ISTIO_MUTUAL, caCertificates: /ca.pem}}}",
        "spec.trafficPolicy.tls",
        "name none",
    ),
    (
        "{host: model, trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true, credentialName: a}}}",
        "spec.trafficPolicy.tls",
        "cannot go with insecureSkipVerify",
    ),
    ("{host: model, trafficPolicy: {tunnel: {}}}", "spec.trafficPolicy.tunnel", "directly"),
    ("{host: model, workloadSelector: {}}", "spec.workloadSelector", "exportTo"),
    (
        "{host: model, trafficPolicy: {outlierDetection: {consecutive5xx: 3}}}",
        "spec.trafficPolicy.outlierDetection.consecutive5xx",
        "nearest supported one is consecutive5xxErrors",
    ),
    (
        "{host: model, trafficPolicy: {outlierDetection: {consecutiveErrors: 3}}}",
        "spec.trafficPolicy.outlierDetection.consecutiveErrors",
        "use consecutive5xxErrors",
    ),
    (
        "{host: model, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}",
        "spec.trafficPolicy.loadBalancer.simple",
        "ROUND_ROBIN",
    ),
    (
        "{host: model, trafficPolicy: {loadBalancer: {localityLbSetting: {enabled: true}}}}",
        "spec.trafficPolicy.loadBalancer.localityLbSetting",
        "leave it out",
    ),
    (
        "{host: model, trafficPolicy: {loadBalancer: {consistentHash: {maglev: {tableSize: 100}}}}}",
        "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
        "prime",
    ),
    ("{host: model, trafficPolicy: {connectionPool: {}}}", "spec.trafficPolicy.connectionPool", "needs tcp or http"),
    (
        "{host: model, trafficPolicy: {connectionPool: {http: {maxPending: 1}}}}",
        "spec.trafficPolicy.connectionPool.http.maxPending",
        "nearest",
    ),
    ("{host: model, subsets: [{name: v1}, {name: v1}]}", "spec", "'v1' twice"),
    ("{host: model, subsets: [{name: v_1}]}", "spec.subsets[0].name", "no DNS label"),
]

GATEWAYS = [
    (
        "{servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*']}]}",
        "spec.servers[0]",
        "needs tls",
    ),
    (
        "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {mode: SIMPLE}}]}",
        "spec.servers[0]",
        "httpsRedirect alone",
    ),
    (
        "{servers: [{port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}]}",
        "spec.servers[0].port.protocol",
        "speaks HTTP alone",
    ),
    (
        "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], bind: 1.2.3.4}]}",
        "spec.servers[0].bind",
        "127.0.0.1",
    ),
    ("{servers: []}", "spec.servers", "must not be empty"),
]

SERVICE_ENTRIES = [
    ("{hosts: ['*.example.com'], resolution: DNS}", "spec.hosts[0]", "name hosts"),
    ("{hosts: [a.example.com], resolution: NONE}", "spec.resolution", "use DNS"),
    ("{hosts: [a.example.com], resolution: DNS, addresses: [10.0.0.0/8]}", "spec.addresses[0]", "is no address"),
    ("{hosts: [a.example.com], resolution: DNS, workloadSelector: {}}", "spec.workloadSelector", "a Service selects"),
    (
        "{hosts: [a.example.com], resolution: STATIC, endpoints: [{address: b.example.com}]}",
        "spec",
        "names need DNS",
    ),
    (
        "{hosts: [a.example.com, b.example.com], resolution: DNS, ports: [{number: 1, name: a, protocol: TCP}]}",
        "spec",
        "cannot tell several hosts apart",
    ),
]

ALL = [
    *(("ServiceEntry", *one) for one in SERVICE_ENTRIES),
    *(("VirtualService", *one) for one in VIRTUAL_SERVICES),
    *(("DestinationRule", *one) for one in DESTINATION_RULES),
    *(("Gateway", *one) for one in GATEWAYS),
]


@pytest.mark.parametrize(("kind", "spec", "field", "words"), ALL, ids=[f"{one[0]}-{one[2]}" for one in ALL])
def test_a_wrong_field_is_named(kind, spec, field, words):
    """The error has the document's file, its kind and name, the field's path, and what to do instead."""
    error = refusal(kind, spec)
    assert (error.file, error.resource, error.field) == ("istio/model.yaml", f"{kind} demo/model", field)
    assert words in error.reason
    assert str(error) == f"istio/model.yaml: {kind} demo/model: {field}: {error.reason}"


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("networking.istio.io/v1", "WorkloadEntry"),
        ("networking.istio.io/v1", "WorkloadGroup"),
        ("extensions.istio.io/v1alpha1", "WasmPlugin"),
        ("security.istio.io/v2", "PeerAuthentication"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("networking.istio.io/v2", "VirtualService"),
    ],
)
def test_another_kind_is_named(api, kind):
    """A kind that steers traffic and is not translated is an error, never left out in silence."""
    other = {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "demo"}, "spec": {}}
    with pytest.raises(Unsupported, match=f"{kind} demo/x: (kind|apiVersion): "):
        translate(Mesh((), (), (), (other,)))


def test_kubernetes_documents_are_not_read():
    """What is not about traffic between services is none of the translation's business."""
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {"any": "thing"}}
    assert translate(Mesh((), (), (), (other,))) == translate(Mesh((), (), (), ()))


def test_a_field_of_null_is_an_absent_field():
    """As in proto3 JSON, `null` is not set."""
    spec = http(f"{{{ROUTE}, timeout: null, retries: null, fault: null, match: null}}")
    plain = http(f"{{{ROUTE}}}")
    one, other = (translate(Mesh((), (), (), (document("VirtualService", text),))) for text in (spec, plain))
    assert one == other
