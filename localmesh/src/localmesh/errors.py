"""The one base of what this package refuses: a line that says what, and a line that says what to do next."""

from __future__ import annotations

from pathlib import Path


class LocalmeshError(Exception):
    """Something a user can mend. `what` and `next_step` are one line each; the command prints them and exits with 1."""

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(what)


class ManifestError(LocalmeshError):
    """YAML that cannot be rendered or cannot be run: names the file, the resource and the field."""

    def __init__(self, file: str | Path, resource: str, field: str, reason: str) -> None:
        self.file = str(file)
        self.resource = resource
        self.field = field
        self.reason = reason
        where = ": ".join(part for part in (self.file, resource, field) if part)
        super().__init__(f"{where}: {reason}", "Change that field; nothing that changes behaviour is ever ignored.")


def shown(path: Path) -> str:
    """`path` as a reader knows it: relative to the working folder when it is below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
