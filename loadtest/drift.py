"""Digits that went bad on their way: what a lens, a setting or a crop does to 8 × 8 pixels, 0 (paper) to 16 (ink)."""

from __future__ import annotations

from collections.abc import Callable

Pixels = list[int]
Drift = Callable[[Pixels], Pixels]

SIDE, INK = 8, 16
SHIFT_COLUMNS = 2


def blur(pixels: Pixels) -> Pixels:
    """Out of focus: each pixel is the mean of the nine about it, with paper beyond the edge."""
    return [
        round(sum(_at(pixels, row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)) / 9)
        for row in range(SIDE)
        for column in range(SIDE)
    ]


def invert(pixels: Pixels) -> Pixels:
    """Light on dark."""
    return [INK - ink for ink in pixels]


def shift(pixels: Pixels) -> Pixels:
    """Cropped beside the middle: two columns to the right; what goes over the edge is lost."""
    return [_at(pixels, row, column - SHIFT_COLUMNS) for row in range(SIDE) for column in range(SIDE)]


DRIFTS: dict[str, Drift] = {"blur": blur, "invert": invert, "shift": shift}
"""By the name that --drift takes."""


def _at(pixels: Pixels, row: int, column: int) -> int:
    inside = 0 <= row < SIDE and 0 <= column < SIDE
    return pixels[row * SIDE + column] if inside else 0
