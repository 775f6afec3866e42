"""What stands before replicas: a listener a port, whatever Services call the port, and a policy's own numbers."""

import json
from dataclasses import replace

import pytest
import yaml

from localmesh.mesh import Address, Endpoint, Mesh, Service, ServicePort, Workload
from localmesh.translate import translate

AT, PROCESS = Address("127.0.0.9", 8080), Address("127.0.0.9", 40000)
REPLICA = Endpoint(
    "web-0",
    "web",
    "demo",
    {"app": "web"},
    {"http": PROCESS, "8080": PROCESS},
    ready=True,
    inbound={"http": AT, "8080": AT},
    numbers={"http": 8080, "8080": 8080},
)


def service(name, target):
    return Service(name, "demo", {"app": "web"}, (ServicePort("http", 80, target, "http"),))


def mesh(*documents, replica=REPLICA):
    return Mesh(
        services=(service("one", "http"), service("two", "8080")),
        workloads=(Workload("web", "demo", {"app": "web"}, "web"), Workload("shop", "demo", {"app": "shop"}, "shop")),
        endpoints=(replica,),
        documents=documents,
        outbound={("shop", f"{name}.demo.svc.cluster.local", 80): Address("127.0.0.8", 80) for name in ("one", "two")},
        mtls=True,
    )


def policy(kind, spec):
    metadata = {"name": "x", "namespace": "demo"}
    return {"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": metadata, "spec": yaml.safe_load(spec)}


def inbound(resources):
    return [one for one in resources.listeners if one["traffic_direction"] == "INBOUND"]


def test_two_services_on_one_container_port_share_its_listener():
    """One by the port's name, one by its number: both lead to it, and it leads to the process."""
    made = translate(mesh())
    (listener,) = inbound(made)
    assert listener["address"]["socket_address"] == {"address": AT.ip, "port_value": AT.port}
    for loads in made.endpoints:
        (locality,) = loads["endpoints"]
        (one,) = locality["lb_endpoints"]
        assert one["endpoint"]["address"]["socket_address"]["port_value"] == AT.port
        assert one["metadata"]["filter_metadata"]["envoy.transport_socket_match"] == {"tlsMode": "istio"}
    (way,) = [one for one in made.clusters if "inbound" in one["name"]]
    assert str(PROCESS.port) in json.dumps(way["load_assignment"])


def test_a_replica_that_is_not_ready_has_its_listener_and_gets_no_calls():
    """Envoy is there before the first request may come."""
    made = translate(mesh(replica=replace(REPLICA, ready=False)))
    assert len(inbound(made)) == 1
    assert all("endpoints" not in loads for loads in made.endpoints)


@pytest.mark.parametrize(("port", "seen"), [(8080, 31000), (31000, 0), (9090, 9090)])
def test_a_policys_port_is_the_manifests(port, seen):
    """Where Envoy listens at another one, the manifest's number means that, and that number means none."""
    elsewhere = replace(REPLICA, inbound={"http": Address("127.0.0.1", 31000), "8080": Address("127.0.0.1", 31000)})
    allow = policy("AuthorizationPolicy", f"{{rules: [{{to: [{{operation: {{ports: ['{port}']}}}}]}}]}}")
    (found,) = translate(mesh(allow, replica=elsewhere)).filters
    assert f'"destination_port": {seen}}}' in json.dumps(found)


@pytest.mark.parametrize(("protocol", "again"), [("http", True), ("http2", True), ("grpc", False), ("grpc-web", False)])
def test_what_the_process_never_saw_is_sent_again_but_for_streams(protocol, again):
    """As istiod has it: gRPC's streams cannot be."""
    web = Service("web", "demo", {"app": "web"}, (ServicePort("http", 80, "http", protocol),))
    (listener,) = inbound(translate(replace(mesh(), services=(web,), outbound={})))
    routes = listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]
    assert ("retry_policy" in routes["virtual_hosts"][0]["routes"][0]["route"]) is again


def test_certificates_are_the_workloads_own():
    """Each side shows its own, and asks for the accounts of the other's replicas."""
    made = translate(mesh())
    (listener,) = inbound(made)
    assert "spiffe://cluster.local/ns/demo/sa/web" in json.dumps(listener)
    out = json.dumps([one for one in made.clusters if one["name"].startswith("shop|")])
    assert '"name": "spiffe://cluster.local/ns/demo/sa/shop"' in out
    assert '{"exact": "spiffe://cluster.local/ns/demo/sa/web"}' in out
