"""The cases on disk: `cases/NAME.yaml`, and istiod's answers in `expected/NAME.json`.

An answer holds only what differs from the answer to no documents at all (`expected/nothing.json`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
BASELINE = "nothing"
DEFAULT_CALLERS = ("gateway", "ingress")


@dataclass(frozen=True)
class Case:
    """One file: a comment that says what it shows, perhaps a line `# callers: …`, and Istio documents.

    `mtls`: a line `# mesh: enableAutoMtls` has the mesh's own default on, which is off in the other cases.
    """

    name: str
    callers: tuple[str, ...]
    mtls: bool
    documents: tuple[dict[str, Any], ...]


def names() -> list[str]:
    """All cases."""
    return sorted(path.stem for path in (FOLDER / "cases").glob("*.yaml"))


def load(name: str) -> Case:
    """A case by its name."""
    text = (FOLDER / "cases" / f"{name}.yaml").read_text()
    lines = [line.removeprefix("# callers:") for line in text.splitlines() if line.startswith("# callers:")]
    callers = tuple(caller.strip() for line in lines for caller in line.split(",")) or DEFAULT_CALLERS
    mtls = "# mesh: enableAutoMtls" in text.splitlines()
    return Case(name, callers, mtls, tuple(document for document in yaml.safe_load_all(text) if document))


def expected(name: str, caller: str) -> dict[str, Any]:
    """What istiod answered, in the form of `normalise.answer`."""
    answers = json.loads(_path(BASELINE).read_text())[caller]
    if name != BASELINE:
        answers |= json.loads(_path(name).read_text())[caller]
    return {key: value for key, value in answers.items() if value is not None}


def record(name: str, answers: dict[str, dict[str, Any]]) -> None:
    """Keep istiod's answers, one resource a line."""
    if name != BASELINE:
        whole = json.loads(_path(BASELINE).read_text())
        answers = {caller: _difference(whole[caller], answer) for caller, answer in answers.items()}
    callers = []
    for caller, answer in sorted(answers.items()):
        lines = [f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in sorted(answer.items())]
        callers.append(f" {json.dumps(caller)}: {{\n" + ",\n".join(lines) + "\n }")
    _path(name).write_text("{\n" + ",\n".join(callers) + "\n}\n")


def _difference(whole: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    gone = dict.fromkeys(whole.keys() - answer.keys())
    return gone | {key: value for key, value in answer.items() if whole.get(key) != value}


def _path(name: str) -> Path:
    return FOLDER / "expected" / f"{name}.json"
