"""Merging a patch into a document, as kustomize does: by merge keys in Kubernetes' own kinds, plainly in all others."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from localmesh.kustomize.document import Yaml

_POD = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_CONTAINER = {
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
}
_POD_PATHS = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_OTHERS: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {
    ("Service", ("spec", "ports")): ("port", "protocol"),
    ("ServiceAccount", ("secrets",)): ("name",),
    ("ServiceAccount", ("imagePullSecrets",)): ("name",),
}
_CORE_GROUPS = frozenset(
    {"", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io"}
)


def _merge_keys(kind: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """What identifies an element of the list at `path`; None: the list is replaced whole."""
    pod = _POD_PATHS.get(kind)
    if pod and path[: len(pod)] == pod:
        rest = path[len(pod) :]
        if len(rest) == 1:
            return _POD.get(rest[0])
        if len(rest) == 2 and rest[0] in ("containers", "initContainers"):
            return _CONTAINER.get(rest[1])
    return _OTHERS.get((kind, path))


def merge(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any] | None:
    """A new document: `document` with `patch` merged into it; None when the patch deletes it."""
    group = str(document.get("apiVersion", "")).rpartition("/")[0]
    kind = str(document.get("kind", "")) if group in _CORE_GROUPS else ""
    merged: dict[str, Any] | None = _merge_map(dict(document), patch, kind, ())
    return merged


def _merge_map(target: Yaml, patch: Mapping[str, Any], kind: str, path: tuple[str, ...]) -> Yaml:
    directive = patch.get("$patch")
    if directive == "delete":
        return None
    if directive == "replace" or not isinstance(target, dict):
        target = {}
    out = dict(target)
    for key, value in patch.items():
        if key == "$patch":
            continue
        merged = _merge_value(out.get(key), value, kind, (*path, key))
        if merged is None:
            out.pop(key, None)
        else:
            out[key] = merged
    return out


def _merge_value(target: Yaml, patch: Yaml, kind: str, path: tuple[str, ...]) -> Yaml:
    if isinstance(patch, dict):
        return _merge_map(target, patch, kind, path)
    keys = _merge_keys(kind, path) if isinstance(patch, list) else None
    if keys is not None:
        return _merge_list(target if isinstance(target, list) else [], patch, keys, kind, path)
    return copy.deepcopy(patch)


def _merge_list(
    target: list[Any], patch: list[Any], keys: tuple[str, ...], kind: str, path: tuple[str, ...]
) -> list[Any] | None:
    """The patch's elements come first, in its order: so does kustomize."""
    used = tuple(key for key in keys if any(key in element for element in (*target, *patch)))
    if any(element.get("$patch") == "replace" for element in patch):
        return [copy.deepcopy(element) for element in patch if "$patch" not in element] or None

    def name(element: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(element.get(key) for key in used)

    rest = {name(element): element for element in target}
    out = []
    for element in patch:
        merged = _merge_map(rest.pop(name(element), None), element, kind, path)
        if merged is not None:
            out.append(merged)
    # A list whose last element is deleted is empty, and still there.
    return [*out, *rest.values()] or ([] if target else None)
