"""JSON Patch (RFC 6902): a list of operations on one document."""

from __future__ import annotations

import copy
from typing import Any

from localmesh.kustomize.document import Yaml

_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})


class PatchFailed(ValueError):
    """An operation cannot be done; the message says which and why."""


def apply(document: Yaml, operations: list[dict[str, Any]]) -> Yaml:
    """A new document with all `operations` done in their order. Raises PatchFailed."""
    out = copy.deepcopy(document)
    for operation in operations:
        kind, path = operation.get("op"), operation.get("path")
        if kind not in _OPERATIONS or not isinstance(path, str):
            raise PatchFailed(f"`{operation}` is not a JSON Patch operation")
        out = _one(out, str(kind), path, operation)
    return out


def _one(document: Yaml, kind: str, path: str, operation: dict[str, Any]) -> Yaml:
    value = operation.get("value")
    if kind in ("move", "copy"):
        source = str(operation.get("from", ""))
        value = copy.deepcopy(_get(document, source))
        if kind == "move":
            _set(document, source, None, "remove")
        kind = "add"
    if kind == "test":
        if _get(document, path) != value:
            raise PatchFailed(f"test of {path} failed")
        return document
    if path == "":
        return copy.deepcopy(value)
    _set(document, path, copy.deepcopy(value), kind)
    return document


def _parts(path: str) -> list[str]:
    if not path.startswith("/"):
        raise PatchFailed(f"{path}: a path starts with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _get(document: Yaml, path: str) -> Yaml:
    for part in _parts(path) if path else []:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise PatchFailed(f"{path}: there is no `{part}`") from None
    return document


def _set(document: Yaml, path: str, value: Yaml, kind: str) -> None:
    *parents, last = _parts(path)
    parent = (
        _get(document, "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parents))
        if parents
        else document
    )
    if isinstance(parent, list):
        _set_item(parent, path, last, value, kind)
    elif isinstance(parent, dict):
        if kind != "add" and last not in parent:
            raise PatchFailed(f"{path}: there is no `{last}`")
        if kind == "remove":
            del parent[last]
        else:
            parent[last] = value
    else:
        raise PatchFailed(f"{path}: its parent is neither a mapping nor a list")


def _set_item(parent: list[Any], path: str, last: str, value: Yaml, kind: str) -> None:
    if last == "-" and kind == "add":
        parent.append(value)
        return
    if not last.isdigit() or int(last) >= len(parent) + (kind == "add"):
        raise PatchFailed(f"{path}: there is no element `{last}`")
    if kind == "add":
        parent.insert(int(last), value)
    elif kind == "remove":
        del parent[int(last)]
    else:
        parent[int(last)] = value
