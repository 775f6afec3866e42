"""One resource on its way through a build, and what a build gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Yaml = Any
"""What a YAML document holds anywhere: a mapping, list or scalar."""

CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PriorityClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)
"""Kinds without a namespace; a kind that is not listed has one, as kustomize assumes for CRDs."""


@dataclass(frozen=True)
class Identity:
    """What makes two documents the same object to `kubectl apply`."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(eq=False)
class Document(Mapping[str, Any]):
    """A parsed resource, the file it came from, and the names it had before prefixes and suffixes."""

    body: dict[str, Any]
    origin: Path
    former: list[Identity] = field(default_factory=list)
    affixes: tuple[str, ...] = ()
    hashed: bool = False
    """A generated ConfigMap or Secret whose name gets a hash at the end of the build."""
    patched_by: list[Path] = field(default_factory=list)

    def __getitem__(self, key: str) -> Yaml:
        return self.body[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.body)

    def __len__(self) -> int:
        return len(self.body)

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    @property
    def api_version(self) -> str:
        return str(self.body.get("apiVersion", ""))

    @property
    def metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = self.body["metadata"]
        return metadata

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def identity(self) -> Identity:
        """`default` where a namespaced object says none, as kubectl applies it."""
        group = self.api_version.rpartition("/")[0]
        namespace = "" if self.kind in CLUSTER_SCOPED else str(self.metadata.get("namespace") or "default")
        return Identity(group, self.kind, namespace, self.name)

    def identities(self) -> Iterator[Identity]:
        """What it is called now, and what it was called before: a patch may name any of them."""
        yield self.identity
        yield from self.former


@dataclass(frozen=True)
class Rendered:
    """A build's result, in kustomize's order, and every file and folder it read (an edit to one may change it)."""

    documents: tuple[Document, ...]
    sources: frozenset[Path]
