"""What is rendered is valid to the API server, by the schemas of Kubernetes and Istio; what GitOps reads, by theirs."""

import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from localmesh.kustomize import render
from product import ROOT
from rendered import OVERLAYS

KUBERNETES = "1.34"
SCHEMAS = Path(__file__).with_name("schemas")
ISTIO = json.loads((SCHEMAS / "istio.json").read_text())
GITOPS = json.loads((SCHEMAS / "gitops.json").read_text())
WITHOUT_SCHEMA = {"VerticalPodAutoscaler": "its CRD is not a part of Kubernetes or Istio"}
NAMES = [*(overlay.name for overlay in OVERLAYS), "all components"]


def problems(documents):
    """One line for each document that is not valid, or that no schema is known for."""
    for document in documents:
        where = f"{document.identity} in {document.origin.relative_to(ROOT)}"
        if document.api_version.split("/")[0].endswith("istio.io"):
            schema = ISTIO.get(f"{document.api_version} {document.kind}")
            if schema is None:
                yield f"{where}: no schema of {document.api_version}"
                continue
            for error in jsonschema.Draft7Validator(schema).iter_errors(document.body.get("spec", {})):
                yield f"{where}: spec{error.json_path[1:]}: {error.message}"
        elif document.kind not in WITHOUT_SCHEMA:
            try:
                kubernetes_validate.validate(document.body, KUBERNETES, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                yield f"{where}: {error}"


@pytest.mark.parametrize("name", NAMES)
def test_rendered_documents_are_valid(rendered, name):
    """No field is unknown, missing, or of another type."""
    assert list(problems(rendered[name])) == []


@pytest.mark.parametrize(
    "folder", sorted(ROOT.glob("istio/scenarios/*/kustomization.yaml")), ids=lambda f: f.parent.name
)
def test_scenarios_are_valid(folder):
    """As the overlays are."""
    assert list(problems(render(folder.parent))) == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("k8s/gitops/*.yaml")), ids=lambda file: file.stem)
def test_gitops_manifests_are_valid(file):
    """To Argo CD 2.14 and Flux 2: the schemas are their CRDs'."""
    for one in yaml.safe_load_all(file.read_text()):
        jsonschema.Draft7Validator(GITOPS[f"{one['apiVersion']} {one['kind']}"]).validate(one["spec"])


@pytest.mark.parametrize(
    ("kind", "field"),
    [("Deployment", "replica"), ("VirtualService", "gateway"), ("HorizontalPodAutoscaler", "maxReplica")],
)
def test_a_wrong_field_is_found(rendered, kind, field):
    """The schemas are strict: a field with a letter missing does not pass."""
    document = next(one for one in rendered["mesh"] if one.kind == kind)
    document = type(document)({**document.body, "spec": {**document["spec"], field: 1}}, document.origin)
    assert list(problems([document])) != []
