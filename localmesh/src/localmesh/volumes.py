"""Volumes as folders, and the ConfigMaps and Secrets that workloads refer to."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from localmesh.errors import LocalmeshError
from localmesh.manifests.model import ConfigMap, Deployment, KeyRef, Volume
from localmesh.state import StateFolder


class Config:
    """ConfigMaps and Secrets by name: from the overlay, and Secrets also from the state folder."""

    def __init__(self, state: StateFolder, overlay: Mapping[tuple[str, str, str], ConfigMap]) -> None:
        self._state = state
        self._overlay = overlay

    def find(self, namespace: str, kind: str, name: str) -> Mapping[str, bytes] | None:
        """Its keys and values, None when there is none. A Secret of the state folder is a folder, a file a key."""
        found = self._overlay.get((kind, namespace, name))
        if found is not None:
            return found.data
        folder = self._state.secrets / name
        if kind != "Secret" or not folder.is_dir():
            return None
        return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}

    def check(self, deployments: Iterable[Deployment]) -> None:
        """Raise LocalmeshError for the first ConfigMap, Secret or key that a workload needs and that is not there."""
        for deployment in deployments:
            for kind, name, key in _needed(deployment):
                found = self.find(deployment.namespace, kind, name)
                if found is None or (key and key not in found):
                    raise self._missing(deployment, kind, name, key if found is not None else "")

    def _missing(self, deployment: Deployment, kind: str, name: str, key: str) -> LocalmeshError:
        what = f"Deployment {deployment.namespace}/{deployment.name} needs the {kind} {name}"
        what += f" with the key {key}" if key else ""
        if kind == "Secret":
            return LocalmeshError(
                f"{what}, and there is none in the overlay nor in the state folder",
                f"Put it at {self._state.secrets / name}/, one file a key.",
            )
        return LocalmeshError(f"{what}, and there is none in the overlay", f"Add it next to {deployment.origin}.")


def _needed(deployment: Deployment) -> Iterable[tuple[str, str, str]]:
    for source in deployment.container.env_from:
        if not source.optional:
            yield source.kind, source.name, ""
    for variable in deployment.container.env:
        if isinstance(variable.value, KeyRef) and not variable.value.optional:
            yield variable.value.kind, variable.value.name, variable.value.key
    for volume in deployment.volumes:
        if volume.kind != "emptyDir" and not volume.optional:
            kind = "Secret" if volume.kind == "secret" else "ConfigMap"
            yield kind, volume.source, ""
            for key, _ in volume.items:
                yield kind, volume.source, key


def write_volumes(state: StateFolder, config: Config, deployment: Deployment, replica: str) -> dict[str, Path]:
    """Bring a replica's volumes up to date; the folder of each by its name."""
    return {volume.name: _write(state, config, deployment, volume, replica) for volume in deployment.volumes}


def renew_volumes(state: StateFolder, config: Config, deployment: Deployment) -> None:
    """Bring ConfigMaps and Secrets of running replicas up to date: they share their folders."""
    for volume in deployment.volumes:
        if volume.kind != "emptyDir":
            _write(state, config, deployment, volume, "")


def _write(state: StateFolder, config: Config, deployment: Deployment, volume: Volume, replica: str) -> Path:
    if volume.kind == "emptyDir":
        folder = state.volumes / f"{replica}-{volume.name}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
    kind = "Secret" if volume.kind == "secret" else "ConfigMap"
    data = config.find(deployment.namespace, kind, volume.source) or {}
    items = volume.items or tuple((key, key) for key in data)
    folder = state.volumes / f"{deployment.name}-{volume.name}"
    _replace(folder, {path: data[key] for key, path in items if key in data})
    return folder


def _replace(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """As kubelet does: all files anew in a folder of their own, then the link `..data` is swapped.

    So whoever follows the volume sees the files of one moment, and nothing where nothing changed.
    """
    link = folder / "..data"
    if link.is_symlink() and _contents(link) == wanted:
        return
    new = folder / f"..{time.time_ns()}"
    new.mkdir(mode=0o700, parents=True)
    for path, content in wanted.items():
        file = new / path
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content)
    _link(folder / "..data.new", new.name).replace(link)
    names = {Path(path).parts[0] for path in wanted}
    for name in names:
        if not (folder / name).is_symlink():
            _remove(folder / name)
            _link(folder / name, f"..data/{name}")
    for entry in list(folder.iterdir()):
        if entry.name not in names | {link.name, new.name}:
            _remove(entry)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _link(path: Path, target: str) -> Path:
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return path


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)
