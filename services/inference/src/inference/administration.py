"""Who may change what is served: the holder of a token, which stands in a file that is read at each call."""

from __future__ import annotations

import hmac
from pathlib import Path

from inference.errors import NotPermitted


class Administrator:
    """`token_file` empty: the repository's calls are off."""

    def __init__(self, token_file: str) -> None:
        self._path = Path(token_file) if token_file else None

    @property
    def exists(self) -> bool:
        """Whether the repository's calls are on."""
        return self._path is not None

    def check(self, authorization: str) -> None:
        """Let a call pass by its `authorization` (`Bearer TOKEN`). Raises NotPermitted."""
        try:
            token = self._path.read_bytes().strip() if self._path else b""
        except OSError:
            token = b""
        scheme, _, given = authorization.partition(" ")
        if not token or scheme.lower() != "bearer":
            raise NotPermitted
        if not hmac.compare_digest(given.strip().encode(errors="replace"), token):
            raise NotPermitted
