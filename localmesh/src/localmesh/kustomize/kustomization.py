"""One kustomization file: what it may say, and an error for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localmesh.errors import ManifestError, shown
from localmesh.kustomize.document import Yaml
from localmesh.kustomize.reading import read_all

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_FIELDS = frozenset(
    {
        "apiVersion",
        "kind",
        "metadata",
        "resources",
        "components",
        "patches",
        "namespace",
        "namePrefix",
        "nameSuffix",
        "labels",
        "images",
        "replicas",
        "configMapGenerator",
        "secretGenerator",
        "generatorOptions",
    }
)


@dataclass(frozen=True)
class Kustomization:
    """A kustomization file: `folder` is what its paths are relative to."""

    file: Path
    spec: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        return self.file.parent

    def items(self, name: str) -> list[Any]:
        """A field that is a list; empty when it is left out."""
        value = self.spec.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(name, "must be a list")
        return value

    def entries(self, name: str, allowed: Iterable[str]) -> list[dict[str, Any]]:
        """A field that is a list of mappings with no keys but `allowed`."""
        found = self.items(name)
        for index, entry in enumerate(found):
            self.check(entry, allowed, f"{name}[{index}]")
        return found

    def check(self, entry: Yaml, allowed: Iterable[str], where: str) -> None:
        """Raise unless `entry` is a mapping with no keys but `allowed`."""
        if not isinstance(entry, dict):
            raise self.error(where, "must be a mapping")
        unknown = sorted(set(entry) - set(allowed))
        if unknown:
            raise self.error(f"{where}.{unknown[0]}", "is not supported")

    def error(self, field: str, reason: str) -> ManifestError:
        """An error that names this file and `field`."""
        return ManifestError(shown(self.file), "", field, reason)


def load(folder: Path, *, component: bool) -> Kustomization:
    """The kustomization of `folder`. Raises ManifestError: none there, wrong kind, or a field that is not supported."""
    file = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if file is None:
        raise ManifestError(shown(folder), "", "", "has no kustomization.yaml")
    documents = read_all(file)
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ManifestError(shown(file), "", "", "must hold one mapping")
    found = Kustomization(file, documents[0])
    kind = found.spec.get("kind", "Component" if component else "Kustomization")
    wanted = "Component" if component else "Kustomization"
    if kind != wanted:
        raise found.error("kind", f"is {kind}, and is used as a {wanted}")
    unknown = sorted(set(found.spec) - _FIELDS)
    if unknown:
        raise found.error(unknown[0], "is not supported by localmesh's kustomize")
    return found
