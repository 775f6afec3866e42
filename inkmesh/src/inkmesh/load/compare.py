"""Two runs side by side, as numbers and ratios."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inkmesh.load.figures import Figure, figures
from inkmesh.load.recording import Recording
from inkmesh.load.series import Series


@dataclass(frozen=True)
class Row:
    """One number of both; `change` says by how much B differs from A, and whether that is good."""

    name: str
    a: str
    b: str
    change: str


def rows(a: Recording, b: Recording) -> list[Row]:
    """Every number that both or one of them has."""
    first = {one.name: one for one in figures(Series(a))}
    second = {one.name: one for one in figures(Series(b))}
    return [_row(name, first.get(name), second.get(name)) for name in dict.fromkeys([*first, *second])]


def differences(a: Recording, b: Recording) -> Iterator[str]:
    """Settings that are not the same: numbers of unlike runs say little."""
    for name in sorted({*a.plan, *b.plan}):
        if a.plan.get(name) != b.plan.get(name):
            yield f"{name}: {a.plan.get(name)} and {b.plan.get(name)}"


def _row(name: str, a: Figure | None, b: Figure | None) -> Row:
    return Row(name, a.value if a else "-", b.value if b else "-", _change(a, b))


def _change(a: Figure | None, b: Figure | None) -> str:
    if a is None or b is None or not a.raw or b.raw is None:
        return ""
    ratio = b.raw / a.raw
    if 0.95 <= ratio <= 1.05:
        return "the same, within 5 %"
    if a.less_is_better is None:
        return f"× {ratio:.2f}"
    return f"× {ratio:.2f}, {'better' if (ratio < 1) == a.less_is_better else 'worse'}"
