"""Ask a real istiod anew: `python tests/parity/refresh.py --oracle PATH [CASE …]`.

PATH is a program that is called as `PATH FOLDER --nodes NODES.json` and prints `{node: {clusters, endpoints,
listeners, routes}}`, istiod's resources as proto3 JSON with the protos' field names. Without names, all cases that
have no answer yet; `--all` for every one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from parity import cases, normalise, registry

_TRIES = 3
"""A freshly started istiod sometimes does not answer within its time."""


def ask(oracle: Path, name: str) -> None:
    """Record istiod's answers to one case."""
    case = cases.load(name)
    callers = list(registry.callers()) if name == cases.BASELINE else case.callers
    for _ in range(_TRIES):
        done = _run(oracle, case, callers)
        if done.returncode == 0 or "Failed to parse" in done.stderr:
            break
    if done.returncode:
        sys.exit(f"{name}: no answer: {done.stderr[-1500:]}")
    answers = json.loads(done.stdout)
    cases.record(
        name,
        {
            caller: normalise.answer(found["clusters"], found["endpoints"], found["routes"], found["listeners"])
            for caller, found in answers.items()
        },
    )
    sys.stdout.write(f"{name}\n")


def _run(oracle: Path, case: cases.Case, callers: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        documents, nodes = Path(folder) / "documents", Path(folder) / "nodes.json"
        documents.mkdir()
        # JSON is YAML, without its ways to misread a bare word.
        texts = [json.dumps(document) for document in (*registry.service_entries(), *case.documents)]
        (documents / "case.yaml").write_text("\n---\n".join(texts))
        nodes.write_text(json.dumps(registry.nodes(callers)))
        command = [oracle, documents, "--nodes", nodes]
        if case.mtls:
            mesh = Path(folder) / "mesh.yaml"
            mesh.write_text("enableAutoMtls: true\n")
            command += ["--mesh", mesh]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def main() -> None:
    """Read the arguments and ask, two at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", type=Path, required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    known = {path.stem for path in (cases.FOLDER / "expected").glob("*.json")}
    wanted = arguments.cases or [name for name in cases.names() if arguments.all or name not in known]
    if cases.BASELINE in wanted:
        ask(arguments.oracle, cases.BASELINE)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: ask(arguments.oracle, name), [one for one in wanted if one != cases.BASELINE]))


if __name__ == "__main__":
    main()
