"""Models are trained when one is missing or is not what its manifest says."""

import hashlib
import json

import pytest

from inkmesh.models import WANTED, findings, is_missing, problem
from localmesh.state import StateFolder


def put_models(state):
    for name in WANTED:
        folder = state.path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(name.encode())
        files = {"model.onnx": {"sha256": hashlib.sha256(name.encode()).hexdigest()}}
        rest = json.dumps({"files": files}, indent=2)[2:]
        (folder / "manifest.json").write_text(f'{{\n  "sha256": "{hashlib.sha256(rest.encode()).hexdigest()}",\n{rest}')


def test_missing_models_are_trained(tmp_path):
    """None there: training is needed, and `doctor` says so for each."""
    state = StateFolder(tmp_path)
    assert is_missing(state)
    assert [finding.ok for finding in findings(state)] == [False] * len(WANTED)


def test_whole_models_are_left_alone(tmp_path):
    """All there with the digest of their manifest: nothing to do."""
    state = StateFolder(tmp_path)
    put_models(state)
    assert not is_missing(state)
    assert all(finding.ok for finding in findings(state))


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_changed_file_is_found(tmp_path, name):
    """A byte that differs from what was written, in the model or in the manifest."""
    state = StateFolder(tmp_path)
    put_models(state)
    file = tmp_path / "models/digits/v2" / name
    file.write_bytes(file.read_bytes().replace(b"d", b"e", 1) + b" ")
    assert is_missing(state)
    assert problem(file.parent).startswith(name)
