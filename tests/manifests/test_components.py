"""Components: each alone on the base, and all of them together."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from localmesh.kustomize import render
from localmesh.kustomize.reading import parse_all
from product import ROOT
from rendered import ALL, COMPONENTS, NEEDS, OVERLAYS, combination

COMBINATIONS = {name: (*NEEDS.get(name, ()), name) for name in COMPONENTS} | {"all": ALL}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_rendered_as_kubectl_renders_it(kubectl, tmp_path, name):
    """The same documents in the same order, each equal."""
    folder = combination(tmp_path, COMBINATIONS[name])
    done = subprocess.run([*kubectl, "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [document.body for document in render(folder)] == parse_all(done.stdout, Path("kubectl"))


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_component_adds_to_the_base(tmp_path, name):
    """What the base has is still there: a component adds and patches, and takes nothing away."""
    base = {document.identity for document in render(ROOT / "k8s/base")}
    found = [document.identity for document in render(combination(tmp_path, COMBINATIONS[name]))]
    assert base <= set(found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_says_what_it_shows(name):
    """Its README names commands to see it."""
    text = (ROOT / "k8s/components" / name / "README.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert "kubectl" in text.split("```")[1]


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_file_of_a_component_is_used(tmp_path, name):
    """No YAML lies beside or below a kustomization that does not name it."""
    folder = ROOT / "k8s/components" / name
    for pattern in ("*.yaml", "*.json"):
        for file in folder.rglob(pattern):
            own = next(above for above in file.parents if (above / "kustomization.yaml").is_file())
            named = (own / "kustomization.yaml").read_text()
            assert file.name == "kustomization.yaml" or str(file.relative_to(own)) in named


def test_the_table_of_components_is_right():
    """Each component has a line, and a mark for each overlay that has it, by itself or from its base."""
    text = (ROOT / "k8s/components/README.md").read_text()
    columns = re.search(r"^\| component \| adds \| (.*) \|$", text, re.MULTILINE)[1].split(" | ")
    table = {
        name: {column for column, mark in zip(columns, cells.split("|"), strict=True) if mark.strip()}
        for name, cells in re.findall(r"^\| \[([a-z-]+)\]\(\1/README.md\) \|[^|]*\|(.*)\|$", text, re.MULTILINE)
    }
    assert set(table) == set(COMPONENTS)
    assert set(columns) == {overlay.name for overlay in OVERLAYS} - {"laptop", "laptop-strict"}
    for column in columns:
        assert {name for name in table if column in table[name]} == used(ROOT / "k8s/overlays" / column), column


def used(overlay):
    """The components of an overlay and its bases, but for those whose resources it deletes."""
    kustomization = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    found = {Path(path).name for path in kustomization.get("components", [])}
    for path in kustomization["resources"]:
        if (overlay / path / "kustomization.yaml").is_file():
            found |= used((overlay / path).resolve())
    patches = [patch for patch in kustomization.get("patches", []) if "$patch: delete" in patch.get("patch", "")]
    deleted = [patch["target"]["name"] for patch in patches]
    return {name for name in found if not any(re.fullmatch(pattern, name) for pattern in deleted)}
