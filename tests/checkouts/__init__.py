"""Small products that run for real, each in a folder of its own: processes, Envoy, the command, a fake service."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from checkouts.manifests import GATEWAY, PRODUCT, TEAPOT, deployment, service

SERVER = Path(__file__).with_name("fake_service.py")


def eventually(check: Callable[[], Any], seconds: float = 10) -> Any:
    """`check()` as soon as it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        threading.Event().wait(0.02)
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Checkout:
    """A small product's files, and the command that drives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / ".demo"
        self.port = free_port()
        self.environment = {**os.environ, "PYTHONPATH": str(folder)}

    def run(self, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, str(self.folder / "demo.py"), *words],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self, *words: str, **environment: str) -> str:
        return self.run("up", "--detach", "--port", str(self.port), *words, **environment).stdout

    def status(self) -> dict[str, Any]:
        return json.loads(self.run("status", "--json").stdout)

    def replicas(self, workload: str = "web") -> list[dict[str, Any]]:
        (found,) = [one for one in self.status()["workloads"] if one["name"] == workload]
        return found["replicas"]

    def get(self, path: str = "/") -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def supervisor(self) -> int:
        return json.loads((self.home / "state.json").read_text())["pid"]

    def processes(self) -> list[psutil.Process]:
        """Every process of this copy, found by the mark in its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("LOCALMESH_STATE") == str(self.home):
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))


def checkout(folder: Path, replicas: int = 2) -> Checkout:
    """One service, `web`, behind an ingress, and a scenario that answers 418."""
    found = Checkout(folder)
    found.write("demo.py", PRODUCT)
    found.write(
        "k8s/overlays/laptop/kustomization.yaml", "namespace: demo\nresources: [web.yaml, ../../../istio/base]\n"
    )
    found.write("k8s/overlays/laptop/web.yaml", deployment("web", replicas) + service("web"))
    found.write("istio/base/kustomization.yaml", "namespace: demo\nresources: [ingress.yaml]\n")
    found.write("istio/base/ingress.yaml", GATEWAY)
    found.write("istio/scenarios/teapot/kustomization.yaml", TEAPOT)
    found.write("istio/scenarios/teapot/README.md", "# teapot\n\nEvery call is answered by a teapot.\n")
    shutil.copy(SERVER, folder / "fake_service.py")
    return found


class Load:
    """Requests without a pause from a few threads; every one must be answered with 200."""

    def __init__(self, running: Checkout, path: str = "/") -> None:
        self.statuses: list[int | str] = []
        self.replicas: set[str] = set()
        self._running = running
        self._path = path
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                self.replicas.add(self._running.get(self._path)["replica"])
                self.statuses.append(200)
            except OSError as error:
                self.statuses.append(str(error))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        eventually(lambda: len(self.statuses) > 10)
        return self

    def __exit__(self, *_: object) -> None:
        seen = len(self.statuses)
        eventually(lambda: len(self.statuses) > seen + 10)
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def failures(self) -> list[int | str]:
        return [status for status in self.statuses if status != 200]
