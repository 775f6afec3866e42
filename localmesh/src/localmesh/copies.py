"""One copy of a product: what tells it from another that runs beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from localmesh.plan import Catalog
from localmesh.product import Product
from localmesh.state import StateFolder


@dataclass(frozen=True)
class Copy:
    """Where its YAML is, where its state is, and what it was asked for."""

    product: Product
    root: Path
    state: StateFolder
    port: int
    """Of the ingress, at localhost."""
    overlay: str
    """Its folder in the checkout."""
    access_log: bool = False
    """Whether Envoy writes a line for each request."""

    @property
    def catalog(self) -> Catalog:
        """Its overlay and scenarios."""
        return Catalog(self.root / self.overlay, self.root / self.product.scenarios)
