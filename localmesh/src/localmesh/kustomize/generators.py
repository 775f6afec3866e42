"""ConfigMaps and Secrets made from literals and files."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localmesh.kustomize.document import Document
from localmesh.kustomize.kustomization import Kustomization
from localmesh.kustomize.reading import read_text

_OPTIONS = ("disableNameSuffixHash", "labels", "annotations")
_ENTRY = ("name", "namespace", "behavior", "literals", "files", "envs", "options")


def generate(kustomization: Kustomization, documents: list[Document], sources: set[Path]) -> None:
    """Add what the generators make to `documents`, or merge it into what is there (`behavior`)."""
    shared = kustomization.spec.get("generatorOptions") or {}
    kustomization.check(shared, _OPTIONS, "generatorOptions")
    for kind, field, allowed in (
        ("ConfigMap", "configMapGenerator", _ENTRY),
        ("Secret", "secretGenerator", (*_ENTRY, "type")),
    ):
        for index, entry in enumerate(kustomization.entries(field, allowed)):
            where = f"{field}[{index}]"
            own = entry.get("options") or {}
            kustomization.check(own, _OPTIONS, f"{where}.options")
            made = _document(kustomization, kind, entry, {**shared, **own}, where, sources)
            _place(kustomization, documents, made, str(entry.get("behavior", "create")), where)


def _document(
    kustomization: Kustomization,
    kind: str,
    entry: Mapping[str, Any],
    options: Mapping[str, Any],
    where: str,
    sources: set[Path],
) -> Document:
    data = _data(kustomization, entry, where, sources)
    metadata: dict[str, Any] = {"name": entry["name"]}
    for key in ("labels", "annotations"):
        if options.get(key):
            metadata[key] = dict(options[key])
    if entry.get("namespace"):
        metadata["namespace"] = entry["namespace"]
    body: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "Secret":
        body["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        body["type"] = entry.get("type", "Opaque")
    elif data:
        body["data"] = data
    return Document(body, kustomization.file, hashed=not options.get("disableNameSuffixHash"))


def _data(kustomization: Kustomization, entry: Mapping[str, Any], where: str, sources: set[Path]) -> dict[str, str]:
    data: dict[str, str] = {}

    def add(key: str, value: str) -> None:
        if key in data:
            raise kustomization.error(where, f"the key {key} is given twice")
        data[key] = value

    def text(name: str) -> str:
        path = (kustomization.folder / name).resolve()
        sources.add(path)
        return read_text(path, kustomization.file)

    for name in entry.get("envs") or []:
        for line in text(name).splitlines():
            stripped = line.lstrip()
            if stripped and not stripped.startswith("#"):
                key, _, value = stripped.partition("=")
                add(key, value)
    for literal in entry.get("literals") or []:
        key, equals, value = str(literal).partition("=")
        if not equals:
            raise kustomization.error(f"{where}.literals", f"`{literal}` must be KEY=VALUE")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        add(key, value[1:-1] if quoted else value)
    for item in entry.get("files") or []:
        key, equals, name = str(item).partition("=")
        add(key if equals else Path(item).name, text(name if equals else item))
    return data


def _place(kustomization: Kustomization, documents: list[Document], made: Document, behavior: str, where: str) -> None:
    found = [document for document in documents if made.identity in document.identities()]
    if not found and not made.metadata.get("namespace"):
        found = [d for d in documents if d.kind == made.kind and any(i.name == made.name for i in d.identities())]
    if behavior == "create":
        if any(document.identity == made.identity for document in documents):
            raise kustomization.error(where, f"{made.identity} is there already: say `behavior: merge` or `replace`")
        documents.append(made)
    elif behavior in ("merge", "replace"):
        if len(found) != 1:
            raise kustomization.error(
                where, f"{len(found)} resources match {made.identity}, and `behavior: {behavior}` needs one"
            )
        old = found[0]
        for key in ("labels", "annotations"):
            both = {**(old.metadata.get(key) or {}), **(made.metadata.get(key) or {})}
            if both:
                old.metadata[key] = both
        kept = old.body.get("data") or {} if behavior == "merge" else {}
        old.body["data"] = {**kept, **(made.body.get("data") or {})}
    else:
        raise kustomization.error(f"{where}.behavior", f"`{behavior}` is not create, merge or replace")


def content_hash(document: Document) -> str:
    """The suffix kustomize gives a generated ConfigMap or Secret: a changed content is a new name, hence a rollout."""
    encoded: dict[str, Any] = {"kind": document.kind, "name": "", "data": document.body.get("data") or ""}
    if document.kind == "Secret":
        encoded["type"] = document.body.get("type", "")
    text = json.dumps(encoded, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Go's encoder escapes these also where JSON need not.
    for char, escape in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(char, escape)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return digest.translate(str.maketrans("013ae", "ghkmt"))
