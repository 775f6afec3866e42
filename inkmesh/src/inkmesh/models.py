"""Model files: whether they are there and whole, and the command that trains them."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from localmesh.manifests.model import Deployment
from localmesh.product import Finding, Preparation
from localmesh.state import StateFolder

WANTED = ("digits/v1", "digits/v2", "digits/v3", "fraud/v1")


def folder_of(state: StateFolder) -> Path:
    """Where the laptop overlay looks for models."""
    return state.path / "models"


def training_command(output: Path) -> tuple[str, ...]:
    """Trains every model into `output`."""
    return (sys.executable, "-m", "inference.training", "--output", str(output))


def problem(folder: Path) -> str:
    """What is wrong with one version's folder: the manifest's seal, or the digest it promises. Empty: nothing."""
    try:
        sealed = (folder / "manifest.json").read_bytes()
        said = json.loads(sealed)
        promised, seal = said["files"]["model.onnx"]["sha256"], said["sha256"]
        model = (folder / "model.onnx").read_bytes()
    except OSError as error:
        return f"{Path(str(error.filename)).name}: {error.strerror}"
    except (ValueError, KeyError, TypeError):
        return "manifest.json cannot be read"
    if hashlib.sha256(sealed.partition(b",\n")[2]).hexdigest() != seal:
        return "manifest.json is not as it was written"
    return "" if hashlib.sha256(model).hexdigest() == promised else "model.onnx is not the one of its manifest"


def _needs_models(deployment: Deployment) -> bool:
    return deployment.labels.get("app") == "inference"


TRAINING = Preparation(
    title="bringing the models up to date",
    command=lambda state: training_command(folder_of(state)),
    holds_up=_needs_models,
)


def findings(state: StateFolder) -> list[Finding]:
    """A line of `doctor` for each model."""
    found = []
    for name in WANTED:
        wrong = problem(folder_of(state) / name)
        found.append(Finding(f"model {name}", not wrong, wrong or "matches its manifest", "Run `inkmesh train`."))
    return found
