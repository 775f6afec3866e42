"""The part of kustomize that this repository's YAML uses, without kubectl. `kubectl kustomize` is the reference."""

from __future__ import annotations

from localmesh.kustomize.build import build, plain, render
from localmesh.kustomize.document import Document, Rendered

__all__ = ["Document", "Rendered", "build", "plain", "render"]
