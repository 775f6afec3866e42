"""The order in which kustomize prints: what others need comes first."""

from __future__ import annotations

from collections.abc import Iterable

from localmesh.kustomize.document import Document

_FIRST = (
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
)
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: index - len(_FIRST) for index, kind in enumerate(_FIRST)} | {
    kind: index + 1 for index, kind in enumerate(_LAST)
}


def _key(document: Document) -> tuple[int, str, str]:
    group, _, version = document.api_version.rpartition("/")
    kind = document.kind
    # Kustomize sorts by these very strings, placeholders included.
    sort_name = "_".join((group or "~G", version or "~V", kind or "~K"))
    namespace = document.metadata.get("namespace") or "~X"
    return _RANK.get(kind, 0), sort_name, f"{namespace}|{document.name or '~N'}"


def in_order(documents: Iterable[Document]) -> list[Document]:
    """`documents` as `kustomize build` prints them (its `legacy` order, the default)."""
    return sorted(documents, key=_key)
