"""`python -m localmesh` runs somebody's own services: the README's example, as it is, and edited while it runs."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from checkouts import eventually, free_port

SHOP = Path(__file__).parents[1] / "examples" / "shop"


@pytest.fixture
def shop(tmp_path):
    """A copy of the example; what runs of it is stopped at the end."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns(".localmesh", "__pycache__"))
    yield folder
    command(folder, "down")


def command(folder, *words):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCALMESH_")}
    return subprocess.run(
        [sys.executable, "-m", "localmesh", "--root", str(folder), *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_a_folder_of_plain_manifests_and_istio_yaml_runs(shop):
    """Three services call each other through the mesh; who may not is refused; a weight is moved by an edit."""
    port = free_port()
    started = command(shop, "up", "--detach", "--port", str(port))
    assert started.returncode == 0, started.stdout + started.stderr

    def answer():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as found:
            return found.read().decode()

    assert answer() == "front → catalog-v1 → reviews"
    mesh = (shop / "mesh.yaml").read_text()
    (shop / "mesh.yaml").write_text(mesh.replace("weight: 100", "weight: 1").replace("weight: 0}", "weight: 99}"))
    eventually(lambda: answer() == "front → catalog-v2 → reviews", seconds=60)
    workloads = json.loads(command(shop, "status", "--json").stdout)["workloads"]
    (reviews,) = [one for one in workloads if one["service"] == "reviews"]
    with pytest.raises(OSError, match=r"reset|closed|refused|EOF"):
        urllib.request.urlopen(f"http://{reviews['replicas'][0]['inbound']['http']}/", timeout=10)


def test_a_folder_without_yaml_is_an_error(tmp_path):
    """Two lines that name the folder."""
    done = command(tmp_path, "up", "--detach")
    assert done.returncode == 1
    assert "no kustomization and no YAML" in done.stderr
