"""The REST API against its own OpenAPI document, by Schemathesis with all of its checks.

INKMESH_EXAMPLES (15) is how many cases each operation gets, INKMESH_SEED (0) where they begin.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

HOOKS = Path(__file__).with_name("openapi_hooks.py")
# 402 and 409 are about what is there, not about the request; the rest is Schemathesis' own list.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 402, 404, 409]
"""


@pytest.fixture
def served(tmp_path):
    """The URL of a process of payment with an empty ledger, and its log."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        http, grpc = one.getsockname()[1], two.getsockname()[1]
    environment = {
        "PAYMENT_DATABASE": str(tmp_path / "payment.sqlite3"),
        "PAYMENT_INFERENCE_URL": "http://127.0.0.1:1",
        "PAYMENT_HTTP_PORT": str(http),
        "PAYMENT_GRPC_PORT": str(grpc),
    }
    url, log = f"http://127.0.0.1:{http}", tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "payment"], env=environment, stdout=output)
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(f"{url}/healthz/ready", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)  # between two looks; the deadline above bounds them
    yield url, log
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.timeout(3660)
def test_every_operation_keeps_to_its_document(served, tmp_path):
    """Statuses, types, headers and bodies are as documented; bad data are refused, good ones taken; never a 5xx."""
    url, log = served
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    words = ["--checks", "all", "--max-examples", os.environ.get("INKMESH_EXAMPLES", "15")]
    words += ["--seed", os.environ.get("INKMESH_SEED", "0"), "--include-path-regex", "^/v1/", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", *words, f"{url}/openapi.json"],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": str(HOOKS.parent)},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert '"status":500' not in log.read_text()
