"""What kubectl would apply: overlays, and components in any combination on the base."""

import os
from pathlib import Path

from localmesh.kustomize import Document, render
from product import ROOT

OVERLAYS = sorted(file.parent for file in ROOT.glob("k8s/overlays/*/kustomization.yaml"))
COMPONENTS = sorted(file.parent.name for file in ROOT.glob("k8s/components/*/kustomization.yaml"))
ALL = tuple(name for name in COMPONENTS if name != "dev")
"""All that may run at once; dev makes containers less strict, on purpose."""
NEEDS = {"monitoring-mesh": ("monitoring",), "vertical-autoscaler": ("postgres",)}
"""Components that build on another."""


def combination(folder: Path, components: tuple[str, ...]) -> Path:
    """Write an overlay of the base with `components` into `folder`; its path."""
    k8s = os.path.relpath(ROOT / "k8s", folder.resolve())
    wanted = "".join(f"  - {k8s}/components/{name}\n" for name in components)
    (folder / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources:\n  - {k8s}/base\ncomponents:\n{wanted}"
    )
    return folder


def everything(folder: Path) -> dict[str, list[Document]]:
    """Each overlay, and the base with all components, by name."""
    found = {overlay.name: render(overlay) for overlay in OVERLAYS}
    return found | {"all components": render(combination(folder, ALL))}


def pod_template(document: Document) -> dict | None:
    """The template of the pods that a resource makes; None when it makes none."""
    if document.kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        return document["spec"]["template"]
    return document["spec"]["jobTemplate"]["spec"]["template"] if document.kind == "CronJob" else None


def containers(template: dict) -> list[dict]:
    """All containers of a pod, those that initialise it first."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]
