"""`doctor` on the models: missing, whole, damaged."""

import hashlib
import json

import pytest

from inkmesh.models import WANTED, findings, problem
from localmesh.state import StateFolder


def put_models(state):
    for name in WANTED:
        folder = state.path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(name.encode())
        files = {"model.onnx": {"sha256": hashlib.sha256(name.encode()).hexdigest()}}
        rest = json.dumps({"files": files}, indent=2)[2:]
        (folder / "manifest.json").write_text(f'{{\n  "sha256": "{hashlib.sha256(rest.encode()).hexdigest()}",\n{rest}')


def test_missing_models_are_named(tmp_path):
    """None there: `doctor` says so for each, and what to do."""
    state = StateFolder(tmp_path)
    assert [finding.ok for finding in findings(state)] == [False] * len(WANTED)


def test_whole_models_are_well(tmp_path):
    """All there with the digest of their manifest."""
    state = StateFolder(tmp_path)
    put_models(state)
    assert all(finding.ok for finding in findings(state))


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_changed_file_is_found(tmp_path, name):
    """A byte that differs from what was written, in the model or in the manifest."""
    state = StateFolder(tmp_path)
    put_models(state)
    file = tmp_path / "models/digits/v2" / name
    file.write_bytes(file.read_bytes().replace(b"d", b"e", 1) + b" ")
    assert problem(file.parent).startswith(name)
