"""Rendered documents in, typed manifests out: every field is supported, passed over with a reason, or an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from localmesh.errors import shown
from localmesh.kustomize import Document
from localmesh.manifests.autoscaler import read_autoscaler
from localmesh.manifests.deployment import read_deployment
from localmesh.manifests.ignored import KINDS
from localmesh.manifests.model import Autoscaler, ConfigMap, Deployment, Manifests
from localmesh.manifests.node import Node
from localmesh.manifests.others import read_config, read_service
from localmesh.mesh import Service

__all__ = ["Manifests", "read"]

FILE_ANNOTATION = "localmesh/file"
"""Names an Istio document's file; the translation's errors read it."""


def read(documents: Iterable[Document]) -> Manifests:
    """The whole overlay. Raises ManifestError for the first field or kind that is not supported."""
    deployments: list[Deployment] = []
    services: list[Service] = []
    config: dict[tuple[str, str, str], ConfigMap] = {}
    autoscalers: list[Autoscaler] = []
    mesh: list[Mapping[str, Any]] = []
    for document in documents:
        match (document.api_version.rpartition("/")[0], document.kind):
            case ("apps", "Deployment"):
                deployments.append(read_deployment(document))
            case ("", "Service"):
                services.append(read_service(document))
            case ("", "ConfigMap" | "Secret"):
                found = read_config(document)
                config[found.kind, found.namespace, found.name] = found
            case ("autoscaling", "HorizontalPodAutoscaler"):
                autoscalers.append(read_autoscaler(document))
            case (group, _) if group.endswith("istio.io"):
                mesh.append(_with_file(document))
            case (_, kind) if kind not in KINDS:
                raise Node(document, document.body, "").error("kind", f"{kind} is not supported on a laptop")
    return Manifests(tuple(deployments), tuple(services), config, tuple(autoscalers), tuple(mesh))


def _with_file(document: Document) -> Mapping[str, Any]:
    metadata = document.metadata
    files = dict.fromkeys(map(shown, (document.origin, *document.patched_by)))
    annotations = {**(metadata.get("annotations") or {}), FILE_ANNOTATION: ", ".join(files)}
    return {**document.body, "metadata": {**metadata, "annotations": annotations}}
