"""What is to run: the overlay as rendered, with the objects of at most one scenario in the place of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localmesh.errors import LocalmeshError
from localmesh.kustomize import Document, build, plain
from localmesh.kustomize.kustomization import NAMES
from localmesh.manifests import Manifests, read


@dataclass(frozen=True)
class Plan:
    """Manifests in force or to be, the scenario among them, and the files that an edit may change."""

    manifests: Manifests
    scenario: str | None
    sources: frozenset[Path]


class Catalog:
    """An overlay's folder, or one of plain YAML, and a folder of scenarios."""

    def __init__(self, overlay: Path, scenarios: Path) -> None:
        self.overlay = overlay
        self._scenarios = scenarios

    def plan(self, scenario: str | None) -> Plan:
        """Render and read everything. Raises LocalmeshError: what is wrong, and in which file."""
        overlay = build(self.overlay) if _is_kustomization(self.overlay) else plain(self.overlay)
        documents, sources = list(overlay.documents), overlay.sources
        if scenario is not None:
            patch = build(self._folder(scenario))
            documents = _replaced(documents, list(patch.documents))
            sources |= patch.sources
        return Plan(read(documents), scenario, sources)

    def scenarios(self) -> dict[str, str]:
        """Name → what its README says first."""
        folders = sorted(self._scenarios.iterdir()) if self._scenarios.is_dir() else []
        return {folder.name: _first_line(folder) for folder in folders if _is_kustomization(folder)}

    def _folder(self, scenario: str) -> Path:
        known = self.scenarios()
        if scenario not in known:
            names = ", ".join(known) or "none"
            raise LocalmeshError(f"there is no scenario `{scenario}`", f"There is: {names}.")
        return self._scenarios / scenario


def overlays(folder: Path) -> list[str]:
    """The names of the kustomizations in a folder."""
    return sorted(one.name for one in folder.iterdir() if _is_kustomization(one))


def _replaced(documents: list[Document], patch: list[Document]) -> list[Document]:
    """As `kubectl apply` does: the same kind, namespace and name is the same object; what is new is added."""
    newer = {document.identity: document for document in patch}
    kept = [newer.pop(document.identity, document) for document in documents]
    return [*kept, *newer.values()]


def _is_kustomization(folder: Path) -> bool:
    return any((folder / name).is_file() for name in NAMES)


def _first_line(folder: Path) -> str:
    try:
        lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    said = (line.lstrip("# ").strip() for line in lines)
    return next((line for line in said if line and line != folder.name), "")
