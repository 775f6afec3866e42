"""The servers that are measured: each a process on one core, the peers from environments of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = {
    "MLServer": ("mlserver==1.7.1", "mlserver-sklearn==1.7.1"),
    "KServe": ("kserve==0.21.0", "scikit-learn==1.9.1"),
}
_FIT = """
import sys, joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
model = make_pipeline(MinMaxScaler(), LogisticRegression(C=0.1, max_iter=1000))
joblib.dump(model.fit(*load_digits(return_X_y=True)), sys.argv[1])
"""
_READY_SECONDS = 180


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(name: str, cache: Path) -> Path:
    """The Python of a peer's own environment, made when it is not there. Ends the program with the reason."""
    folder = cache / name.lower()
    python, uv = folder / "bin" / "python", Path(sys.executable).with_name("uv")
    wanted = folder / "requirements.txt"
    if not wanted.exists() or wanted.read_text() != "\n".join(REQUIREMENTS[name]):
        print(f"installing {name} into {folder} …", file=sys.stderr)
        cache.mkdir(parents=True, exist_ok=True)
        for command in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, folder],
            ["pip", "install", "--quiet", "--python", python, *REQUIREMENTS[name]],
        ):
            if subprocess.run([uv, *command]).returncode:
                sys.exit(f"{name} could not be installed; leave it out with --peers")
        wanted.write_text("\n".join(REQUIREMENTS[name]))
    return python


@dataclass
class Server:
    """One candidate: how it starts, and what it is when it runs."""

    name: str
    command: Callable[[int, int], list[str | Path]]
    """From the two ports."""
    ready: str = "/v2/health/ready"
    environ: dict[str, str] = field(default_factory=dict)
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    ready_seconds: float = 0

    def start(self, log: Path, core: int | None) -> None:
        """Start it on a core, and wait until it is ready."""
        pin: list[str | Path] = ["taskset", "-c", str(core)] if core is not None else []
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [*pin, *self.command(self.http_port, self.grpc_port)],
                env=os.environ | {name: value.format(self) for name, value in self.environ.items()},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started = time.monotonic()
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() - started > _READY_SECONDS:
                self.stop()
                sys.exit(f"{self.name} did not become ready; its log ends:\n{log.read_text()[-1000:]}")
            time.sleep(0.02)
        self.ready_seconds = time.monotonic() - started

    def stop(self) -> None:
        """End it, gently first."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_mib(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu_seconds(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _is_ready(self) -> bool:
        if not self.ready:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.http_port)) == 0
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{self.ready}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def inkmesh(models: Path) -> Server:
    """Ours, as the manifests run it: metrics, request ids and the request log on."""
    environ = {
        "INFERENCE_MODELS": str(models),
        "INFERENCE_SERVE": "digits=v1,fraud=v1",
        "INFERENCE_HTTP_PORT": "{0.http_port}",
        "INFERENCE_GRPC_PORT": "{0.grpc_port}",
        "GRPC_EXPERIMENTS": "-event_engine_client,-event_engine_listener",
    }
    return Server("Inkmesh", lambda _, __: [sys.executable, "-m", "inference"], environ=environ)


def limit(answer_json: Path, answer_proto: Path) -> Server:
    """A constant answer by uvicorn and grpc.aio."""
    command = [sys.executable, HERE / "limits.py"]
    environ = {"GRPC_EXPERIMENTS": "-event_engine_client,-event_engine_listener"}
    return Server(
        "constant answer", lambda http, grpc: [*command, str(http), str(grpc), answer_json, answer_proto], "", environ
    )


def mlserver(cache: Path, work: Path) -> Server:
    """MLServer with its own scikit-learn runtime, in one process."""
    python, folder = environment("MLServer", cache), work / "mlserver"
    folder.mkdir()
    subprocess.run([python, "-c", _FIT, folder / "model.joblib"], check=True)
    model = {
        "name": "digits",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v1"},
    }
    (folder / "model-settings.json").write_text(json.dumps(model))

    def command(http: int, grpc: int) -> list[str | Path]:
        settings = {
            "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": free_port(),
            "parallel_workers": 0, "debug": False,
        }  # fmt: skip
        (folder / "settings.json").write_text(json.dumps(settings))
        return [python.with_name("mlserver"), "start", folder]

    return Server("MLServer", command, "/v2/models/digits/ready")


def kserve(cache: Path, work: Path) -> Server:
    """KServe's ModelServer, in one process."""
    python, model = environment("KServe", cache), work / "kserve.joblib"
    subprocess.run([python, "-c", _FIT, model], check=True)
    return Server(
        "KServe", lambda http, grpc: [python, HERE / "kserve_server.py", model, str(http), str(grpc)],
        "/v2/models/digits/ready",
    )  # fmt: skip
