"""The fields that change every document: namespace, names, labels, replicas, images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localmesh.kustomize.document import CLUSTER_SCOPED, Document, Yaml
from localmesh.kustomize.kustomization import Kustomization

_TEMPLATED = frozenset({"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob"})
_SCALED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"})


def transform(kustomization: Kustomization, documents: list[Document]) -> None:
    """Apply all of them in kustomize's order (patches come before)."""
    _namespace(kustomization, documents)
    _names(kustomization, documents)
    _labels(kustomization, documents)
    _replicas(kustomization, documents)
    _images(kustomization, documents)


def _namespace(kustomization: Kustomization, documents: list[Document]) -> None:
    namespace = kustomization.spec.get("namespace")
    if not namespace:
        return
    for document in documents:
        before = document.identity
        if document.kind == "Namespace":
            document.metadata["name"] = namespace
        elif document.kind not in CLUSTER_SCOPED:
            document.metadata["namespace"] = namespace
        for subject in document.body.get("subjects") or []:
            if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
                subject["namespace"] = namespace
        if document.identity != before:
            document.former.append(before)


def _names(kustomization: Kustomization, documents: list[Document]) -> None:
    prefix, suffix = kustomization.spec.get("namePrefix") or "", kustomization.spec.get("nameSuffix") or ""
    if not prefix and not suffix:
        return
    for document in documents:
        if document.kind in ("Namespace", "CustomResourceDefinition", "APIService"):
            continue
        document.former.append(document.identity)
        document.metadata["name"] = f"{prefix}{document.name}{suffix}"
        document.affixes = (*document.affixes, prefix, suffix)


def _labels(kustomization: Kustomization, documents: list[Document]) -> None:
    allowed = ("pairs", "includeSelectors", "includeTemplates")
    for index, entry in enumerate(kustomization.entries("labels", allowed)):
        pairs = entry.get("pairs") or {}
        for key, value in pairs.items():
            if not isinstance(value, str):
                raise kustomization.error(f"labels[{index}].pairs.{key}", "must be a string: quote it")
        selectors = bool(entry.get("includeSelectors"))
        for document in documents:
            for labels in _label_maps(document, selectors, selectors or bool(entry.get("includeTemplates"))):
                labels.update(pairs)


def _made(parent: dict[str, Any], *path: str) -> dict[str, Any]:
    for name in path:
        if parent.get(name) is None:
            parent[name] = {}
        parent = parent[name]
    return parent


def _label_maps(document: Document, selectors: bool, templates: bool) -> Iterator[dict[str, Any]]:
    """The maps of labels that kustomize writes to; those that it creates are created."""
    kind, body = document.kind, document.body
    yield _made(document.metadata, "labels")
    if kind in _TEMPLATED and templates:
        holder = _made(body, "spec", "jobTemplate") if kind == "CronJob" else body
        if kind == "CronJob" and selectors:
            yield _made(holder, "metadata", "labels")
        yield _made(holder, "spec", "template", "metadata", "labels")
    if not selectors:
        return
    if kind == "Service":
        yield _made(body, "spec", "selector")
    if kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"):
        yield _made(body, "spec", "selector", "matchLabels")
        yield from _pod_selectors(body["spec"]["template"].get("spec") or {})
    if kind in ("PodDisruptionBudget", "NetworkPolicy"):
        yield from _policy_selectors(body.get("spec") or {})


def _pod_selectors(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Selectors of pods in a pod's own scheduling; only where they are written already."""
    for constraint in pod.get("topologySpreadConstraints") or []:
        if "matchLabels" in (constraint.get("labelSelector") or {}):
            yield constraint["labelSelector"]["matchLabels"]
    for name in ("podAffinity", "podAntiAffinity"):
        affinity = (pod.get("affinity") or {}).get(name) or {}
        terms = [*(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or [])]
        preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        terms += [term.get("podAffinityTerm") or {} for term in preferred]
        for term in terms:
            if "matchLabels" in (term.get("labelSelector") or {}):
                yield term["labelSelector"]["matchLabels"]


def _policy_selectors(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    selectors = [spec.get("selector"), spec.get("podSelector")]
    for rule in spec.get("ingress") or []:
        selectors += [peer.get("podSelector") for peer in rule.get("from") or []]
    for rule in spec.get("egress") or []:
        selectors += [peer.get("podSelector") for peer in rule.get("to") or []]
    yield from (selector["matchLabels"] for selector in selectors if selector and "matchLabels" in selector)


def _replicas(kustomization: Kustomization, documents: list[Document]) -> None:
    for index, entry in enumerate(kustomization.entries("replicas", ("name", "count"))):
        found = [
            document
            for document in documents
            if document.kind in _SCALED and any(identity.name == entry["name"] for identity in document.identities())
        ]
        if not found:
            raise kustomization.error(f"replicas[{index}].name", f"nothing with replicas is called {entry['name']}")
        for document in found:
            _made(document.body, "spec")["replicas"] = entry["count"]


def _images(kustomization: Kustomization, documents: list[Document]) -> None:
    for entry in kustomization.entries("images", ("name", "newName", "newTag", "digest")):
        for document in documents:
            for container in _containers(document.body):
                match = re.fullmatch(r"(.+?)(:[\w.-]+)?(@sha256:\w+)?", str(container.get("image", "")))
                if match is None or match[1] != entry["name"]:
                    continue
                name, tag, digest = entry.get("newName") or match[1], match[2] or "", match[3] or ""
                if entry.get("newTag"):
                    tag, digest = f":{entry['newTag']}", ""
                if entry.get("digest"):
                    tag, digest = "", f"@{entry['digest']}"
                container["image"] = f"{name}{tag}{digest}"


def _containers(node: Yaml) -> Iterator[dict[str, Any]]:
    """Every entry of a list called containers or initContainers, wherever it stands: so does kustomize."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("containers", "initContainers") and isinstance(value, list):
                yield from (entry for entry in value if isinstance(entry, dict))
            else:
                yield from _containers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _containers(value)
