"""Why a document cannot be translated."""

from __future__ import annotations


class Unsupported(ValueError):
    """A field or kind that means something on a cluster, and that the laptop mesh does not translate.

    `file` is empty when nothing says where the document came from; `field` is a path as `spec.http[0].route[1].weight`.
    """

    def __init__(self, file: str, resource: str, field: str, reason: str) -> None:
        self.file = file
        self.resource = resource
        self.field = field
        self.reason = reason
        super().__init__(f"{file + ': ' if file else ''}{resource}: {field}: {reason}")
