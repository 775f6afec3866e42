"""The mesh's policies on this machine: with them the product reads, splits, breaks and heals as without, and refuses.

INKMESH_OVERLAY=laptop-strict has the other tests here run with them, too.
"""

import contextlib
import ipaddress
import json
import shutil
import socket
import ssl

import httpx
import psutil
import pytest
from e2e import test_reading, test_scenarios, test_self_healing
from tokens import only_good_tokens_are_taken

from product import OVERLAY, STRICT, own, running
from topology import EDGES, INGRESS, SERVICES, Edge

pytestmark = pytest.mark.laptop

ADDRESSES = [(service.name, port) for service in SERVICES for port in service.ports]
ACCOUNTS = {service.name: f"ns_inkmesh_sa_{service.name}" for service in SERVICES}
ACCOUNTS[INGRESS] = "ns_istio-system_sa_istio-ingressgateway-service-account"


@pytest.fixture(scope="module")
def product(product, tmp_path_factory):
    """The running copy where it has the policies; else one beside it, with its models."""
    if OVERLAY == STRICT:
        yield product
        return
    home = tmp_path_factory.mktemp("strict")
    shutil.copytree(product.home / "models", home / "models")
    with running(home, overlay=STRICT) as found:
        yield found


visitors, guest = test_scenarios.visitors, test_scenarios.guest
test_a_reading = test_reading.test_a_guest_reads_a_digit_and_pays_one_credit
test_each_hop_says_who_it_was = test_reading.test_each_hop_says_who_it_was
test_top_ups_are_decided_by_the_fraud_model = test_reading.test_top_ups_are_decided_by_the_fraud_model
test_breaker = test_scenarios.test_breaker_ejects_a_sick_replica_and_takes_it_back


def test_canary(product, visitors):
    """Half of the readings."""
    test_scenarios.splits(product, visitors, "canary-50", 0.5, 200)


def test_a_killed_process_comes_back(product):
    """Under load, as without policies."""
    test_self_healing.test_a_killed_process_comes_back_under_load(product, "inference-v1")


@pytest.fixture(scope="module")
def replicas(product):
    """One of each service. Their addresses stay when a process is replaced."""
    workloads = {one["service"]: one["replicas"][0] for one in reversed(product.status()["workloads"])}
    return {service.name: workloads[service.name] for service in SERVICES}


def answer_to(address, sent):
    """The bytes that come back until the connection is closed."""
    ip, _, port = address.rpartition(":")
    with socket.create_connection((ip, int(port)), 5) as raw, contextlib.suppress(ConnectionResetError):
        raw.sendall(sent)
        return raw.recv(1024)
    return b""


@pytest.mark.parametrize(("service", "port"), ADDRESSES)
def test_plain_text_into_a_replica_is_refused(replicas, service, port):
    """At the address that the manifest names there is no answer to HTTP/1.1 or HTTP/2, at any service."""
    address = replicas[service][port]
    assert address.endswith({"http": ":8080", "grpc": ":9090"}[port])
    assert answer_to(address, b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n") == b""
    assert answer_to(address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)) == b""


@pytest.fixture(scope="module")
def asking(product, tmp_path_factory):
    """Clients by caller, each with that caller's certificate of the mesh."""
    folder = product.home / "envoy" / "certificates"

    def secret(name):
        return json.loads((folder / f"{name}.json").read_text())["resources"][0]

    def client(account):
        certificate = secret(f"spiffe___cluster.local_{account}")["tls_certificate"]
        pem = tmp_path_factory.mktemp("certificate") / "one.pem"
        pem.write_text("".join(certificate[part]["inline_string"] for part in ("certificate_chain", "private_key")))
        context = ssl.create_default_context(
            cadata=secret("ROOTCA")["validation_context"]["trusted_ca"]["inline_string"]
        )
        context.check_hostname = False  # a workload's name is a SPIFFE identity
        context.load_cert_chain(pem)
        return httpx.Client(verify=context, timeout=5)

    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(client(account)) for name, account in ACCOUNTS.items()}


@pytest.mark.parametrize("caller", ACCOUNTS)
def test_an_edge_that_is_not_in_the_topology_is_refused(replicas, asking, caller):
    """A workload with a good certificate gets 403 wherever no edge leads from it."""
    edges = {(edge.caller, edge.upstream, edge.port) for edge in EDGES}
    for service, port in ADDRESSES:
        if (caller, service, port) not in edges:
            answer = asking[caller].get(f"https://{replicas[service][port]}/")
            assert answer.status_code == 403, Edge(caller, service, port, "none")


def test_an_edge_of_the_topology_is_taken(replicas, asking):
    """The same question by the edge's own caller is answered."""
    assert "Inkmesh" in asking[INGRESS].get(f"https://{replicas['frontend']['http']}/").text


def test_without_a_certificate_of_the_mesh_there_is_no_answer(replicas):
    """TLS alone does not do."""
    stranger = ssl.create_default_context()
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(httpx.TransportError):
        httpx.get(f"https://{replicas['frontend']['http']}/", verify=stranger, timeout=5)


def test_tokens_that_are_not_good_are_refused(product):
    """Whatever is wrong with them."""
    key = (product.home / "secrets" / "token-signing" / "1.pem").read_bytes()
    only_good_tokens_are_taken(product, "1", key)


def test_past_the_mesh_a_replica_is_reached_from_this_machine_alone(product, replicas):
    """Its process answers at `own`, on loopback; at the machine's other addresses nobody listens at that port."""
    others = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family is socket.AF_INET and not one.address.startswith("127.")
    ]
    for at in replicas.values():
        assert httpx.get(f"{own(at)}/healthz/live").status_code == 200
        for address in at["own"].values():
            ip, _, port = address.rpartition(":")
            assert ip.startswith("127.")
            for other in others:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection((other, int(port)), 5)
    listening = [one for process in product.processes() for one in process.net_connections("inet")]
    heard = {ipaddress.ip_address(one.laddr.ip) for one in listening if one.status == psutil.CONN_LISTEN}
    # gRPC listens with sockets of IPv6, at addresses of IPv4.
    assert {one for one in heard if not (getattr(one, "ipv4_mapped", None) or one).is_loopback} == set()
