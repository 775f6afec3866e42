"""The manifest beside a model: what it is, where it comes from, and what its files must be.

Where keys are configured, a signature of it stands beside it. The file is sealed: its first line holds the SHA-256 of
all the bytes after it. So a reader compares digests before it parses anything, and a bit flipped anywhere is found.

    {
      "sha256": "…64 hex digits…",
      "format": 2, …
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from inference.trust import SIGNATURE, BadKey, TrustedKeys

FORMAT = 2
MANIFEST = "manifest.json"
MODEL = "model.onnx"

_LIMIT = 1 << 20
_SIGNATURE_LIMIT = 200
_OPEN = b'{\n  "sha256": "'
_CLOSE = b'",\n'
_HEX = 64


class Tampered(Exception):
    """A file is not what its digest says, or is missing. The message names the file and is for the log."""


def seal(content: dict[str, Any]) -> bytes:
    """The manifest's bytes."""
    rest = orjson.dumps(content, option=orjson.OPT_INDENT_2)[2:] + b"\n"
    return _OPEN + hashlib.sha256(rest).hexdigest().encode() + _CLOSE + rest


def read(folder: Path, keys: TrustedKeys | None = None) -> dict[str, Any]:
    """The manifest of a model's folder, its seal, and with `keys` its signature, checked before it is parsed.

    Raises Tampered.
    """
    data = _bytes(folder / MANIFEST, _LIMIT)
    if keys is not None:
        _check_signature(folder, data, keys)
    start, end = len(_OPEN), len(_OPEN) + _HEX
    rest = data[end + len(_CLOSE) :]
    expected = hashlib.sha256(rest).hexdigest().encode()
    if data[:start] != _OPEN or data[end : end + len(_CLOSE)] != _CLOSE or data[start:end] != expected:
        raise Tampered(f"{folder / MANIFEST}: its seal is broken")
    try:
        content: dict[str, Any] = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Tampered(f"{folder / MANIFEST}: sealed, but not JSON") from error
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


def stamp(folder: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes when a file of the folder does: each one's time, size and inode, or None."""
    return tuple(_stamp(folder / name) for name in (MANIFEST, MODEL, SIGNATURE))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _check_signature(folder: Path, data: bytes, keys: TrustedKeys) -> None:
    try:
        signed = keys.signed(data, _bytes(folder / SIGNATURE, _SIGNATURE_LIMIT))
    except BadKey as error:
        raise Tampered(str(error)) from error
    if not signed:
        raise Tampered(f"{folder / MANIFEST}: no trusted key signed it")


def _bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Tampered(f"{path}: {error.strerror}") from error
    if len(data) > limit:
        raise Tampered(f"{path}: more than {limit} bytes")
    return data
