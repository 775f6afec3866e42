"""PostgreSQL's schema, revision by revision: NUMBER_NAME.sql is what versions/NUMBER_NAME.py runs."""

from __future__ import annotations

from importlib import resources

HEAD = "0001"
"""The revision that this program needs."""


def script(name: str) -> str:
    """The text of one revision."""
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def scripts() -> list[str]:
    """The text of all revisions, in order."""
    return [script(file.name) for file in sorted(_files(), key=lambda file: file.name)]


def _files() -> list[resources.abc.Traversable]:
    return [file for file in resources.files(__name__).iterdir() if file.name.endswith(".sql")]
