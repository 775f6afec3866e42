"""A folder with a file a key, as volumes of ConfigMaps and Secrets are, read as of one moment."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

LARGEST_FILE = 64 << 10

Files = Mapping[str, bytes]
"""File name → content."""


class Refused(Exception):
    """What a folder holds cannot be in force: the key (a file's name, at start its path) and why, never its value."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}" if key else why)
        self.key = key
        self.why = why

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refused) and other.args == self.args

    __hash__ = Exception.__hash__


def read(folder: Path) -> dict[str, bytes]:
    """Every visible file of the folder, empty when there is none. Raises Refused for one that cannot be read.

    Kubernetes writes a volume anew beside the old one, and then points the link `..data` at it: what is read through
    one look at that link is of one moment.
    """
    for _ in range(3):  # what is swapped while it is read is read again
        with contextlib.suppress(FileNotFoundError):
            return _read_once(folder)
    raise Refused("", "changes faster than it can be read")


def _read_once(folder: Path) -> dict[str, bytes]:
    link = folder / "..data"
    found = link.resolve() if link.is_symlink() else folder
    try:
        files = [file for file in sorted(found.iterdir()) if not file.name.startswith(".") and not file.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        if link.is_symlink():
            raise
        return {}
    except OSError as error:
        raise Refused("", f"cannot be read ({error.strerror})") from error
    return {file.name: _content(file) for file in files}


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Refused(file.name, f"cannot be read ({error.strerror})") from error
    if len(content) > LARGEST_FILE:
        raise Refused(file.name, f"is larger than {LARGEST_FILE >> 10} KiB")
    return content
