"""Which copy a command is about: found from flags, the environment and the working folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localmesh.asking import call
from localmesh.errors import LocalmeshError
from localmesh.product import Product
from localmesh.state import StateFolder

if TYPE_CHECKING:
    from localmesh.plan import Catalog


@dataclass(frozen=True)
class Session:
    """One call of the command. Nothing is looked up before it is asked for."""

    product: Product
    root_flag: Path | None = None
    home_flag: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def root(self) -> Path:
        """The checkout: the nearest folder upwards that has the overlay. Raises LocalmeshError."""
        if self.root_flag is not None:
            starts = [self.root_flag.resolve()]
        else:
            located = self.product.located_at
            starts = [Path.cwd(), *Path.cwd().parents, *(located.resolve().parents if located else ())]
        for folder in starts:
            if (folder / self.product.overlay).is_dir():
                return folder
        raise LocalmeshError(
            f"there is no {self.product.overlay} in {starts[0]}" + ("" if self.root_flag else " nor above it"),
            f"Go to a checkout of {self.product.name}, or name one: `{self.product.name} --root FOLDER …`.",
        )

    @property
    def state(self) -> StateFolder:
        """The state folder: the flag, X_HOME, or the product's own name in the checkout."""
        named = self.home_flag or self.environment.get(f"{self.product.env_prefix}_HOME")
        return StateFolder(Path(named).expanduser() if named else self.root / self.product.home)

    def overlay(self, flag: str | None = None) -> str:
        """The overlay's folder in the checkout: by the name of the flag or X_OVERLAY, or the product's own.

        Raises LocalmeshError: there is none of that name.
        """
        name = flag or self.environment.get(f"{self.product.env_prefix}_OVERLAY")
        if not name:
            return self.product.overlay
        from localmesh.plan import overlays

        beside = Path(self.product.overlay).parent
        known = overlays(self.root / beside)
        if name not in known:
            names = ", ".join(known) or "none"
            raise LocalmeshError(f"there is no overlay `{name}` in {self.root / beside}", f"There is: {names}.")
        return str(beside / name)

    def catalog(self, overlay: str | None = None) -> Catalog:
        """The YAML of this checkout, with the overlay of that name. Raises LocalmeshError."""
        from localmesh.plan import Catalog

        return Catalog(self.root / self.overlay(overlay), self.root / self.product.scenarios)

    def port(self, flag: int | None) -> int:
        """The ingress' port: the flag, X_PORT, or the product's own. Raises LocalmeshError."""
        name = f"{self.product.env_prefix}_PORT"
        text = str(flag) if flag is not None else self.environment.get(name) or str(self.product.port)
        if not text.isdigit() or not 0 < int(text) < 65_536:
            raise LocalmeshError(f"`{text}` is not a port", f"Take a number from 1 to 65535 for --port or {name}.")
        return int(text)

    def ask(self, verb: str, *, timeout: float | None = 120, **arguments: Any) -> Any:  # noqa: ANN401
        """Ask the running copy. Raises LocalmeshError: none runs, or its answer."""
        running = self.state.running()
        if running is None:
            raise LocalmeshError(
                f"{self.product.name} does not run (state folder: {self.state.path})",
                f"Start it: `{self.product.name} up`.",
            )
        return call(Path(running.get("socket") or self.state.socket), verb, timeout=timeout, **arguments)
