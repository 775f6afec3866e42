"""The manifest beside a model: what it is, where it comes from, and what its files must be.

The file is sealed: its first line holds the SHA-256 of all the bytes after it. So a reader compares digests before it
parses anything, and a bit flipped anywhere is found.

    {
      "sha256": "…64 hex digits…",
      "format": 1, …
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

FORMAT = 1
MANIFEST = "manifest.json"
MODEL = "model.onnx"

_LIMIT = 1 << 20
_OPEN = b'{\n  "sha256": "'
_CLOSE = b'",\n'
_HEX = 64


class Tampered(Exception):
    """A file is not what its digest says, or is missing. The message names the file and is for the log."""


def seal(content: dict[str, Any]) -> bytes:
    """The manifest's bytes."""
    rest = orjson.dumps(content, option=orjson.OPT_INDENT_2)[2:] + b"\n"
    return _OPEN + hashlib.sha256(rest).hexdigest().encode() + _CLOSE + rest


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a model's folder, its seal checked before it is parsed. Raises Tampered."""
    data = _bytes(folder / MANIFEST, _LIMIT)
    start, end = len(_OPEN), len(_OPEN) + _HEX
    rest = data[end + len(_CLOSE) :]
    expected = hashlib.sha256(rest).hexdigest().encode()
    if data[:start] != _OPEN or data[end : end + len(_CLOSE)] != _CLOSE or data[start:end] != expected:
        raise Tampered(f"{folder / MANIFEST}: its seal is broken")
    content: dict[str, Any] = orjson.loads(data)
    if content.get("format") != FORMAT:
        raise Tampered(f"{folder / MANIFEST}: not of format {FORMAT}")
    return content


def file_bytes(folder: Path, content: dict[str, Any], name: str) -> bytes:
    """A file's bytes, once they match the manifest. Raises Tampered."""
    promised = content["files"][name]
    data = _bytes(folder / name, promised["bytes"])
    if hashlib.sha256(data).hexdigest() != promised["sha256"]:
        raise Tampered(f"{folder / name}: its SHA-256 is not the manifest's")
    return data


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Tampered(f"{path}: {error.strerror}") from error
    if len(data) > limit:
        raise Tampered(f"{path}: more than {limit} bytes")
    return data
