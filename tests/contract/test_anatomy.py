"""What keeps the house a house: imports do nothing, and each room knows only its own."""

import ast
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from product import ROOT

SERVICES = {
    "gateway": "gateway",
    "inference": "services/inference",
    "payment": "services/payment",
    "frontend": "services/frontend",
}
SHARED = {"contracts", "runtime"}
PACKAGES = SERVICES | {
    "contracts": "packages/contracts",
    "runtime": "packages/runtime",
    "localmesh": "localmesh",
    "inkmesh": "inkmesh",
}


def modules(package: str) -> list[str]:
    root = ROOT / PACKAGES[package] / "src"
    names = []
    for file in sorted((root / package).rglob("*.py")):
        parts = list(file.relative_to(root).with_suffix("").parts)
        if parts[-1] != "__main__":
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


PROGRAM = """
import importlib, os, socket, subprocess, sys, threading

def refuse(*_, **__):
    raise AssertionError("importing did something")

socket.socket.bind = socket.socket.connect = refuse
subprocess.Popen.__init__ = refuse
def ours():  # scikit-learn sets OpenMP's variables when it is imported
    return {name: value for name, value in os.environ.items() if not name.startswith("KMP_")}

before = ours()
for name in sys.argv[1:]:
    importlib.import_module(name)
assert ours() == before, "the environment changed"
others = [t for t in threading.enumerate() if t is not threading.main_thread()]
assert not others, f"a thread runs: {others}"
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_any_module_does_nothing(package, tmp_path):
    """With an empty environment and in an empty folder: no socket, process, thread or file."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, *modules(package)],
        cwd=tmp_path, env={"PATH": os.defpath}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def imported(package: str) -> set[str]:
    found = set()
    for file in (ROOT / PACKAGES[package] / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found & set(PACKAGES) - {package}


@pytest.mark.parametrize("package", PACKAGES)
def test_who_may_import_whom(package):
    """Services import the two shared packages and no other service; localmesh knows nothing of the product."""
    allowed = {"contracts": set(), "runtime": set(), "localmesh": set(), "inkmesh": {"localmesh"}}
    assert imported(package) <= allowed.get(package, SHARED)


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_imported_is_declared(package):
    """Each package's pyproject names the packages of the house that it imports."""
    names = {name: name if name in {"localmesh", "inkmesh"} else f"inkmesh-{name}" for name in PACKAGES}
    declared = " ".join(importlib.metadata.requires(names[package]) or [])
    assert [name for name in imported(package) if names[name] not in declared] == []


DOMAIN = {
    "gateway": ["readings", "requests", "tokens", "errors"],
    "inference": ["model", "repository", "protocol", "errors"],
    "payment": ["ledger", "topups", "errors"],
}


@pytest.mark.parametrize("service", DOMAIN)
def test_domain_modules_know_no_transport(service):
    """No web framework, gRPC or environment in what is the business."""
    root = ROOT / PACKAGES[service] / "src" / service
    for name in DOMAIN[service]:
        files = list((root / name).rglob("*.py")) if (root / name).is_dir() else [root / f"{name}.py"]
        for file in files:
            for node in ast.walk(ast.parse(file.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                for found in names:
                    assert found.split(".")[0] not in {"fastapi", "starlette", "grpc", "httpx", "os"} or (
                        found == "os" and "environ" not in file.read_text()
                    ), f"{file.relative_to(ROOT)} imports {found}"


def test_no_module_is_named_for_nothing():
    """Nothing is called common, utils, helpers or shared."""
    bad = {"common", "utils", "util", "helpers", "helper", "misc"}
    found = [file for path in PACKAGES.values() for file in Path(ROOT / path).rglob("*.py") if file.stem in bad]
    assert found == []
