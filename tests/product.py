"""The whole product on this machine, as a person starts and drives it: through the command and the ingress.

What both tiers can do has the same name and meaning in clusters.py, so that one test holds for both.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from topology import INGRESS, PORTS, Edge

ROOT = Path(__file__).resolve().parent.parent
OVERLAY = os.environ.get("INKMESH_OVERLAY", "laptop")
"""What the tests run on this machine."""
STRICT = "laptop-strict"
"""The overlay with the mesh's policies."""
SEVEN = [int(ink, 17) for ink in "0078dgf100774bc000008d100488ff6002bff400000g5000009f100000d50000"]
"""The first 7 of scikit-learn's digits."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def eventually(check: Callable[[], Any], seconds: float = 10.0, every: float = 0.05) -> Any:
    """`check()` once it is true; fails with the last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {found!r}"
        time.sleep(every)  # between two looks; the deadline above bounds them


def own(replica: dict[str, Any]) -> str:
    """The URL of a replica's process, past the mesh, as kubectl port-forward reaches a pod."""
    return f"http://{replica['own']['http']}"


@dataclass
class Guest:
    """One visitor with a session."""

    http: httpx.Client
    token: str
    account_id: str

    def read(self, pixels: list[float] = SEVEN, key: str | None = None, **headers: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "idempotency-key": key or str(uuid.uuid4()), **headers}
        return self.http.post("/api/v1/predictions", json={"pixels": pixels}, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", **headers}
        return self.http.post(path, json=body, headers=headers)

    def account(self) -> dict[str, Any]:
        return self.http.get("/api/v1/account", headers={"authorization": f"Bearer {self.token}"}).json()

    def top_up(self, credits_: int, card: str = "4242424242424242") -> dict[str, Any]:
        body = {"credits": credits_, "card": card}
        answer = self.post("/api/v1/topups", body, **{"idempotency-key": str(uuid.uuid4())})
        assert answer.status_code == 201, answer.text
        return answer.json()


@dataclass
class Product:
    """A running copy."""

    home: Path
    port: int
    http: httpx.Client

    rate: float = 100.0
    """Readings a second that leave room for more."""

    host = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = inkmesh(self.home, *words)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def status(self) -> dict[str, Any]:
        return json.loads(self.command("status", "--json").stdout)

    def replicas(self, workload: str) -> list[dict[str, Any]]:
        (found,) = [one for one in self.status()["workloads"] if one["name"] == workload]
        return found["replicas"]

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all that it started."""
        supervisor = psutil.Process(self.replicas("gateway")[0]["pid"]).parent()
        assert supervisor is not None
        return [supervisor, *supervisor.children(recursive=True)]

    def guest(self) -> Guest:
        session = self.http.post("/api/v1/sessions").json()
        return Guest(self.http, session["token"], session["account_id"])

    @contextlib.contextmanager
    def scenario(self, name: str) -> Iterator[None]:
        """In force when this is entered; gone when it is left."""
        self.command("scenario", "apply", name)
        assert self.status()["scenario"] == name
        try:
            yield
        finally:
            self.command("scenario", "clear")
        assert self.status()["scenario"] is None

    @contextlib.contextmanager
    def sick(self, replica: dict[str, Any], **how: Any) -> Iterator[None]:
        """One replica fails its calls while it says that it is ready."""
        address = f"{own(replica)}/faults"
        assert httpx.put(address, json={"ratio": 1.0, "status": 503} | how).status_code == 200
        try:
            yield
        finally:
            httpx.delete(address)

    def calls(self, edge: Edge, counter: str, version: str = "[a-z0-9]*") -> int:
        """What the caller's proxy counted on its way to an upstream's port, and version."""
        caller = r"[a-z-]*ingress" if edge.caller == INGRESS else edge.caller
        way = rf"{caller}[^.]*\|outbound\|{PORTS[edge.port]}\|{version}\|{edge.upstream}\."
        return self.counter(rf"^cluster\.{way}.*\.{counter}$")

    def injected(self, what: str) -> int:
        """How many `delays` or `aborts` the mesh has injected."""
        return self.counter(rf"{what}_injected$")

    def counter(self, pattern: str) -> int:
        """The sum of Envoy's counters whose names match."""
        admin = self.status()["envoy"]["admin"]
        stats = httpx.get(f"{admin}/stats", params={"filter": pattern, "format": "json"}).json()["stats"]
        return sum(one.get("value", 0) for one in stats if "value" in one)

    def metric(self, replica: dict[str, Any], name: str, **labels: str) -> float:
        """The sum of one metric's samples at a replica's /metrics."""
        return total(httpx.get(f"{own(replica)}/metrics").text, name, labels)

    def logs(self) -> str:
        """What all services and proxies have written."""
        return self.command("logs").stdout


def total(metrics: str, name: str, labels: dict[str, str]) -> float:
    """The sum of the samples of one metric that have these labels, in Prometheus' text format."""
    samples = 0.0
    for line in metrics.splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            samples += float(line.rsplit(" ", 1)[1])
    return samples


def inkmesh(home: Path, *words: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """The command, as a person types it, with a state folder of its own."""
    # As many replicas as a test counts on: what autoscaling does has tests of its own.
    environment = {"LOCALMESH_HPA_SYNC_SECONDS": "3600"} | os.environ | {"INKMESH_HOME": str(home)}
    command = [str(Path(sys.executable).with_name("inkmesh")), *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds)


@contextlib.contextmanager
def running(home: Path, *words: str, overlay: str = OVERLAY) -> Iterator[Product]:
    """Start a copy on free ports, with these words before the verb, and stop it."""
    port = free_port()
    started = inkmesh(home, *words, "up", "--detach", "--port", str(port), "--overlay", overlay)
    assert started.returncode == 0, started.stdout + started.stderr
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            # With policies a reading costs the mesh twice as much.
            yield Product(home, port, http, rate=50.0 if overlay == STRICT else 100.0)
    finally:
        stopped = inkmesh(home, "down")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr
