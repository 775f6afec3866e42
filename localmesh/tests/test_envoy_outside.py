"""Services outside of the mesh, and TLS that Envoy speaks for its callers."""

import asyncio
import contextlib
import ssl
from dataclasses import replace

import pytest
import yaml
from envoys.bench import free_port
from envoys.http1 import Backend, eventually, get
from envoys.self_signed import pair

from localmesh.certificates import write_authorities, write_certificate
from localmesh.mesh import Address
from localmesh.translate import client_tls, credential, translate

NAME = "bank.example.com"
OUTSIDE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: demo}
spec:
  hosts: ["*"]
  gateways: [edge]
  http: [{rewrite: {authority: bank.example.com}, route: [{destination: {host: bank.example.com}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: demo}
spec:
  hosts: [bank.example.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: localhost, ports: {http: PORT}}]
"""
ORIGINATED = """---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bank, namespace: demo}
spec: {host: bank.example.com, trafficPolicy: {tls: {mode: SIMPLE, caCertificates: CA}}}
"""
REDIRECTING = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], tls: {httpsRedirect: true}}
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, credentialName: edge-tls}
"""


@contextlib.asynccontextmanager
async def in_force(bench, text, **more):
    """What the text says, with more of the mesh's `outbound` or `gateway_ports`."""
    documents = list(yaml.safe_load_all(text))
    async with bench.running([]) as admin:
        mesh = bench.mesh([], *documents)
        ways = {name: {**getattr(mesh, name), **ports} for name, ports in more.items()}
        await bench.directory.apply(translate(replace(mesh, **ways)), admin)
        yield


async def answers_until(port, wanted):
    """Names are looked up in the background: until one is found, the answer is 503."""
    found = []

    async def there():
        found.append(await get(port))
        return wanted(found[-1])

    await eventually(there, seconds=30)
    return found


def test_a_service_outside_is_called_by_name(bench):
    """Its name is looked up, and calls go on under the host that it expects."""

    async def scenario():
        async with Backend("bank") as bank, in_force(bench, OUTSIDE.replace("PORT", str(bank.port))):
            answers = await answers_until(bench.edge, lambda answer: answer.status == 200)
            return answers[-1], bank.requests[0].headers["host"]

    answer, host = asyncio.run(scenario())
    assert (answer.status, answer.body, host) == (200, "bank", NAME)


def test_a_workload_calls_it_by_an_address_of_its_own(bench):
    """Whatever Host it names then, the service outside is called by its name."""
    port = free_port()
    way = {("web", NAME, 80): Address("127.0.0.1", port)}

    async def scenario():
        async with Backend("bank") as bank, in_force(bench, OUTSIDE.replace("PORT", str(bank.port)), outbound=way):
            await answers_until(port, lambda answer: answer.status == 200)
            return bank.requests[0].headers["host"]

    assert asyncio.run(scenario()) == NAME


@pytest.mark.parametrize("trusted", [True, False])
def test_envoy_speaks_tls_with_it_and_checks_its_name(bench, tmp_path, trusted):
    """The caller speaks plain HTTP; whom nobody vouches for is sent nothing."""
    certificate, key = pair(NAME)
    for name, content in (("cert.pem", certificate), ("key.pem", key)):
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    authorities = str(tmp_path / f"{trusted}.pem")
    text = OUTSIDE + ORIGINATED.replace("CA", authorities)
    (secret,) = client_tls.secrets(yaml.safe_load_all(text))
    assert client_tls.paths(secret) == (authorities,)
    write_authorities(bench.directory.path, secret, certificate if trusted else pair(NAME)[0])

    def wanted(answer):
        return answer.status == 200 if trusted else "remote connection failure" in answer.body

    async def scenario():
        async with Backend("bank", tls=context) as bank, in_force(bench, text.replace("PORT", str(bank.port))):
            return await answers_until(bench.edge, wanted), len(bank.requests)

    answers, seen = asyncio.run(scenario())
    assert sum(answer.status == 200 for answer in answers) == seen == (1 if trusted else 0)


def test_plain_requests_are_sent_to_the_port_with_tls(bench):
    """httpsRedirect names the port where the edge really listens."""
    write_certificate(bench.directory.path, credential("edge-tls"), *pair())
    https = free_port()

    async def scenario():
        async with in_force(bench, REDIRECTING, gateway_ports={443: Address("127.0.0.1", https)}):
            return await get(bench.edge, "/page?a=1", {"host": f"localhost:{bench.edge}"})

    answer = asyncio.run(scenario())
    assert (answer.status, answer.headers["location"]) == (301, f"https://localhost:{https}/page?a=1")
