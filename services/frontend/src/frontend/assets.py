"""The page's files, read once and kept in memory, each with the tag by which a browser knows its own copy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = "index.html"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, media type, and strong entity tag with the quotes."""

    body: bytes
    media_type: str
    etag: str

    def known_by(self, if_none_match: str | None) -> bool:
        """Whether an If-None-Match header names this very content (weak comparison, RFC 9110 §13.1.2)."""
        if if_none_match is None:
            return False
        tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return "*" in tags or self.etag in tags


def load(folder: Path) -> Mapping[str, Asset]:
    """Every file under `folder` by its path in it, such as "js/app.js". Raises KeyError for an unknown suffix."""
    return {path.relative_to(folder).as_posix(): _asset(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Asset(body, MEDIA_TYPES[path.suffix], f'"{digest}"')
