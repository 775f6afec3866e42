"""Drawings for visitors: the part of scikit-learn's digits that no model learnt from. make_digits.py wrote them."""

from __future__ import annotations

from pathlib import Path

Drawing = tuple[int, list[int]]
"""What it is, and its 8 × 8 pixels, 0 (paper) to 16 (ink)."""


def read_digits() -> list[Drawing]:
    """Every drawing of the file."""
    path = Path(__file__).with_name("digits.txt")
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return [(int(label), [int(ink, 17) for ink in pixels]) for label, pixels in lines]
