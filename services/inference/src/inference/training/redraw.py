"""The same digit, drawn again: shifted, scaled, turned, slanted, in another stroke width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.training.trained import Rows

_FINE = 32  # the data set was made from 32 x 32 bitmaps by counting the ink in each 4 x 4 box
_PAD = 2


def redraw(images: Rows, rng: np.random.Generator, parameters: Mapping[str, Any]) -> Rows:
    """Draw each image ([n, 64], 0..16) once more by a random affine map; the answer has the same shape and bounds."""
    n = len(images)
    x, y = _source_coordinates(n, rng, parameters)
    shade = _sample(images.reshape(n, 8, 8) / np.float32(16), x, y)
    # Where a soft image is cut into ink and paper decides how wide its strokes are.
    level = _draw(rng, n, *parameters["ink_level"])
    ink = np.clip((shade - level) * np.float32(8) + np.float32(0.5), 0, 1)
    counted: Rows = np.round(ink.reshape(n, 8, 4, 8, 4).sum((2, 4)))
    return counted.reshape(n, 64)


def _draw(rng: np.random.Generator, n: int, low: float, high: float) -> NDArray[np.float32]:
    """One number a copy, [n, 1, 1]."""
    drawn: NDArray[np.float32] = rng.uniform(low, high, (n, 1, 1)).astype(np.float32)
    return drawn


def _source_coordinates(
    n: int, rng: np.random.Generator, parameters: Mapping[str, Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each fine pixel of each copy ([n, 32, 32]): where in the 8 x 8 original it looks."""
    turn, slant, shift = parameters["turn_degrees"], parameters["slant"], parameters["shift_pixels"]
    angle = np.deg2rad(_draw(rng, n, -turn, turn))
    wide, high = _draw(rng, n, *parameters["scale"]), _draw(rng, n, *parameters["scale"])
    lean = _draw(rng, n, -slant, slant)
    right, down = _draw(rng, n, -shift, shift), _draw(rng, n, -shift, shift)
    centres = (np.arange(_FINE, dtype=np.float32) + np.float32(0.5)) / 4 - 4
    rows, columns = np.meshgrid(centres, centres, indexing="ij")
    x, y = columns - right, rows - down
    turned_x, turned_y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    source_y = turned_y / high
    return turned_x / wide + lean * source_y, source_y


def _sample(images: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Interpolate between pixels; x and y count from the image's centre, and outside of it there is paper."""
    n, side = len(images), 8 + 2 * _PAD
    flat = np.pad(images, ((0, 0), (_PAD, _PAD), (_PAD, _PAD))).reshape(-1)
    middle, last = np.float32((side - 1) / 2), np.float32(side - 1.001)
    column, row = np.clip(x + middle, 0, last), np.clip(y + middle, 0, last)
    left, top = column.astype(np.int32), row.astype(np.int32)
    across, along = column - left.astype(np.float32), row - top.astype(np.float32)
    at = (np.arange(n, dtype=np.int32) * side * side)[:, None, None] + top * side + left
    upper = flat[at] * (1 - across) + flat[at + 1] * across
    lower = flat[at + side] * (1 - across) + flat[at + side + 1] * across
    blended: NDArray[Any] = upper * (1 - along) + lower * along
    return blended
