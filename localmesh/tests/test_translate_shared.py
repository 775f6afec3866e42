"""One Envoy for all callers: what is kept apart, what is shared, and what is left out."""

import dataclasses
import json

import pytest
from envoys.bench import RULE, SERVICE, SUBSETS, rule

from localmesh.mesh import Address, Endpoint, Mesh, Service, ServicePort, Workload
from localmesh.translate import Unsupported, translate

HOST = SERVICE.host
OTHER = Service("other", "demo", {"app": "other"}, (ServicePort("http", 8080, "http", "http"),))
EDGE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "edge", "namespace": "demo"},
    "spec": {
        "servers": [
            {"port": {"number": number, "name": f"http-{number}", "protocol": "HTTP"}, "hosts": ["*"]}
            for number in (80, 81)
        ]
    },
}


def endpoint(name, version="v1", ready=True, app="model", namespace="demo"):
    ports = {"http": Address("127.0.0.1", 1000 + int(name))}
    return Endpoint(name, app, namespace, {"app": app, "version": version}, ports, ready)


def mesh(*documents, endpoints=(), **changes):
    made = Mesh(
        services=(SERVICE, OTHER),
        workloads=(Workload("web", "demo", {}), Workload("batch", "demo", {})),
        endpoints=tuple(endpoints),
        documents=documents,
        outbound={
            ("web", HOST, 8080): Address("127.0.0.1", 1),
            ("batch", HOST, 8080): Address("127.0.0.1", 2),
            ("batch", OTHER.host, 8080): Address("127.0.0.1", 3),
        },
        gateway_ports={80: Address("127.0.0.1", 4)},
    )
    return dataclasses.replace(made, **changes)


def names(resources):
    return [resource["name"] for resource in resources]


def addresses(resources, name):
    found = next(one for one in resources.endpoints if one["cluster_name"] == name)
    return [
        one["endpoint"]["address"]["socket_address"]["port_value"]
        for locality in found.get("endpoints", [])
        for one in locality["lb_endpoints"]
    ]


def test_clusters_are_a_callers_own():
    """Each caller has the clusters it can reach, under its own name, with every subset of the port."""
    made = translate(mesh(rule()))
    assert set(names(made.clusters)) == {
        f"batch|outbound|8080||{HOST}",
        f"batch|outbound|8080||{OTHER.host}",
        f"batch|outbound|8080|v1|{HOST}",
        f"batch|outbound|8080|v2|{HOST}",
        f"web|outbound|8080||{HOST}",
        f"web|outbound|8080|v1|{HOST}",
        f"web|outbound|8080|v2|{HOST}",
    }


def test_every_reference_has_its_target():
    """Routes name clusters, clusters assignments and listeners routes that are there."""
    split = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "model", "namespace": "demo"},
        "spec": {
            "hosts": ["model"],
            "http": [
                {
                    "route": [
                        {"destination": {"host": "model", "subset": "v1"}, "weight": 1},
                        {"destination": {"host": "other", "port": {"number": 8080}}, "weight": 1},
                    ],
                    "mirror": {"host": "model", "subset": "v2"},
                }
            ],
        },
    }
    made = translate(mesh(rule(), split))
    clusters, loads = set(names(made.clusters)), {one["cluster_name"] for one in made.endpoints}
    assert f"web|outbound|8080||{OTHER.host}" in clusters
    assert {one["eds_cluster_config"]["service_name"] for one in made.clusters} == loads
    text = json.dumps(made.routes)
    for caller in ("web", "batch"):
        for cluster in (f"outbound|8080|v1|{HOST}", f"outbound|8080||{OTHER.host}", f"outbound|8080|v2|{HOST}"):
            assert f'"{caller}|{cluster}"' in text
    assert '"outbound|' not in text
    wanted = {
        one["filter_chains"][0]["filters"][0]["typed_config"]["rds"]["route_config_name"] for one in made.listeners
    }
    assert wanted == set(names(made.routes))


def test_a_call_by_address_means_the_listeners_service():
    """A listener's routes know the service by its names and, last, by anything else."""
    made = translate(mesh())
    routes = next(one for one in made.routes if one["name"] == f"web|{HOST}:8080")
    assert [host["domains"] for host in routes["virtual_hosts"]] == [
        [HOST, f"{HOST}.", "model", "model.demo.svc", "model.demo", "*"]
    ]


