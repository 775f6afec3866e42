"""Host names: short and full, wildcards, and who may call a service by which name."""

import pytest

from localmesh.translate import hosts


@pytest.mark.parametrize(
    ("host", "full"),
    [
        ("model", "model.demo.svc.cluster.local"),
        ("model.other", "model.other"),
        ("model.demo.svc.cluster.local", "model.demo.svc.cluster.local"),
        ("*", "*"),
        ("*.example.com", "*.example.com"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
    ],
)
def test_a_name_without_a_dot_is_of_its_own_namespace(host, full):
    """Only a bare name is completed, as on a cluster."""
    assert hosts.qualified(host, "demo") == full


def test_a_service_has_short_names_in_its_namespace_only():
    """A caller of another namespace must name the service's."""
    host = "model.demo.svc.cluster.local"
    assert hosts.called_as(host, "demo") == [host, f"{host}.", "model", "model.demo.svc", "model.demo"]
    assert hosts.called_as(host, "other") == [host, f"{host}.", "model.demo", "model.demo.svc"]
    assert hosts.called_as("example.com", "demo") == ["example.com", "example.com."]
    assert hosts.called_as("10.0.0.1", "demo") == ["10.0.0.1"]


def test_the_most_specific_rule_is_the_longest():
    """A name of its own before wildcards, a long wildcard before a short one."""
    rules = {"*": 1, "*.demo": 2, "a.demo": 3}
    assert [hosts.most_specific(host, rules) for host in ("a.demo", "b.demo", "c")] == [3, 2, 1]
    assert hosts.most_specific("c", {"*.demo": 2}) is None


def test_hosts_common_to_a_server_and_its_routes():
    """Of a wildcard and a name within it the name is kept; what has nothing in common is left out."""
    assert hosts.intersection(["*.a", "b"], ["x.a", "*.y.a", "b", "c"]) == ["x.a", "*.y.a", "b"]
    assert hosts.intersection(["x.a"], ["*"]) == ["x.a"]
