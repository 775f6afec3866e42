"""Reading a Deployment."""

from __future__ import annotations

import math

from localmesh.kustomize import Document
from localmesh.manifests.container import read_container, read_volume
from localmesh.manifests.model import Deployment
from localmesh.manifests.node import Node


def read_deployment(document: Document) -> Deployment:
    """A Deployment. Raises ManifestError that names the file and the field."""
    top = Node(document, document.body, "")
    spec = top.node("spec")
    replicas = spec.take("replicas", int, 1)
    template = spec.node("template")
    metadata = template.node("metadata")
    labels, annotations = metadata.text_map("labels"), metadata.text_map("annotations")
    metadata.done()
    _check_selector(spec.node("selector"), labels)
    recreate, surge = _strategy(spec.node("strategy"), replicas)
    pod = template.node("spec")
    containers = pod.nodes("containers")
    if len(containers) != 1:
        raise pod.error("containers", f"has {len(containers)}: a replica is one process, so it must be one")
    pod.choose("restartPolicy", ("Always",))
    volumes = tuple(read_volume(volume) for volume in pod.nodes("volumes"))
    container = read_container(containers[0])
    for name, _ in container.mounts:
        if name not in {volume.name for volume in volumes}:
            raise pod.error("containers[0].volumeMounts", f"there is no volume `{name}`")
    deployment = Deployment(
        name=document.name,
        namespace=document.identity.namespace,
        labels=labels,
        annotations=annotations,
        replicas=replicas,
        container=container,
        volumes=volumes,
        service_account=pod.take("serviceAccountName", str, "default"),
        grace=pod.take("terminationGracePeriodSeconds", int, 30),
        service_links=_flag(pod, "enableServiceLinks", default=True),
        surge=surge,
        recreate=recreate,
        origin=document.origin,
    )
    for node in (pod, template, spec):
        node.done()
    return deployment


def _flag(node: Node, field: str, *, default: bool) -> bool:
    return node.take(field, bool, default) if node.peek(field) is not None else default


def _check_selector(node: Node, labels: dict[str, str]) -> None:
    for key, value in node.text_map("matchLabels").items():
        if labels.get(key) != value:
            raise node.error(f"matchLabels.{key}", "the template's labels do not match it")
    node.done()


def _strategy(node: Node, replicas: int) -> tuple[bool, int]:
    """Whether a rollout stops everything first, and how many extra replicas it may have (Kubernetes' default: 25 %)."""
    kind = node.choose("type", ("RollingUpdate", "Recreate"))
    rolling = node.node("rollingUpdate")
    rolling.take("maxUnavailable", object, 0)
    value = rolling.take("maxSurge", object, "25%")
    rolling.done()
    node.done()
    if isinstance(value, str) and value.endswith("%"):
        return kind == "Recreate", math.ceil(replicas * int(value[:-1]) / 100)
    if not isinstance(value, int):
        raise rolling.error("maxSurge", "must be a number or a percentage")
    return kind == "Recreate", value
