"""The `patches` field: which documents a patch is for, and applying it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localmesh.errors import shown
from localmesh.kustomize.document import CLUSTER_SCOPED, Document, Identity, Yaml
from localmesh.kustomize.json6902 import PatchFailed, apply
from localmesh.kustomize.kustomization import Kustomization
from localmesh.kustomize.reading import parse_all, read_text
from localmesh.kustomize.strategic import merge

_TARGET = ("group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector")


def apply_patches(kustomization: Kustomization, documents: list[Document], sources: set[Path]) -> list[Document]:
    """`documents` with every patch of `kustomization` applied in order; a deleted one is gone."""
    for index, entry in enumerate(kustomization.entries("patches", ("path", "patch", "target", "options"))):
        field = f"patches[{index}]"
        if entry.get("options"):
            raise kustomization.error(f"{field}.options", "is not supported")
        target = entry.get("target")
        if target is not None:
            kustomization.check(target, _TARGET, f"{field}.target")
        for patch, origin in _read(kustomization, entry, field, sources):
            documents = _apply(kustomization, documents, patch, target, origin, field)
    return documents


def _read(
    kustomization: Kustomization, entry: Mapping[str, Any], field: str, sources: set[Path]
) -> list[tuple[Any, Path]]:
    if ("path" in entry) == ("patch" in entry):
        raise kustomization.error(field, "needs one of `path` and `patch`")
    origin, text = kustomization.file, entry.get("patch", "")
    if "path" in entry:
        origin = (kustomization.folder / entry["path"]).resolve()
        text = read_text(origin, kustomization.file)
        sources.add(origin)
    # Kustomize takes a text for JSON by its first letter, so a YAML list in brackets is an error there.
    if text.startswith("["):
        try:
            return [(json.loads(text), origin)]
        except ValueError:
            raise kustomization.error(field, "what begins with `[` must be JSON; write `- op: …` lines") from None
    found = parse_all(text, origin)
    if not found:
        raise kustomization.error(field, "is empty")
    return [(patch, origin) for patch in found]


def _apply(
    kustomization: Kustomization,
    documents: list[Document],
    patch: Yaml,
    target: Mapping[str, Any] | None,
    origin: Path,
    field: str,
) -> list[Document]:
    chosen = _chosen(kustomization, documents, patch, target, field)
    out = []
    for document in documents:
        if any(document is one for one in chosen):
            body = _patched(kustomization, document, patch, field)
            if body is None:
                continue
            document.body = body
            document.patched_by.append(origin)
        out.append(document)
    return out


def _chosen(
    kustomization: Kustomization, documents: list[Document], patch: Yaml, target: Mapping[str, Any] | None, field: str
) -> list[Document]:
    if target is not None:
        return [document for document in documents if _selects(kustomization, target, document, field)]
    if not isinstance(patch, dict):
        raise kustomization.error(field, "a JSON Patch needs a `target`")
    wanted = _identity(patch)
    found = [document for document in documents if wanted in document.identities()]
    if len(found) != 1:
        raise kustomization.error(
            field, f"{len(found)} resources match {wanted}, and a patch without `target` needs one"
        )
    return found


def _identity(patch: Mapping[str, Any]) -> Identity:
    metadata = patch.get("metadata") or {}
    kind = str(patch.get("kind", ""))
    group = str(patch.get("apiVersion", "")).rpartition("/")[0]
    namespace = "" if kind in CLUSTER_SCOPED else str(metadata.get("namespace") or "default")
    return Identity(group, kind, namespace, str(metadata.get("name", "")))


def _patched(kustomization: Kustomization, document: Document, patch: Yaml, field: str) -> dict[str, Any] | None:
    if isinstance(patch, list):
        try:
            body: dict[str, Any] = apply(document.body, patch)
        except PatchFailed as error:
            raise kustomization.error(field, f"{document.identity} of {shown(document.origin)}: {error}") from None
        return body
    if not isinstance(patch, dict):
        raise kustomization.error(field, "must be a mapping, or a list of JSON Patch operations")
    keep = (document.api_version, document.kind, document.name, document.metadata.get("namespace"))
    merged = merge(document.body, patch)
    if merged is None:
        return None
    # A patch selects by its name and kind; it never renames what it selects.
    merged["apiVersion"], merged["kind"] = keep[0], keep[1]
    merged["metadata"] = {**(merged.get("metadata") or {}), "name": keep[2]}
    merged["metadata"].pop("namespace", None)
    if keep[3] is not None:
        merged["metadata"]["namespace"] = keep[3]
    return merged


def _selects(kustomization: Kustomization, target: Mapping[str, Any], document: Document, field: str) -> bool:
    version = document.api_version.rpartition("/")[2]
    for identity in document.identities():
        facts = {
            "group": identity.group,
            "version": version,
            "kind": identity.kind,
            "name": identity.name,
            "namespace": identity.namespace,
        }
        if all(re.fullmatch(str(target[key]), value) for key, value in facts.items() if target.get(key)):
            break
    else:
        return False
    return all(
        _matches_labels(kustomization, str(target[key]), document.metadata.get(where) or {}, f"{field}.target.{key}")
        for key, where in (("labelSelector", "labels"), ("annotationSelector", "annotations"))
        if target.get(key)
    )


def _matches_labels(kustomization: Kustomization, selector: str, labels: Mapping[str, Any], field: str) -> bool:
    """The equality part of Kubernetes' label selectors: `a=b`, `a==b`, `a!=b`, `a`, `!a`, joined by commas."""
    for term in selector.split(","):
        match = re.fullmatch(r"\s*(!?)\s*([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)\s*)?", term)
        if match is None:
            raise kustomization.error(field, f"`{term.strip()}` is not supported")
        absent, key, operator, value = match.groups()
        if operator is None:
            holds = (key in labels) != bool(absent)
        else:
            holds = (str(labels.get(key)) == value) == (operator != "!=")
        if not holds:
            return False
    return True
