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
        urllib.request.urlopen(f"http://{reviews['replicas'][0]['http']}/", timeout=10)


FILES = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: files}
spec:
  selector: {matchLabels: {app: files}}
  template:
    metadata: {labels: {app: files}}
    spec:
      containers:
        - name: files
          command: [python, -m, http.server, $(LOCALMESH_PORT_HTTP), --bind, $(IP)]
          ports: [{name: http, containerPort: 8000}]
          env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
---
apiVersion: v1
kind: Service
metadata: {name: files}
spec: {selector: {app: files}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge}
spec: {hosts: ["*"], gateways: [edge], http: [{route: [{destination: {host: files}}]}]}
"""


def test_a_server_that_knows_nothing_of_probes_runs(tmp_path):
    """Python's own: it is called through the mesh, and not started again for want of a probe."""
    (tmp_path / "files.yaml").write_text(FILES)
    port = free_port()
    started = command(tmp_path, "up", "--detach", "--port", str(port))
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        eventually(lambda: b"files.yaml" in answered(port), 60)
        (files,) = json.loads(command(tmp_path, "status", "--json").stdout)["workloads"]
        assert [(one["ready"], one["restarts"]) for one in files["replicas"]] == [(True, 0)]
    finally:
        command(tmp_path, "down")


def answered(port):
    """Nothing while the server does not listen yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as found:
            return found.read()
    except OSError:
        return b""


def test_a_folder_without_yaml_is_an_error(tmp_path):
    """Two lines that name the folder."""
    done = command(tmp_path, "up", "--detach")
    assert done.returncode == 1
    assert "no kustomization and no YAML" in done.stderr
