"""The whole product on this machine, from the same YAML, with a payment that loses answers after the commit."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml
from stage import FAULTY, Books, free_port

ROOT = Path(__file__).resolve().parents[4]
LOST = 50
"""Every so manieth answer of payment is lost, in all that is played here; the mesh repeats the call."""
STABLE_SECONDS = 3.5
"""What dies again sooner is started later and later, as in Kubernetes."""


class Mesh(Books):
    """Ingress, gateway, models and payment, each process of which can be killed."""

    def __init__(self, _: str) -> None:
        self._stack = contextlib.ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        self.address = str(self.folder / "home" / "payment.db")
        self.port = free_port()

    def __enter__(self) -> Mesh:
        for name in ("k8s", "istio"):
            shutil.copytree(ROOT / name, self.folder / name)
        patch = self.folder / "k8s" / "overlays" / "laptop" / "payment.yaml"
        deployment = yaml.safe_load(patch.read_text())
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        container["command"] = ["python", str(FAULTY), f"send:lose:{LOST}"]
        patch.write_text(yaml.safe_dump(deployment))
        self._stack.callback(self._command, "down")
        self._command("up", "--detach", "--port", str(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def kill(self, name: str, seconds: float = 300) -> None:
        """SIGKILL a workload's first replica, or `envoy`; return when another has been ready for a while."""
        before, _ = self._process(name)
        os.kill(before, signal.SIGKILL)
        deadline, since = time.monotonic() + seconds, None
        while since is None or time.monotonic() < since + STABLE_SECONDS:
            assert time.monotonic() < deadline, f"{name} did not come back in {seconds} s"
            time.sleep(0.2)  # between two looks; the deadline above bounds them
            pid, ready = self._process(name)
            since = (since or time.monotonic()) if ready and pid != before else None

    def repeated(self) -> int:
        """How many calls to payment the mesh has repeated since Envoy started."""
        admin = self._status()["envoy"]["admin"]
        words = ["curl", "-sf", f"{admin}/stats?format=json&filter=outbound.*payment.*upstream_rq_retry$"]
        stats = json.loads(subprocess.run(words, check=True, capture_output=True, timeout=20).stdout)["stats"]
        return sum(one.get("value", 0) for one in stats)

    def _process(self, name: str) -> tuple[int | None, bool]:
        status = self._status()
        if name != "envoy":
            (workload,) = [one for one in status["workloads"] if one["name"] == name]
            return workload["replicas"][0]["pid"], workload["replicas"][0]["ready"]
        gateway = next(one for one in status["workloads"] if one["name"] == "gateway")["replicas"][0]["pid"]
        children = psutil.Process(gateway).parent().children()
        pid = next((child.pid for child in children if child.name() == "envoy"), None)
        return pid, pid is not None

    def _status(self) -> dict:
        return json.loads(self._command("status", "--json"))

    def _command(self, *words: str) -> str:
        inkmesh = [Path(sys.executable).with_name("inkmesh"), "--root", self.folder, "--home", self.folder / "home"]
        environment = os.environ | {"LOCALMESH_HPA_SYNC_SECONDS": "3600"}  # as many replicas as the manifests say
        done = subprocess.run(
            [*inkmesh, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
