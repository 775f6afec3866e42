"""The workflows and the GitOps manifests: what they name is there, and what they run is pinned and allowed little."""

import re

import pytest
import yaml

from product import ROOT
from rendered import OVERLAYS

FILES = sorted(ROOT.glob(".github/workflows/*.yaml"))
PATH = re.compile(
    r"(?<![\w/.:-])(?:\.github|k8s|istio|tests|gateway|services|loadtest|packages|localmesh)(?:/[\w.-]+)*"
)
NOT_FILES = {"gateway", "services", "localmesh"}
each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def parsed(file):
    """A workflow; YAML 1.1 reads the key `on` as true."""
    found = yaml.safe_load(file.read_text())
    return found | {"on": found.pop(True)}


def steps(file):
    return [step for job in parsed(file)["jobs"].values() for step in job["steps"]]


@each
def test_an_action_is_pinned(file):
    """By a commit, with the version that it is in a comment: a tag can be moved."""
    used = re.findall(r"uses: (.*)", file.read_text())
    assert len(used) == len([step for step in steps(file) if "uses" in step])
    assert [one for one in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_one_version_of_an_action():
    """The same commit everywhere."""
    used = {one for file in FILES for one in re.findall(r"uses: (\S+)@(\S+)", file.read_text())}
    assert len({name for name, _ in used}) == len(used)


@each
def test_a_job_may_do_little_and_ends(file):
    """Read the code by default; write nothing but signatures; no credentials left in the checkout; a time limit."""
    workflow = parsed(file)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert set(job.get("permissions", {}).items()) <= {("contents", "read"), ("id-token", "write")}
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


@each
def test_no_expression_stands_in_a_script(file):
    """What others wrote (a branch's name, say) reaches a shell through its environment only, where it is not run."""
    scripts = [step["run"] for step in steps(file) if "run" in step]
    assert [one for one in scripts if "${{" in one and "${{ matrix." not in one] == []


@each
def test_make_targets_exist(file):
    """Each `make TARGET` is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", " ".join(step.get("run", "") for step in steps(file)))) <= targets


@each
def test_paths_exist(file):
    """Files and folders that a step, a matrix or a trigger names."""
    text = "\n".join(line.split(" #")[0] for line in file.read_text().splitlines() if not line.strip().startswith("#"))
    named = {one.rstrip(".") for one in PATH.findall(re.sub(r"https?://\S+", "", text))} - NOT_FILES
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_the_release_builds_what_skaffold_builds():
    """The same images of the same Dockerfiles, but for the tests'; all that production runs are deployed."""
    workflow = parsed(ROOT / ".github/workflows/release.yaml")
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    built = {one["image"]: one["dockerfile"] for one in workflow["jobs"]["images"]["strategy"]["matrix"]["include"]}
    wanted = {one["image"].split("/")[1]: one["docker"]["dockerfile"] for one in skaffold["build"]["artifacts"]}
    del wanted["e2e"]
    assert built == wanted
    script = next(
        step["run"] for step in workflow["jobs"]["deploy"]["steps"] if "kustomize edit" in step.get("run", "")
    )
    production = yaml.safe_load((ROOT / "k8s/overlays/production/kustomization.yaml").read_text())
    names = re.search(r"for name in ([a-z ]+);", script)[1].split()
    assert {f"inkmesh/{name}" for name in names} == {image["name"] for image in production["images"]}


def test_gitops_follows_an_overlay():
    """Argo CD and Flux are told of a path that is rendered here."""
    argo = yaml.safe_load((ROOT / "k8s/gitops/argo-cd.yaml").read_text())
    source, kustomization = yaml.safe_load_all((ROOT / "k8s/gitops/flux.yaml").read_text())
    overlays = {str(overlay.relative_to(ROOT)) for overlay in OVERLAYS}
    assert argo["spec"]["source"]["path"] in overlays
    assert kustomization["spec"]["path"].removeprefix("./") in overlays
    assert kustomization["spec"]["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}


def test_kinds_ports_are_istios():
    """What the cluster maps to this machine is where Istio's gateway listens."""
    kind = yaml.safe_load((ROOT / ".github/kind/cluster.yaml").read_text())
    istio = yaml.safe_load((ROOT / ".github/kind/istio.yaml").read_text())
    (gateway,) = istio["spec"]["components"]["ingressGateways"]
    ports = {port.get("nodePort") for port in gateway["k8s"]["service"]["ports"]}
    mapped = {one["containerPort"]: one["hostPort"] for one in kind["nodes"][0]["extraPortMappings"]}
    assert set(mapped) <= ports
    url = parsed(ROOT / ".github/workflows/cluster.yaml")["jobs"]["kind"]["env"]["INGRESS_URL"]
    assert url == f"http://localhost:{mapped[30080]}"
