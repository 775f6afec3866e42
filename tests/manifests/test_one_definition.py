"""One definition for both tiers: what the laptop runs is what the mesh runs, but for what the overlays say."""

import copy

import pytest

from localmesh.kustomize import render
from product import ROOT

LAPTOP = ("laptop", "laptop-strict")
ADDRESSES = ("_HOST", "_PORT", "_TARGET", "_URL")


@pytest.fixture(scope="module")
def tiers(rendered):
    return {name: {one.identity: one.body for one in rendered[name]} for name in (*LAPTOP, "mesh")}


def test_the_strict_laptop_has_all_of_istio(tiers):
    """It is the laptop's overlay with every document of istio/base: it adds the policies and nothing else."""
    istio = {one.identity: one.body for one in render(ROOT / "istio/base")}
    strict = tiers["laptop-strict"]
    assert istio.keys() <= strict.keys()
    assert strict.keys() == istio.keys() | tiers["laptop"].keys()
    assert all(strict[identity] == body for identity, body in tiers["laptop"].items())
    added = {identity.kind for identity in strict.keys() - tiers["laptop"].keys()}
    assert {"PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication", "Sidecar"} <= added


@pytest.mark.parametrize("laptop", LAPTOP)
def test_the_mesh_has_all_that_the_laptop_has(tiers, laptop):
    """No resource is the laptop's alone."""
    assert set(tiers[laptop]) <= set(tiers["mesh"])


def test_routing_is_the_same(tiers):
    """VirtualServices, DestinationRules and policies are equal, unless a patch of an overlay names them."""
    for identity, body in tiers["laptop-strict"].items():
        if identity.group.endswith("istio.io") and not patched(identity):
            assert tiers["mesh"][identity] == body, identity


def test_services_and_autoscalers_are_the_same(tiers):
    """Ports, selectors and bounds."""
    for identity, body in tiers["laptop"].items():
        if identity.kind in ("Service", "ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget"):
            assert tiers["mesh"][identity]["spec" if "spec" in body else "metadata"] == body.get(
                "spec", body["metadata"]
            )


def test_containers_differ_in_their_environment_alone(tiers):
    """Commands, ports, probes and requests are one; where things are, and what a laptop may break, is the overlay's."""
    for identity, body in tiers["laptop"].items():
        if identity.kind != "Deployment":
            continue
        laptop = container(body)
        mesh = container(tiers["mesh"][identity])
        if identity.name == "payment":  # its database is another one, and may be away when it starts
            for one in (laptop, mesh):
                one.pop("startupProbe")
                one.pop("volumeMounts")
        changed = {name for name, value in laptop.pop("env").items() if mesh["env"].get(name) != value}
        mesh.pop("env")
        for one in (laptop, mesh):
            one["image"] = one["image"].split(":")[0]
        assert laptop == mesh, identity
        allowed = ("_DRAIN_SECONDS", "_FAULTS", "_DATABASE", "_MODELS", "_TOKEN_KEYS", "_LIVE", *ADDRESSES)
        assert [name for name in changed if not name.endswith(allowed)] == [], identity


def patched(identity):
    """Whether the laptop's or the mesh's overlay has a file that changes this resource."""
    files = [file.read_text() for name in ("laptop", "mesh") for file in (ROOT / "k8s/overlays" / name).glob("*.yaml")]
    return any(f"kind: {identity.kind}\n" in text and f"name: {identity.name}\n" in text for text in files)


def container(deployment):
    """A deployment's container, with its environment by name."""
    (found,) = copy.deepcopy(deployment["spec"]["template"]["spec"]["containers"])
    found["env"] = {entry["name"]: entry for entry in found["env"]}
    return found
