"""localmesh's table of Istio's fields: `python tests/parity/fields.py > localmesh/FIELDS.md`.

Fields are those of the schemas of a cluster's own CRDs (`tests/manifests/schemas/istio.json`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from parity import cases

from localmesh.translate.documents import SHAPES
from localmesh.translate.table import markdown, said

_SCHEMAS = cases.FOLDER.parent / "manifests" / "schemas" / "istio.json"
Field = tuple[str, str]
"""A kind and a path as `spec.http[].match[].headers{}.exact`."""


def shown() -> dict[Field, str]:
    """A field → the case that shows it: of several the one that says least besides."""
    found: dict[str, set[Field]] = {}
    for name in cases.names():
        for document in cases.load(name).documents:
            kind = document["kind"]
            shape = SHAPES[document["apiVersion"].partition("/")[0], kind]
            paths = said(shape, "spec", document.get("spec"))
            found.setdefault(name, set()).update((kind, path) for path in paths)
    smallest_last = sorted(found, key=lambda name: (-len(found[name]), name))
    return {field: name for name in smallest_last for field in found[name]}


def of_istio() -> set[Field]:
    """Each field that Istio's schemas have."""
    schemas = json.loads(_SCHEMAS.read_text(encoding="utf-8"))
    return {(name.split(" ")[1], path) for name, schema in schemas.items() for path in _paths(schema, "spec")}


def _paths(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if properties := schema.get("properties"):
        for name, inner in properties.items():
            yield from _paths(inner, f"{path}.{name}")
    elif isinstance(inner := schema.get("additionalProperties"), dict):
        yield from _paths(inner, f"{path}{{}}")
    elif schema.get("type") == "array":
        yield from _paths(schema["items"], f"{path}[]")
    else:
        yield path


if __name__ == "__main__":
    sys.stdout.write(markdown(shown()))
