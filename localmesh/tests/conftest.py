"""What several of localmesh's tests need: kubectl, files, and small products that run for real."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from checkouts import Checkout, checkout
from envoys.bench import Bench, started

from localmesh.certificates import Certificates
from localmesh.mesh import Mesh
from localmesh.translate import Unsupported, translate


@pytest.fixture(scope="session")
def kubectl() -> Callable[[Path], str]:
    """`kubectl kustomize`; KUBECTL names another command."""
    command = shlex.split(os.environ.get("KUBECTL", "kubectl"))
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} to compare with")

    def run(folder: Path) -> str:
        done = subprocess.run([*command, "kustomize", str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def refusal() -> Callable[[str, str], Unsupported]:
    """The error that a document gives: `refusal("Gateway", "{servers: []}")`."""

    def run(kind: str, spec: str) -> Unsupported:
        metadata = {"name": "model", "namespace": "demo", "annotations": {"localmesh/file": "istio/model.yaml"}}
        one = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": yaml.safe_load(spec)}
        with pytest.raises(Unsupported) as refused:
            translate(Mesh((), (), (), (one,)))
        return refused.value

    return run


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Writes files below a folder of the test's own: `write({"a/b.yaml": text})` gives the folder."""

    def run(files: dict[str, str]) -> Path:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        return tmp_path

    return run


@pytest.fixture
def new_checkout(tmp_path) -> Iterator[Callable[..., Checkout]]:
    """Makes checkouts; what they run is stopped at the end."""
    made: list[Checkout] = []

    def make(name: str = "demo", replicas: int = 2) -> Checkout:
        folder = tmp_path / name
        folder.mkdir()
        made.append(checkout(folder, replicas))
        return made[-1]

    yield make
    for one in made:
        one.run("down", check=False)


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Iterator[Bench]:
    """An Envoy for the tests of one module."""
    with started(tmp_path_factory.mktemp("envoy")) as found:
        yield found


@pytest.fixture(scope="module")
def authority(bench) -> Certificates:
    """The authority of the certificates of that Envoy."""
    return Certificates(bench.directory.path)