def test_only_ready_replicas_of_the_service_are_called():
    """Not the ones that are not ready, of other labels, or of another namespace; a subset has its own."""
    replicas = [
        endpoint("1"),
        endpoint("2", "v2"),
        endpoint("3", ready=False),
        endpoint("4", app="other"),
        endpoint("5", namespace="elsewhere"),
    ]
    made = translate(mesh(rule(subsets=[*SUBSETS, {"name": "none", "labels": {"version": "v9"}}]), endpoints=replicas))
    assert addresses(made, f"demo|outbound|8080||{HOST}") == [1001, 1002]
    assert addresses(made, f"demo|outbound|8080|v2|{HOST}") == [1002]
    assert addresses(made, f"demo|outbound|8080|none|{HOST}") == []


def test_callers_of_a_namespace_share_assignments():
    """One assignment serves all callers of a namespace, so that a replica comes and goes for all at once."""
    made = translate(mesh(endpoints=[endpoint("1")]))
    assert [one["cluster_name"] for one in made.endpoints] == [
        f"demo|outbound|8080||{HOST}",
        f"demo|outbound|8080||{OTHER.host}",
    ]


def test_an_edge_port_without_an_address_has_no_listener():
    """A Gateway's server is heard where the mesh has an address for its port, and nowhere else."""
    made = translate(mesh(EDGE))
    assert [name for name in names(made.listeners) if name.startswith("ingress|")] == ["ingress|http.80"]
    assert "ingress|http.81" not in names(made.routes)


def test_a_gateway_for_another_edge_is_not_ours():
    """A selector that does not match the edge's labels leaves the Gateway to somebody else."""
    theirs = {**EDGE, "spec": {**EDGE["spec"], "selector": {"istio": "egressgateway"}}}
    assert names(translate(mesh(theirs)).listeners) == names(translate(mesh()).listeners)


def test_equal_meshes_give_equal_resources():
    """The translation is pure: it changes nothing that it is given, and its answer is JSON."""
    given = mesh(rule({"outlierDetection": {"consecutive5xxErrors": 3}}), EDGE, endpoints=[endpoint("1")])
    before = json.dumps(given.documents)
    first, second = translate(given), translate(given)
    assert first == second
    assert json.dumps(given.documents) == before
    assert json.loads(json.dumps(dataclasses.asdict(first)))


def test_an_ejection_counts_at_once():
    """Every cluster tells Envoy not to wait with changes of its replicas' health."""
    assert {one["common_lb_config"]["update_merge_window"] for one in translate(mesh()).clusters} == {"0s"}


def test_a_rule_of_one_namespace_is_for_its_callers():
    """A caller elsewhere does not have the subsets that it cannot see."""
    private = {**RULE, "spec": {"host": "model", "exportTo": ["."], "subsets": SUBSETS}}
    workloads = (Workload("web", "demo", {}), Workload("batch", "elsewhere", {}))
    made = translate(mesh(private, workloads=workloads))
    assert f"web|outbound|8080|v1|{HOST}" in names(made.clusters)
    assert f"batch|outbound|8080|v1|{HOST}" not in names(made.clusters)


def test_a_listener_for_no_service_is_an_error():
    """A workload cannot have an outbound listener for a service or port that does not exist."""
    with pytest.raises(ValueError, match="web has a listener for nobody:80"):
        translate(mesh(outbound={("web", "nobody", 80): Address("127.0.0.1", 1)}))


def test_a_port_of_plain_tcp_cannot_be_called():
    """A service port that is neither HTTP nor gRPC is refused by name."""
    plain = Service("db", "demo", {"app": "db"}, (ServicePort("tcp", 5432, "tcp", "tcp"),))
    with pytest.raises(Unsupported, match=r"Service demo/db: spec.ports\[5432\]: only http"):
        translate(mesh(services=(plain,), outbound={("web", plain.host, 5432): Address("127.0.0.1", 1)}))


def test_no_workload_may_be_called_as_the_edge_is():
    """Names of callers are names in Envoy, so each is there once."""
    with pytest.raises(ValueError, match="twice: ingress"):
        translate(mesh(workloads=(Workload("ingress", "demo", {}),), outbound={}))
