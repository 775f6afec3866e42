"""The NetworkPolicies are the topology: its edges, both ways, and the few others that are named here."""

import pytest

from rendered import pod_template
from topology import EDGES, INGRESS, PORTS

OURS = "app.kubernetes.io/part-of"
BESIDE_THE_TOPOLOGY = {
    ("payment", "postgres", 5432),
    ("load-generator", "load-generator", 5557),
    *(("prometheus", app, port) for app in ("frontend", "gateway", "inference", "payment") for port in (8080, 15020)),
}
OUT_OF_THE_NAMESPACE = {
    ("*", "kube-system/kube-dns", 53),
    ("*", "istio-system/istiod", 15012),
    ("keys", "anywhere", 443),
    ("keys", "anywhere", 6443),
    ("load-generator", "ingress", "any"),
}
INTO_THE_NAMESPACE = {("monitoring/prometheus-adapter", "prometheus", 9090)}
PROXIES = {"istio-system", "ingress-nginx", "traefik", "projectcontour", "haproxy-controller"}


@pytest.fixture(scope="module")
def documents(rendered):
    return rendered["all components"]


@pytest.fixture(scope="module")
def policies(documents):
    return [one for one in documents if one.kind == "NetworkPolicy"]


@pytest.fixture(scope="module")
def pods(documents):
    """The labels of each pod that is rendered, by its app."""
    found = [pod_template(one)["metadata"]["labels"] for one in documents if pod_template(one)]
    return {labels["app"]: labels for labels in found}


def chosen(selector, pods):
    """The apps that a podSelector chooses."""
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    found = {app for app, labels in pods.items() if selector.get("matchLabels", {}).items() <= labels.items()}
    for one in selector.get("matchExpressions", []):
        assert (one["key"], one["operator"]) == ("app", "In")
        found &= set(one["values"])
    return found


def peers(rule, key, pods):
    """Who is meant by `from` or `to`."""
    if key not in rule:
        return {"anywhere"}
    found = set()
    for peer in rule[key]:
        space = peer.get("namespaceSelector")
        if space is None:
            found |= chosen(peer["podSelector"], pods)
        elif "matchExpressions" in space:
            (expression,) = space["matchExpressions"]
            assert (expression["operator"], set(expression["values"])) == ("In", PROXIES)
            found.add(INGRESS)
        else:
            (name,) = peer["podSelector"]["matchLabels"].values()
            found.add(f"{space['matchLabels']['kubernetes.io/metadata.name']}/{name}")
    return found


def edges(policies, pods, direction):
    """(caller, upstream, port) of everything that the policies allow in one direction."""
    key = "from" if direction == "ingress" else "to"
    for policy in policies:
        selector = policy["spec"]["podSelector"]
        mine = chosen(selector, pods) if selector else {"*"}
        for rule in policy["spec"].get(direction, []):
            for port in [entry["port"] for entry in rule.get("ports", [{"port": "any"}])]:
                for other in peers(rule, key, pods):
                    for app in mine:
                        yield (other, app, port) if direction == "ingress" else (app, other, port)


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_nothing_is_allowed_unless_it_is_said(policies, direction):
    """One policy chooses every pod, in both directions, and allows nothing."""
    deny = [one for one in policies if one["spec"]["podSelector"] == {} and not one["spec"].get(direction)]
    assert any(direction.capitalize() in one["spec"]["policyTypes"] for one in deny)


def test_what_comes_in_is_the_topology(policies, pods):
    """Each edge's upstream lets its caller in at its port, and nobody else."""
    wanted = {(edge.caller, edge.upstream, PORTS[edge.port]) for edge in EDGES}
    assert set(edges(policies, pods, "ingress")) == wanted | BESIDE_THE_TOPOLOGY | INTO_THE_NAMESPACE


def test_what_goes_out_is_the_topology(policies, pods):
    """Each edge's caller may go out to its upstream's port, and else only to names, istiod and the API server."""
    wanted = {(edge.caller, edge.upstream, PORTS[edge.port]) for edge in EDGES if edge.caller != INGRESS}
    assert set(edges(policies, pods, "egress")) == wanted | BESIDE_THE_TOPOLOGY | OUT_OF_THE_NAMESPACE


def test_directions_are_declared(policies):
    """A rule of a direction that policyTypes leaves out would be dead."""
    for one in policies:
        declared = {kind.lower() for kind in one["spec"]["policyTypes"]}
        assert {key for key in ("ingress", "egress") if key in one["spec"]} <= declared, one.name
