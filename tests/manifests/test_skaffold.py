"""skaffold.yaml and the Dockerfiles: what they name is there, and what the manifests run is what they build."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from localmesh.kustomize import render
from product import ROOT
from rendered import containers, pod_template

SKAFFOLD = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
PROFILES = {profile["name"]: profile for profile in SKAFFOLD["profiles"]}
ARTIFACTS = SKAFFOLD["build"]["artifacts"] + PROFILES["dev"]["build"]["artifacts"]
IMAGES = {artifact["image"] for artifact in SKAFFOLD["build"]["artifacts"]}
OTHERS = {"postgres:15", "prom/prometheus:v2.42.0"}
"""Images that are somebody else's."""
DOCKERFILES = sorted(file for pattern in ("*/Dockerfile", "services/*/Dockerfile") for file in ROOT.glob(pattern))
SERVICES = [file for file in DOCKERFILES if file.parent.name not in ("loadtest", "tests")]
KUBECTL = "rancher/kubectl:v1.34.1"
SITE = "/app/lib/python3.11/site-packages"


def test_skaffolds_schema():
    """As skaffold itself checks it."""
    schema = json.loads(Path(__file__).with_name("schemas").joinpath("skaffold-v4beta13.json").read_text())
    jsonschema.validate(SKAFFOLD, schema)


@pytest.mark.parametrize(
    "artifact", ARTIFACTS, ids=lambda one: f"{one['image']}:{one['docker'].get('target', 'final')}"
)
def test_an_image_can_be_built(artifact):
    """Its Dockerfile is there, and the stage that it names."""
    text = (ROOT / artifact["docker"]["dockerfile"]).read_text()
    target = artifact["docker"].get("target")
    assert target is None or re.search(rf"^FROM \S+ AS {target}$", text, re.MULTILINE)


def test_manifests_run_what_is_built(rendered):
    """Every image of every overlay is one of skaffold's, or in the list of others'; and all of skaffold's are run."""
    found = set()
    for documents in rendered.values():
        for one in documents:
            if pod_template(one):
                found |= {container["image"] for container in containers(pod_template(one))}
    names = {re.sub(r"^registry\.example/|[:@].*$", "", image) for image in found - OTHERS}
    assert names | {verify["container"]["image"] for verify in SKAFFOLD["verify"]} == IMAGES


def test_production_names_images_by_digest(rendered):
    """None by a tag, which may be moved."""
    for one in rendered["production"]:
        for container in containers(pod_template(one)) if pod_template(one) else []:
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), one.name


def test_manifest_paths_exist():
    """Kustomizations are rendered; files are there."""
    configs = [SKAFFOLD["manifests"], *(profile.get("manifests", {}) for profile in PROFILES.values())]
    for path in [path for config in configs for path in config.get("kustomize", {}).get("paths", [])]:
        assert render(ROOT / path), path
    for patch in [patch for profile in PROFILES.values() for patch in profile.get("patches", [])]:
        head = patch["path"].split("/")[1]
        assert head in SKAFFOLD, patch
        if head == "manifests":
            assert sorted(patch["value"]) == sorted(map(str, load_files()))


def load_files():
    folder = ROOT / "k8s/components/load-generator"
    return [file.relative_to(ROOT) for file in folder.glob("*.yaml") if file.name != "kustomization.yaml"]


def test_a_synced_file_lands_where_it_is_watched():
    """Each rule matches files, and copies them to the module that the dev overlay's command watches."""
    documents = {
        one.metadata["labels"]["app"]: one for one in render(ROOT / "k8s/overlays/dev") if one.kind == "Deployment"
    }
    for artifact in PROFILES["dev"]["build"]["artifacts"]:
        app = artifact["image"].removeprefix("inkmesh/")
        container = documents[app]["spec"]["template"]["spec"]["containers"][0]
        assert container["command"] == ["watchfiles", "--target-type", "command", f"python -m {app}"]
        places = set()
        for rule in artifact["sync"]["manual"]:
            assert rule["src"].startswith(rule["strip"]), rule
            files = [file for file in ROOT.glob(rule["src"]) if file.is_file()]
            assert any(file.suffix == ".py" for file in files), rule
            module = str(files[0].relative_to(ROOT / rule["strip"])).split("/")[0]
            places.add(f"{rule['dest']}/{module}")
        assert places == set(container["args"]), app
        assert all(place.startswith(SITE) for place in places)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_an_image_is_small_and_not_root(file):
    """Stages on the same slim base, a numeric user that Kubernetes can check, and the lock file's versions, without
    their tests."""
    text = file.read_text()
    bases = {name for name in re.findall(r"^FROM (\S+)", text, re.MULTILINE) if ":" in name}
    assert bases - {KUBECTL} == {"python:3.11-slim-bookworm"}
    assert re.search(r"^USER 65532(:65532)?$", text, re.MULTILINE)
    assert "--frozen" in text
    assert file.parent.name == "tests" or re.search(
        r"find /\w+ -type d -name tests -prune -exec rm -r {} \+$", text, re.M
    )
    version = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert f"uv=={version}" in text


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.parent.name)
def test_an_image_starts_what_the_manifests_start(file):
    """The image's own command is the Deployment's, and every member of the workspace is there for the lock file."""
    text, name = file.read_text(), file.parent.name
    assert f'CMD ["python", "-m", "{name}"]' in text
    for pattern in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]:
        for member in ROOT.glob(f"{pattern}/pyproject.toml"):
            assert f"COPY {member.relative_to(ROOT)} {member.parent.relative_to(ROOT)}/\n" in text


def test_what_verifies_is_a_restricted_job():
    """Its manifest is valid, runs an image of ours by the name that skaffold fills in, and has the rights it needs."""
    rights = {one.metadata["name"] for one in render(ROOT / "k8s/verify") if one.kind == "ServiceAccount"}
    for verify in SKAFFOLD["verify"]:
        job = yaml.safe_load((ROOT / verify["executionMode"]["kubernetesCluster"]["jobManifestPath"]).read_text())
        kubernetes_validate.validate(job, "1.34", strict=True)
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert (container["name"], container["image"]) == (verify["container"]["name"], verify["container"]["image"])
        assert container["image"] in IMAGES
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert job["spec"]["template"]["spec"]["serviceAccountName"] in rights


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_what_an_image_copies_is_there(file):
    """Files and folders of the checkout, by the paths that the Dockerfile names."""
    for part in re.findall(r"^COPY (?!--from)(.+) \S+$", file.read_text(), re.MULTILINE):
        assert all(list(ROOT.glob(name)) for name in part.split()), part
