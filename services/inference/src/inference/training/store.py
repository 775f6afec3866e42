"""The folder of models, NAME/VERSION/{model.onnx,manifest.json}: what stands in it, and how it changes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.manifest import MANIFEST, MODEL, Tampered, file_bytes, read
from inference.training.recipes import Recipe
from inference.trust import SIGNATURE


@dataclass(frozen=True)
class Files:
    """A model's files."""

    model: bytes
    manifest: bytes
    signature: bytes | None = None
    """Of the manifest; None where no key signs."""


def current(folder: Path, recipe: Recipe) -> bool:
    """Whether the folder holds, undamaged, what this recipe makes; signed or not."""
    home = folder / recipe.model / recipe.version
    try:
        content = read(home)
        file_bytes(home, content, MODEL)
    except Tampered:
        return False
    return bool(content["recipe"]["digest"] == recipe.digest())


def standing(folder: Path, recipe: Recipe) -> Files | None:
    """The files as they stand, unchecked; None when model or manifest is missing."""
    home = folder / recipe.model / recipe.version
    try:
        signature = (home / SIGNATURE).read_bytes() if (home / SIGNATURE).exists() else None
        return Files((home / MODEL).read_bytes(), (home / MANIFEST).read_bytes(), signature)
    except OSError:
        return None


def write(folder: Path, recipe: Recipe, files: Files) -> None:
    """Put the files in place by renaming a whole folder: a reader finds the old model or the new, never a mixture.

    Between two renames there is an instant with neither; a server that starts then finds nothing and looks again.
    """
    home = folder / recipe.model / recipe.version
    home.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{recipe.version}-", dir=home.parent))
    try:
        for name, data in ((MODEL, files.model), (MANIFEST, files.manifest), (SIGNATURE, files.signature)):
            if data is None:
                continue
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        fresh.chmod(0o755)  # mkdtemp's folder is its maker's alone; another user may serve
        if home.exists():
            home.rename(fresh.with_name(fresh.name + "-old"))
        fresh.rename(home)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(fresh.with_name(fresh.name + "-old"), ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One trainer at a time in a folder; a second waits, then finds the work done."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
