"""`python -m gateway` where it cannot start: one line that says why, and exit code 1."""

import os
import subprocess
import sys

import pytest

from gateway.provision.material import signing_key


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({}, "gateway: {}/keys/1.pem: is missing: `openssl ecparam"),
        ({"keys/1.pem": b"nonsense"}, "gateway: {}/keys/1.pem: is not a readable private key"),
        (
            {"keys/1.pem": signing_key(), "live/readings_burst": b"many"},
            "gateway: {}/live/readings_burst: Input should",
        ),
        ({"keys/1.pem": signing_key(), "live/burst": b"5"}, "gateway: {}/live/burst: is not a live setting"),
        (
            {"keys/1.pem": signing_key(), "live/readings_burst": b"5"},
            "gateway: {}/live: readings_burst must",
        ),
    ],
)
def test_a_start_that_cannot_be_is_one_line(tmp_path, files, line):
    """Keys and live settings have to be right at the start: there is no last good to go on with."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    environment = os.environ | {
        "GATEWAY_HTTP_PORT": "0",
        "GATEWAY_TOKEN_KEYS": str(tmp_path / "keys"),
        "GATEWAY_LIVE": str(tmp_path / "live"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith(line.format(tmp_path))
    assert done.stderr.count("\n") == 1
