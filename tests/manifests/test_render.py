"""localmesh renders what kubectl renders: every overlay, Istio's base, and every scenario."""

import subprocess
from pathlib import Path

import pytest

from localmesh.kustomize import render
from localmesh.kustomize.reading import parse_all
from localmesh.manifests import read
from product import ROOT

FOLDERS = sorted(
    {
        file.parent
        for pattern in ("k8s/overlays/*", "istio/base", "istio/scenarios/*")
        for file in ROOT.glob(f"{pattern}/kustomization.yaml")
    }
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_rendered_as_kubectl_renders_it(kubectl, folder):
    """The same documents in the same order, each equal."""
    done = subprocess.run([*kubectl, "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [document.body for document in render(folder)] == parse_all(done.stdout, Path("kubectl"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_each_document_has_its_file(folder):
    """Errors can name the file that a document was written in."""
    for document in render(folder):
        assert document.origin.is_file()
        assert document.name in document.origin.read_text() or document.former


@pytest.mark.parametrize("overlay", ["laptop", "laptop-strict"])
def test_the_laptop_overlay_can_be_run(overlay):
    """Every field of it is supported, or is in the list of what means nothing on a laptop."""
    manifests = read(render(ROOT / "k8s/overlays" / overlay))
    assert {deployment.name for deployment in manifests.deployments} >= {
        "gateway",
        "payment",
        "frontend",
        "inference-v1",
    }
    assert {service.name for service in manifests.services} == {"gateway", "payment", "frontend", "inference"}


@pytest.mark.parametrize("folder", sorted(ROOT.glob("istio/scenarios/*/")), ids=lambda folder: folder.name)
def test_a_scenario_replaces_objects_of_the_overlay(folder):
    """A scenario patches objects that are there, and leaves its name on them; it is no second truth beside them."""
    overlay = {document.identity for document in render(ROOT / "k8s/overlays/laptop")}
    scenario = {document.identity for document in render(folder)}
    assert scenario
    assert scenario <= overlay
    changed = [one.metadata.get("annotations", {}).get("inkmesh/scenario") for one in render(folder)]
    assert set(changed) - {None} == {folder.name}
    assert (folder / "README.md").read_text().strip()
