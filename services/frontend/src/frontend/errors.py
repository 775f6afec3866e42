"""What the frontend tells its callers when it does not do what they asked."""

from __future__ import annotations

from runtime.errors import Code, Fault


class NoSuchAsset(Fault):
    """The page has no file of this name."""

    def __init__(self) -> None:
        super().__init__(Code.NOT_FOUND, "not-found", "The page has no file of this name.")
