"""A mapping that knows where it stands: every field is taken, passed over with a reason, or an error."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from localmesh.errors import ManifestError, shown
from localmesh.kustomize.document import Document, Yaml
from localmesh.manifests.ignored import FIELDS

T = TypeVar("T")
_NAMES = {str: "a string: quote it", int: "a whole number", bool: "true or false", dict: "a mapping", list: "a list"}


class Node:
    """One mapping of a document. Take each field once, then call `done`."""

    def __init__(self, document: Document, value: Yaml, path: str) -> None:
        self.document = document
        self.path = path
        if not isinstance(value, dict):
            raise self.error("", "must be a mapping")
        self._left = {key: item for key, item in value.items() if item is not None}

    def error(self, field: str, reason: str) -> ManifestError:
        """An error that names the file, the resource and the field (of this mapping; empty: the mapping itself)."""
        path = ".".join(part for part in (self.path, field) if part)
        files = [self.document.origin, *self.document.patched_by]
        return ManifestError(", ".join(dict.fromkeys(map(shown, files))), str(self.document.identity), path, reason)

    def take(self, field: str, kind: type[T], default: T | None = None) -> T:
        """The field's value, which must be of `kind`; without a default it must be there."""
        value = self._left.pop(field, None)
        if value is None:
            if default is None:
                raise self.error(field, "is missing")
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(field, f"must be {_NAMES.get(kind, kind.__name__)}")
        return value

    def peek(self, field: str) -> Yaml:
        """The field's value whatever it is, None when it is not there; it still is to be taken."""
        return self._left.get(field)

    def node(self, field: str) -> Node:
        """The mapping at `field`; an empty one when it is not there."""
        return Node(self.document, self.take(field, dict, {}), ".".join(part for part in (self.path, field) if part))

    def maybe(self, field: str) -> Node | None:
        """The mapping at `field`, None when it is not there."""
        return self.node(field) if field in self._left else None

    def nodes(self, field: str) -> list[Node]:
        """The list of mappings at `field`; empty when it is not there."""
        path = ".".join(part for part in (self.path, field) if part)
        return [
            Node(self.document, value, f"{path}[{index}]") for index, value in enumerate(self.take(field, list, []))
        ]

    def texts(self, field: str) -> tuple[str, ...]:
        """The list of strings at `field`; empty when it is not there."""
        values = self.take(field, list, [])
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.error(f"{field}[{index}]", "must be a string: quote it")
        return tuple(values)

    def text_map(self, field: str) -> dict[str, str]:
        """The mapping of strings at `field`; empty when it is not there."""
        values: dict[str, Any] = self.take(field, dict, {})
        for key, value in values.items():
            if not isinstance(value, str):
                raise self.error(f"{field}.{key}", "must be a string: quote it")
        return values

    def choose(self, field: str, allowed: tuple[str, ...]) -> str:
        """The string at `field`, one of `allowed`, of which the first is the default."""
        value = self.take(field, str, allowed[0])
        if value not in allowed:
            raise self.error(field, f"`{value}` is not supported on a laptop; it may be {' or '.join(allowed)}")
        return value

    def done(self) -> None:
        """Raise for the first field that was neither taken nor can be passed over."""
        passed_over = FIELDS.get(self.document.kind, {})
        for field in self._left:
            path = ".".join(part for part in (re.sub(r"\[\d+]", "[]", self.path), field) if part)
            if path not in passed_over:
                raise self.error(field, "is not supported on a laptop")
