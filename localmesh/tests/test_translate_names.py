"""Names and patterns that Istio's own validation refuses are refused here, by the field that has them."""

import pytest

from localmesh.mesh import Mesh
from localmesh.translate import Unsupported, translate

ROUTE = "route: [{destination: {host: model}}]"


def http(route):
    return f"{{hosts: [model], http: [{{{route}}}]}}"


def match(condition):
    return http(f"{ROUTE}, match: [{{{condition}}}]")


SERVER = "port: {number: 443, name: a, protocol: HTTPS}"
TLS = "tls: {mode: SIMPLE, credentialName: a"
CASES = [
    ("VirtualService", f"{{hosts: [''], http: [{{{ROUTE}}}]}}", "spec.hosts[0]", "no host's name"),
    ("VirtualService", f"{{hosts: [a_b], http: [{{{ROUTE}}}]}}", "spec.hosts[0]", "no host's name"),
    ("VirtualService", f"{{hosts: [a], gateways: [''], http: [{{{ROUTE}}}]}}", "spec.gateways[0]", "no host's name"),
    ("VirtualService", f"{{hosts: [a], gateways: [a/], http: [{{{ROUTE}}}]}}", "spec.gateways[0]", "no DNS label"),
    ("VirtualService", f"{{hosts: [a], exportTo: [., demo], http: [{{{ROUTE}}}]}}", "spec.exportTo", "same namespace"),
    (
        "VirtualService",
        http("route: [{destination: {host: ''}}]"),
        "spec.http[0].route[0].destination.host",
        "no host's name",
    ),
    ("VirtualService", http("route: [{destination: {host: '*'}}]"), "spec.http[0].route[0].destination.host", "name"),
    ("VirtualService", match("uri: {regex: '(a'}"), "spec.http[0].match[0].uri.regex", "missing )"),
    ("VirtualService", match("headers: {x: {regex: '(a'}}"), "spec.http[0].match[0].headers.x.regex", "missing )"),
    (
        "VirtualService",
        match("queryParams: {q: {regex: '(?=a)'}}"),
        "spec.http[0].match[0].queryParams.q.regex",
        "no regular expression as RE2 has them",
    ),
    (
        "VirtualService",
        match(r"withoutHeaders: {x: {regex: '\C'}}"),
        "spec.http[0].match[0].withoutHeaders.x.regex",
        "without it",
    ),
    ("VirtualService", match(f"uri: {{regex: {'a' * 1025}}}"), "spec.http[0].match[0].uri.regex", "1024 characters"),
    ("VirtualService", match("sourceLabels: {app: 'a*'}"), "spec.http[0].match[0].sourceLabels.app", "label's value"),
    (
        "VirtualService",
        http(f"{ROUTE}, rewrite: {{uriRegexRewrite: {{match: '[', rewrite: a}}}}"),
        "spec.http[0].rewrite.uriRegexRewrite.match",
        "missing ]",
    ),
    (
        "VirtualService",
        http(f"{ROUTE}, corsPolicy: {{allowOrigins: [{{regex: '*'}}]}}"),
        "spec.http[0].corsPolicy.allowOrigins[0].regex",
        "is no regular expression",
    ),
    (
        "VirtualService",
        http(f"{ROUTE}, corsPolicy: {{allowOrigins: [{{}}]}}"),
        "spec.http[0].corsPolicy.allowOrigins[0]",
        "exact, prefix or regex",
    ),
    (
        "VirtualService",
        http(f"{ROUTE}, headers: {{request: {{set: {{x: 50%}}}}}}"),
        "spec.http[0].headers.request.set.x",
        "percent sign of its own is %%",
    ),
    ("VirtualService", http("redirect: {uri: ''}"), "spec.http[0].redirect", "needs uri"),
    ("DestinationRule", "{host: ''}", "spec.host", "no host's name"),
    (
        "DestinationRule",
        "{host: model, subsets: [{name: v1, labels: {version: 'v 1'}}]}",
        "spec.subsets[0].labels.version",
        "no label's value",
    ),
    (
        "Gateway",
        f"{{servers: [{{{SERVER}, hosts: ['*'], tls: {{credentialName: a}}}}]}}",
        "spec.servers[0]",
        "needs tls with mode: SIMPLE",
    ),
    (
        "Gateway",
        f"{{servers: [{{{SERVER}, hosts: ['*'], {TLS}, cipherSuites: [RC4]}}}}]}}",
        "spec.servers[0].tls.cipherSuites[0]",
        "'RC4' is not supported; supported: ECDHE",
    ),
    ("Gateway", f"{{servers: [{{{SERVER}, hosts: [model], {TLS}}}}}]}}", "spec.servers[0].hosts[0]", "short name"),
    (
        "Gateway",
        f"{{servers: [{{{SERVER}, hosts: [/a.example.com], {TLS}}}}}]}}",
        "spec.servers[0].hosts[0]",
        "no DNS label",
    ),
    (
        "Gateway",
        f"{{servers: [{{{SERVER}, hosts: ['a*.example.com'], {TLS}}}}}]}}",
        "spec.servers[0].hosts[0]",
        "no host's name",
    ),
    (
        "ServiceEntry",
        "{hosts: [a.example.com, b.example.com], addresses: [10.0.0.1], resolution: DNS}",
        "spec",
        "an address cannot tell several hosts apart",
    ),
    (
        "ServiceEntry",
        "{hosts: [a.example.com], resolution: DNS, ports: [{number: 80, name: a}]}",
        "spec.ports[0].protocol",
        "is missing",
    ),
    ("ServiceEntry", "{hosts: [A.example.com], resolution: DNS}", "spec.hosts[0]", "small letters"),
]


@pytest.mark.parametrize(("kind", "spec", "field", "words"), CASES, ids=[f"{one[0]}-{one[2]}" for one in CASES])
def test_a_name_that_istio_refuses_is_named(refusal, kind, spec, field, words):
    """The error has the document's file, its kind and name, the field's path, and what is wrong with it."""
    error = refusal(kind, spec)
    assert (error.file, error.resource, error.field) == ("istio/model.yaml", f"{kind} demo/model", field)
    assert words in error.reason


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ("{port: {number: 443, name: b, protocol: HTTP}, hosts: ['*']}", "spec.servers[1].port"),
        (
            f"{{port: {{number: 443, name: b, protocol: HTTPS}}, hosts: [a.example.com, b.example.com], {TLS}}}}}",
            "spec.servers[1].hosts",
        ),
    ],
    ids=["plain beside TLS", "a host twice"],
)
def test_a_server_that_istio_would_leave_out_is_named(refusal, other, field):
    """Istio writes a line to its log, and the server is not there."""
    first = f"{{{SERVER}, hosts: [a.example.com], {TLS}}}}}"
    assert refusal("Gateway", f"{{servers: [{first}, {other}]}}").field == field


def test_an_address_of_two_service_entries_is_named():
    """In Istio chance decides whose it is."""
    spec = {"addresses": ["10.0.0.1"], "resolution": "DNS", "ports": [{"number": 80, "name": "a", "protocol": "HTTP"}]}
    documents = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "ServiceEntry",
            "metadata": {"name": name, "namespace": "demo"},
            "spec": {"hosts": [f"{name}.example.com"], **spec},
        }
        for name in ("one", "two")
    ]
    with pytest.raises(Unsupported, match=r"ServiceEntry demo/two: spec.addresses: 10.0.0.1 is another"):
        translate(Mesh((), (), (), tuple(documents)))
