"""A build: a folder's resources, generators, components and transformers, in kustomize's order."""

from __future__ import annotations

from pathlib import Path

from localmesh.errors import ManifestError, shown
from localmesh.kustomize.document import Document, Rendered, Yaml
from localmesh.kustomize.generators import generate
from localmesh.kustomize.kustomization import Kustomization, load
from localmesh.kustomize.order import in_order
from localmesh.kustomize.patches import apply_patches
from localmesh.kustomize.reading import read_all
from localmesh.kustomize.references import finish_names
from localmesh.kustomize.transformers import transform


def render(folder: Path) -> list[Document]:
    """What `kubectl kustomize folder` prints. Raises ManifestError that names the file and the field."""
    return list(build(folder).documents)


def build(folder: Path) -> Rendered:
    """`render`, with the files that were read."""
    sources: set[Path] = set()
    documents = _accumulate(folder.resolve(), [], sources, (), component=False)
    finish_names(documents)
    return Rendered(tuple(in_order(documents)), frozenset(sources))


def plain(folder: Path) -> Rendered:
    """What `kubectl apply -f folder` takes: each file, as it is, where there is no kustomization."""
    files = sorted(file for file in folder.resolve().iterdir() if file.suffix in (".yaml", ".yml"))
    documents: list[Document] = []
    for file in files:
        for document in (_document(body, file) for body in read_all(file)):
            if any(document.identity == other.identity for other in documents):
                raise ManifestError(shown(file), str(document.identity), "", "is there already")
            documents.append(document)
    if not documents:
        raise ManifestError(shown(folder), "", "", "no kustomization and no YAML is there")
    return Rendered(tuple(in_order(documents)), frozenset(files))


def _accumulate(
    folder: Path, documents: list[Document], sources: set[Path], within: tuple[Path, ...], *, component: bool
) -> list[Document]:
    if folder in within:
        raise ManifestError(shown(folder), "", "", "includes itself")
    kustomization = load(folder, component=component)
    sources.add(kustomization.file)
    within = (*within, folder)
    for index, entry in enumerate(kustomization.items("resources")):
        for document in _resource(kustomization, str(entry), f"resources[{index}]", sources, within):
            if any(document.identity == other.identity for other in documents):
                raise kustomization.error(f"resources[{index}]", f"{document.identity} is there already")
            documents.append(document)
    generate(kustomization, documents, sources)
    for entry in kustomization.items("components"):
        path = (kustomization.folder / str(entry)).resolve()
        documents = _accumulate(path, documents, sources, within, component=True)
    documents = apply_patches(kustomization, documents, sources)
    transform(kustomization, documents)
    return documents


def _resource(
    kustomization: Kustomization, entry: str, field: str, sources: set[Path], within: tuple[Path, ...]
) -> list[Document]:
    path = (kustomization.folder / entry).resolve()
    if path.is_dir():
        return _accumulate(path, [], sources, within, component=False)
    if not path.exists():
        raise kustomization.error(field, f"{entry} does not exist (addresses of other hosts are not supported)")
    sources.add(path)
    return [_document(body, path) for body in read_all(path)]


def _document(body: Yaml, origin: Path) -> Document:
    if not isinstance(body, dict) or not body.get("kind") or not body.get("apiVersion"):
        raise ManifestError(shown(origin), "", "", "a document needs apiVersion and kind")
    if body["kind"] == "List":
        raise ManifestError(shown(origin), "List", "", "lists are not supported: separate documents by ---")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("name"):
        raise ManifestError(shown(origin), str(body["kind"]), "metadata.name", "is missing")
    return Document(body, origin)
