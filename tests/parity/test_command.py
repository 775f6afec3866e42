"""`translate FOLDER --nodes NODES.json` takes what istiod takes, and says what istiod says."""

import json

import pytest
from parity import cases, normalise, registry

from localmesh.errors import LocalmeshError
from localmesh.offline import translate_folder


@pytest.mark.parametrize(
    "name",
    ["nothing", "gateway-split", "jwt-and-rbac", "peer-ports", "mtls-auto", "sidecar-egress", "service-entry-dns"],
)
def test_a_folder_of_yaml_means_the_same(tmp_path, name):
    """The same files that istiod read, services as ServiceEntry among them."""
    case = cases.load(name)
    folder, nodes = tmp_path / "documents", tmp_path / "nodes.json"
    folder.mkdir()
    texts = [json.dumps(one) for one in (*registry.service_entries(), *case.documents)]
    (folder / "case.yaml").write_text("\n---\n".join(texts))
    nodes.write_text(json.dumps(registry.nodes(case.callers)))
    answers = translate_folder(folder, nodes, mtls=case.mtls)
    assert sorted(answers) == sorted(case.callers)
    for caller, found in answers.items():
        ours = normalise.answer(found["clusters"], found["endpoints"], found["routes"], found["listeners"])
        assert ours == cases.expected(name, caller)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "case.yaml cannot be read"),
        ("- 1", "case.yaml cannot be read"),
        ("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: x}\nspec: {server: []}", "spec.server"),
        (
            "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x}\nspec: {}",
            "spec.hosts: is missing",
        ),
        ("apiVersion: networking.istio.io/v1\nkind: ServiceEntry", "spec"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, text, words):
    """One error with the file or the field, and no traceback."""
    (tmp_path / "case.yaml").write_text(text)
    nodes = tmp_path / "nodes.json"
    nodes.write_text(json.dumps(registry.nodes(["gateway"])))
    with pytest.raises(LocalmeshError, match=words):
        translate_folder(tmp_path, nodes, mtls=False)
