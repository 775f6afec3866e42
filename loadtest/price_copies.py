"""Copies of the product for price.py and trap.py, that may differ in one policy each."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

from localmesh.asking import call
from localmesh.kustomize import render
from localmesh.state import StateFolder

RETRIES = "price-retries"
ROUTE = "fraud-model"
_RETRIES = {"attempts": 2, "perTryTimeout": "2s", "retryOn": "5xx,reset"}
_MTLS = """\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: price-mtls, namespace: inkmesh}
spec:
  mtls: {mode: STRICT}
"""
START_SECONDS = 120


@dataclass
class Copy:
    """One that runs."""

    port: int
    state: StateFolder

    def _ask(self, verb: str, **arguments: object) -> dict:
        return call(Path(self.state.running()["socket"]), verb, timeout=60, **arguments)

    def replicas(self, workload: str) -> list[dict]:
        """As `status --json` has them."""
        (found,) = [one for one in self._ask("status")["workloads"] if one["name"] == workload]
        return list(found["replicas"])

    def replica(self, workload: str) -> tuple[str, int]:
        """Where one replica listens for HTTP, past the mesh."""
        host, _, port = self.replicas(workload)[0]["own"]["http"].rpartition(":")
        return host, int(port)

    def apply(self, scenario: str | None) -> None:
        """Put a scenario in force, or none."""
        self._ask("scenario", name=scenario)

    def scale(self, workload: str, replicas: int) -> None:
        """As many, and no autoscaler that corrects it: it looks once an hour here."""
        self._ask("scale", workload=workload, replicas=replicas)

    def cpu_seconds(self) -> float:
        """What all processes of the copy have used."""
        supervisor = psutil.Process(self.state.running()["pid"])
        total = 0.0
        for process in (supervisor, *supervisor.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total


@contextlib.contextmanager
def copies(root: Path, folder: Path, models: Path | None) -> Iterator[Callable[..., Copy]]:
    """Gives what starts a copy: `start(name, *words, traced=, mtls=)`. All are stopped at the end."""
    plain, encrypted = _checkout(root, folder / "plain-yaml"), _checkout(root, folder / "mtls-yaml", mtls=True)
    with contextlib.ExitStack() as stack:
        collector = stack.enter_context(_collector())

        def start(name: str, *words: str, traced: bool = False, mtls: bool = False) -> Copy:
            home, port = folder / name, _free_port()
            home.mkdir(mode=0o700)
            if models:
                shutil.copytree(models, home / "models")
            environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector} if traced else dict(os.environ)
            environment |= {"LOCALMESH_HPA_SYNC_SECONDS": "3600"}
            command = [str(Path(sys.executable).with_name("inkmesh")), "--root", str(encrypted if mtls else plain)]
            command += ["--home", str(home)]
            stack.callback(subprocess.run, [*command, "down"], check=False, capture_output=True, cwd=root)
            done = subprocess.run(
                [*command, "up", "--detach", "--port", str(port), *words],
                env=environment, cwd=root, capture_output=True, text=True, timeout=START_SECONDS, check=False,
            )  # fmt: skip
            if done.returncode != 0:
                sys.exit(f"{name}: {done.stdout}{done.stderr}")
            copy = Copy(port, StateFolder(home))
            for workload, replicas in (("inference-v1", 1), ("inference-v2", 0), ("inference-v3", 0)):
                copy.scale(workload, replicas)
            return copy

        yield start


def _checkout(root: Path, folder: Path, *, mtls: bool = False) -> Path:
    """The YAML of the checkout, with one more scenario: retries on the route that is called; or with mTLS for all."""
    for name in ("k8s", "istio"):
        shutil.copytree(root / name, folder / name)
    overlay = folder / "k8s" / "overlays" / "laptop"
    (ingress,) = [dict(one.body) for one in render(overlay) if (one.kind, one.name) == ("VirtualService", "ingress")]
    for route in ingress["spec"]["http"]:
        if route.get("name") == ROUTE:
            route["retries"] = _RETRIES
    scenario = folder / "istio" / "scenarios" / RETRIES
    scenario.mkdir()
    (scenario / "ingress.yaml").write_text(yaml.safe_dump(ingress), encoding="utf-8")
    (scenario / "kustomization.yaml").write_text("resources: [ingress.yaml]\n", encoding="utf-8")
    if mtls:
        (overlay / "price-mtls.yaml").write_text(_MTLS, encoding="utf-8")
        with_it = yaml.safe_load((overlay / "kustomization.yaml").read_text(encoding="utf-8"))
        with_it["resources"].append("price-mtls.yaml")
        (overlay / "kustomization.yaml").write_text(yaml.safe_dump(with_it), encoding="utf-8")
    return folder


@contextlib.contextmanager
def _collector() -> Iterator[str]:
    """Takes spans and forgets them; its cost is not the product's."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
