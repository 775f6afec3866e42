"""What is to run: an overlay, with at most one scenario's objects in the place of its own."""

import pytest

from localmesh.errors import LocalmeshError
from localmesh.plan import Catalog


@pytest.fixture
def catalog(write):
    folder = write(
        {
            "overlay/kustomization.yaml": "resources: [../base]",
            "base/kustomization.yaml": "namespace: demo\nresources: [rule.yaml]",
            "base/rule.yaml": """\
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: web}
                spec: {host: web}
                """,
            "scenarios/empty/README.md": "no kustomization here",
            "scenarios/one/README.md": "\n# one\n\nWhat it shows.\n",
            "scenarios/one/kustomization.yaml": """\
                resources: [../../base, new.yaml]
                patches:
                  - target: {kind: DestinationRule}
                    patch: '[{"op": "replace", "path": "/spec/host", "value": "other"}]'
                """,
            "scenarios/one/new.yaml": """\
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: web, namespace: demo}
                spec: {hosts: [web]}
                """,
        }
    )
    return Catalog(folder / "overlay", folder / "scenarios")


def test_without_a_scenario_it_is_the_overlay(catalog):
    """And every file that was read is known, so that edits can be followed."""
    plan = catalog.plan(None)
    assert [document["spec"] for document in plan.manifests.mesh] == [{"host": "web"}]
    assert {file.name for file in plan.sources} == {"kustomization.yaml", "rule.yaml"}


def test_a_scenario_replaces_what_has_the_same_identity_and_adds_the_rest(catalog):
    """As `kubectl apply -k` would."""
    plan = catalog.plan("one")
    assert plan.scenario == "one"
    assert [document["spec"] for document in plan.manifests.mesh] == [{"host": "other"}, {"hosts": ["web"]}]
    assert "new.yaml" in {file.name for file in plan.sources}


def test_scenarios_are_folders_with_a_kustomization(catalog):
    """Each with the first line of its README that says more than its name."""
    assert catalog.scenarios() == {"one": "What it shows."}


def test_an_unknown_scenario_lists_the_known(catalog):
    """Also a word that would lead out of the folder is no scenario."""
    for name in ("two", "empty", "../overlay"):
        with pytest.raises(LocalmeshError, match="there is no scenario") as error:
            catalog.plan(name)
        assert error.value.next_step == "There is: one."
