"""The table of all fields: which are translated, and by which case that is shown; what to do instead of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from localmesh.translate.documents import REFUSED_KINDS, SHAPES
from localmesh.translate.field_values import Check
from localmesh.translate.fields import Described, Listing, Message, Names, Noted, Refused

_HEAD = """\
# Istio's fields on a laptop

Made by `make parity-fields`; a test compares, with this code and with the schemas of Istio 1.29. A field that is in no
row is unknown, and an error that names the nearest one. `[]` is each item of a list, `{}` each value of a mapping with
free names.

A field is **supported**, and the case of `tests/parity/cases` that is named shows it beside istiod's answer; it is
**supported otherwise**, where istiod's own way is not to be had; it is **meaningless** on a laptop: it may be there and
changes nothing; or it is **refused**, by an error that says what to do instead.
"""
SUPPORTED = "supported"


def markdown(cases: Mapping[tuple[str, str], str]) -> str:
    """The whole document. `cases`: a kind and one of its fields → the case that shows it."""
    parts = [_HEAD]
    for (group, kind), shape in sorted(SHAPES.items(), key=lambda pair: pair[0][1]):
        lines = [f"| `{path}` | {_cell(found, cases.get((kind, path)))} |" for path, found in rows(shape, "spec")]
        parts.append("\n".join((f"## {kind} ({group})", "", "| field | |", "|---|---|", *lines, "")))
    lines = [f"| {kind} ({group}) | {instead} |" for (group, kind), instead in sorted(REFUSED_KINDS.items())]
    parts.append("\n".join(("## Refused as a whole", "", "| kind | instead |", "|---|---|", *lines, "")))
    return "\n".join(parts)


def rows(shape: Check, path: str) -> Iterator[tuple[str, str]]:
    """Each field below `path` and what becomes of it, by name."""
    if isinstance(shape, Described):
        yield from rows(shape.shape, path)
    elif isinstance(shape, Message):
        for name, inner in sorted(shape.fields.items()):
            yield from rows(inner, f"{path}.{name}")
    elif isinstance(shape, Listing | Names):
        yield from rows(shape.inner, path + ("[]" if isinstance(shape, Listing) else "{}"))
    elif isinstance(shape, Refused):
        yield path, f"refused: {shape.instead}"
    elif isinstance(shape, Noted):
        yield path, shape.note
    else:
        yield path, SUPPORTED


def said(shape: Check, path: str, value: object) -> Iterator[str]:
    """The fields that a document's `value` sets, as `rows` names them."""
    if isinstance(shape, Described):
        yield from said(shape.shape, path, value)
    elif isinstance(shape, Message) and isinstance(value, dict):
        for name in value.keys() & shape.fields.keys():
            yield from said(shape.fields[name], f"{path}.{name}", value[name])
    elif isinstance(shape, Listing) and isinstance(value, list):
        for one in value:
            yield from said(shape.inner, f"{path}[]", one)
    elif isinstance(shape, Names) and isinstance(value, dict):
        for one in value.values():
            yield from said(shape.inner, f"{path}{{}}", one)
    else:
        yield path


def _cell(found: str, case: str | None) -> str:
    return f"{found}: {case}" if case else found
