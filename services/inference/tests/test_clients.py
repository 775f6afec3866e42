"""The clients of other servers work unchanged: tritonclient, kserve's, and MLServer's command.

Each has an environment of its own, for they want other versions than ours (protobuf before 7). Environments are made
once, by uv, and kept in `.inkmesh/clients`; where they cannot be made, the tests are skipped and say so.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLIENTS = Path(__file__).with_name("clients")
TOKEN = "a-token-for-tests"
DIGIT = [0, 0, 5, 13, 9, 1, 0, 0] * 8


def environment(*requirements):
    """The Python of an environment with these packages."""
    name = hashlib.sha256(" ".join([sys.version, *requirements]).encode()).hexdigest()[:16]
    folder = ROOT / ".inkmesh" / "clients" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for command in (
                ["venv", "--quiet", "--clear", "--python", sys.executable, folder],
                ["pip", "install", "--quiet", "--python", python, *requirements],
            ):
                try:
                    done = subprocess.run([uv, *command], capture_output=True, text=True, timeout=300)
                except (OSError, subprocess.TimeoutExpired) as error:
                    pytest.skip(f"{requirements[0]} cannot be installed beside: {error}")
                if done.returncode:
                    pytest.skip(f"{requirements[0]} cannot be installed beside: {done.stderr.strip()[-200:]}")
            (folder / "complete").touch()
    return python


def silent(python, *command):
    done = subprocess.run([python, *command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def serving(serve, tmp_path):
    """A process of digits v2 and fraud v1, with an administrator."""
    (tmp_path / "token").write_text(TOKEN + "\n")
    return serve(serve="digits=v2,fraud=v1", admin_token_file=tmp_path / "token")


def test_triton_client(serving):
    """HTTP with JSON and bytes, gRPC, both asyncio clients, the stream, the repository."""
    python = environment("tritonclient[http,grpc]==2.73.0")
    silent(python, CLIENTS / "triton.py", str(serving.http_port), str(serving.grpc_port), TOKEN)


def test_kserve_client(serving):
    """REST with JSON and bytes, and gRPC."""
    python = environment("kserve==0.21.0")
    silent(python, CLIENTS / "kserve_v2.py", str(serving.http_port), str(serving.grpc_port))


def test_mlserver_stubs(serving):
    """MLServer's gRPC stubs and converters, typed and raw."""
    silent(environment("mlserver==1.7.1"), CLIENTS / "mlserver_grpc.py", str(serving.grpc_port))


def test_mlserver_command(serving, tmp_path):
    """`mlserver infer` answers a file of requests; it speaks REST only."""
    python = environment("mlserver==1.7.1")
    request = {"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": DIGIT}]}
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(request | {"id": str(n)}) + "\n" for n in range(10)))
    answered = tmp_path / "out.jsonl"
    silent(
        python.with_name("mlserver"), "infer", "-u", f"127.0.0.1:{serving.http_port}", "-m", "digits",
        "-i", tmp_path / "in.jsonl", "-o", answered, "-w", "2",
    )  # fmt: skip
    answers = [json.loads(line) for line in answered.read_text().splitlines()]
    assert len(answers) == 10
    assert {tuple(output["name"] for output in answer["outputs"]) for answer in answers} == {("label", "probabilities")}
