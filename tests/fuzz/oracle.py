"""What a real istiod makes of many folders of documents at once: each in namespaces and at addresses of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fuzz.documents import Document, callers
from fuzz.translation import Answers
from parity import normalise, registry

BATCH = 200
"""Folders to one istiod; they share 127.0.0.0/8."""
_TRIES = 3
"""A freshly started istiod sometimes does not answer within its time."""
_METRICS = "istio.stats"
_SHARED = ("inkmesh", "visitors", "istio-system", "ingressgateway")


def ask(oracle: Path, folders: Mapping[int, Sequence[Document]]) -> dict[int, Answers | str]:
    """istiod's answers for each folder's callers, or why it refuses the folder. At most `BATCH` of them.

    `oracle`: a program as `parity/refresh.py` wants it. One wrong document stops istiod, and the error names its file:
    then the rest is asked without it. RuntimeError: no answer.
    """
    found: dict[int, Answers | str] = {}
    numbers = list(folders)
    tries = 0
    while numbers and tries < _TRIES:
        done = _run(oracle, {number: folders[number] for number in numbers}, list(folders))
        if done.returncode == 0:
            return found | _answers(json.loads(done.stdout), list(folders))
        if refused := re.search(r"Failed to parse \S*/(\d+)\.yaml: (.*)", done.stderr):
            found[int(refused[1])] = refused[2]
            numbers.remove(int(refused[1]))
        else:
            tries += 1
    if numbers:
        raise RuntimeError(f"no answer to {numbers}: {done.stderr[-1500:]}")
    return found


def _run(
    oracle: Path, folders: Mapping[int, Sequence[Document]], places: Sequence[int]
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as temporary:
        documents, nodes = Path(temporary) / "documents", Path(temporary) / "nodes.json"
        documents.mkdir()
        asking: dict[str, Any] = {}
        for number, folder in folders.items():
            place = places.index(number)
            texts = [json.dumps(one) for one in (*_services(), *folder)]
            (documents / f"{number}.yaml").write_text(_moved("\n---\n".join(texts), place))
            own = json.loads(_moved(json.dumps(registry.nodes(callers(number))), place))
            asking |= {f"{number} {caller}": node for caller, node in own.items()}
        nodes.write_text(json.dumps(asking))
        command = [oracle, documents, "--nodes", nodes]
        return _done(command)


def _done(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`, but what is cut short gets time to stop istiod."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
        try:
            out, err = asking.communicate(timeout=1200)
        except BaseException:
            asking.send_signal(signal.SIGINT)
            raise
    return subprocess.CompletedProcess(command, asking.returncode, out, err)


def _services() -> list[dict[str, Any]]:
    """The services, seen in their own namespaces alone."""
    return [
        {**entry, "spec": {"exportTo": ["inkmesh", "visitors", "istio-system"], **entry["spec"]}}
        for entry in registry.service_entries()
    ]


def _answers(printed: Mapping[str, Any], places: Sequence[int]) -> dict[int, Answers | str]:
    found: dict[int, Any] = {}
    for name, resources in printed.items():
        number, _, caller = name.partition(" ")
        here = json.loads(_back(json.dumps(resources), places.index(int(number))))
        listeners = _without_metrics(here["listeners"])
        answer = normalise.answer(here["clusters"], here["endpoints"], here["routes"], listeners)
        found.setdefault(int(number), {})[caller] = answer
    return found


def _without_metrics(value: Any) -> Any:
    """Without Istio's own filter that counts: upstream Envoy has none, and localmesh counts with access loggers."""
    if isinstance(value, dict):
        return {key: _without_metrics(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_metrics(one) for one in value if not (isinstance(one, dict) and one.get("name") == _METRICS)]
    return value


def _moved(text: str, place: int) -> str:
    """The text with names and addresses of this place."""
    for name in _SHARED:
        text = text.replace(name, _name(name, place))
    return text.replace("127.0.", f"127.{1 + place}.")


def _back(text: str, place: int) -> str:
    for name in _SHARED:
        text = text.replace(_name(name, place), name)
    return text.replace(f"127.{1 + place}.", "127.0.")


def _name(name: str, place: int) -> str:
    """As long as the name itself, and of the same order among others: istiod sorts by both."""
    return f"{name[:3]}{place:0{len(name) - 3}}"
