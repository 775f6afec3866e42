"""Each part of kustomize that is supported gives what kubectl gives."""

import pytest
from kustomize_cases import CASES, FILES

from localmesh.kustomize import render
from localmesh.kustomize.reading import parse_all


@pytest.mark.parametrize("name", CASES)
def test_rendered_as_kubectl_renders_it(name, write, kubectl):
    """The same documents in the same order, each equal."""
    folder = write(FILES)
    write({"kustomization.yaml": CASES[name]})
    expected = parse_all(kubectl(folder), folder)
    assert [document.body for document in render(folder)] == expected
    assert expected


def test_a_document_knows_its_file_and_its_patches(write):
    """The origin is the file of the resource; patches are listed besides."""
    folder = write(
        {
            "a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
            "p.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n",
            "kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
        }
    )
    (document,) = render(folder)
    assert document.origin == folder / "a.yaml"
    assert document.patched_by == [folder / "p.yaml"]
