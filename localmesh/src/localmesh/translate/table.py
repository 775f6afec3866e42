"""The table of all fields: which are translated, and what to do instead of the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from localmesh.translate.documents import SHAPES
from localmesh.translate.fields import Check, Listing, Message, Names, Refused

_HEAD = """\
# Istio's fields on a laptop

Made by `python -m localmesh.translate.table`; a test compares. A field that is in no row is unknown, and an error that
names the nearest one. `[]` is each item of a list, `{}` each value of a mapping with free names.
"""


def markdown() -> str:
    """The whole document."""
    parts = [_HEAD]
    for (group, kind), shape in sorted(SHAPES.items(), key=lambda pair: pair[0][1]):
        lines = [f"| `{path}` | {found} |" for path, found in rows(shape, "spec")]
        parts.append("\n".join((f"## {kind} ({group})", "", "| field | |", "|---|---|", *lines, "")))
    return "\n".join(parts)


def rows(shape: Check, path: str) -> Iterator[tuple[str, str]]:
    """Each field below `path` and what becomes of it, by name."""
    if isinstance(shape, Message):
        for name, inner in sorted(shape.fields.items()):
            yield from rows(inner, f"{path}.{name}")
    elif isinstance(shape, Listing | Names):
        inside = shape.inner
        mark = "[]" if isinstance(shape, Listing) else "{}"
        if isinstance(inside, Message | Listing | Names):
            yield from rows(inside, path + mark)
        else:
            yield path + mark, "translated"
    else:
        yield path, f"refused: {shape.instead}" if isinstance(shape, Refused) else "translated"


if __name__ == "__main__":
    sys.stdout.write(markdown())
