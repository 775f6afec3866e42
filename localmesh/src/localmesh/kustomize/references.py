"""Names that point at renamed resources, mended at the end of a build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localmesh.kustomize.document import Document
from localmesh.kustomize.generators import content_hash

_POD_SPEC = ("spec", "template", "spec")


def finish_names(documents: list[Document]) -> None:
    """Give generated ConfigMaps and Secrets their hash, and let every reference follow what was renamed."""
    for document in documents:
        if document.hashed:
            document.former.append(document.identity)
            document.metadata["name"] = f"{document.name}-{content_hash(document)}"
    renamed = [document for document in documents if any(old.name != document.name for old in document.former)]
    for document in documents:
        for kind, holder, key in _references(document.body):
            # Only the subjects of a RoleBinding say a namespace of their own.
            namespace = str(holder.get("namespace") or document.identity.namespace)
            target = _follow(document, kind, str(holder[key]), namespace, documents if renamed else [])
            if target is not None:
                holder[key] = target.name


def _follow(referrer: Document, kind: str, name: str, namespace: str, documents: list[Document]) -> Document | None:
    found = [
        document
        for document in documents
        if document.kind == kind
        and document.identity.namespace == namespace
        and any(identity.name == name for identity in document.identities())
    ]
    if len(found) > 1:
        # Several were called that before prefixes and suffixes: the one that was renamed alike is meant.
        found = [document for document in found if document.affixes == referrer.affixes] or found
    return found[0] if len(found) == 1 else None


def _references(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(kind, the mapping that holds the name, its key) of each reference."""
    spec = body.get("spec") or {}
    if body.get("kind") == "HorizontalPodAutoscaler" and spec.get("scaleTargetRef"):
        yield str(spec["scaleTargetRef"].get("kind", "")), spec["scaleTargetRef"], "name"
    if body.get("kind") in ("RoleBinding", "ClusterRoleBinding"):
        yield str(body["roleRef"]["kind"]), body["roleRef"], "name"
        for subject in body.get("subjects") or []:
            yield str(subject.get("kind", "")), subject, "name"
    if body.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    pod = spec if body.get("kind") == "Pod" else (spec.get("template") or {}).get("spec")
    if isinstance(pod, dict):
        yield from _pod_references(pod)


def _pod_references(pod: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    if pod.get("serviceAccountName"):
        yield "ServiceAccount", pod, "serviceAccountName"
    for secret in pod.get("imagePullSecrets") or []:
        yield "Secret", secret, "name"
    for container in (*(pod.get("initContainers") or []), *(pod.get("containers") or [])):
        for entry in container.get("envFrom") or []:
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if entry.get(field):
                    yield kind, entry[field], "name"
        for entry in container.get("env") or []:
            value_from = entry.get("valueFrom") or {}
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if value_from.get(field):
                    yield kind, value_from[field], "name"
    for volume in pod.get("volumes") or []:
        sources = (volume.get("projected") or {}).get("sources") or []
        for source in (volume, *sources):
            if source.get("configMap"):
                yield "ConfigMap", source["configMap"], "name"
            if source.get("secret"):
                yield "Secret", source["secret"], "secretName" if "secretName" in source["secret"] else "name"
        claim = volume.get("persistentVolumeClaim")
        if claim:
            yield "PersistentVolumeClaim", claim, "claimName"
