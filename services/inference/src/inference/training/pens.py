"""Digits as a pen draws them on a page: shapes made of arcs and lines, jittered, inked and counted down to 8 x 8.

The data set's writers pressed hard on paper; a mouse leaves thin, even strokes and other shapes (an open 4, a 1 without
a foot). These teach the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_FINE = 16


def _line(*corners: tuple[float, float]) -> Points:
    return np.array(corners, dtype=np.float64)


def _arc(x: float, y: float, wide: float, high: float, start: float, stop: float) -> Points:
    """Points on an ellipse, angles in degrees: 0 is right, 90 is down."""
    angle = np.radians(np.linspace(start, stop, max(4, int(abs(stop - start) / 20))))
    return np.stack([x + wide * np.cos(angle), y + high * np.sin(angle)], axis=1)


def _shapes() -> list[tuple[int, list[Points]]]:
    """(label, strokes) in a unit square, y downwards."""
    return [
        (0, [_arc(0.5, 0.5, 0.34, 0.5, -80, 280)]),
        (0, [_arc(0.5, 0.5, 0.24, 0.5, -100, 260)]),
        (0, [_arc(0.5, 0.5, 0.46, 0.48, -50, 295)]),
        (1, [_line((0.5, 0), (0.5, 1))]),
        (1, [_line((0.56, 0), (0.46, 1))]),
        (1, [_line((0.32, 0.2), (0.54, 0), (0.54, 1))]),
        (1, [_line((0.22, 0.32), (0.56, 0), (0.54, 1))]),
        (1, [_line((0.34, 0.2), (0.52, 0), (0.52, 1)), _line((0.24, 1), (0.8, 1))]),
        (1, [_line((0.28, 0.3), (0.5, 0), (0.5, 1)), _line((0.3, 1), (0.72, 1))]),
        (1, [_line((0.38, 0.12), (0.5, 0), (0.5, 1)), _line((0.18, 1), (0.84, 1))]),
        (2, [np.concatenate([_arc(0.5, 0.3, 0.32, 0.3, -165, 35), _line((0.15, 1), (0.88, 1))])]),
        (2, [np.concatenate([_arc(0.46, 0.26, 0.3, 0.26, -150, 45), _line((0.2, 0.94), (0.5, 0.92), (0.9, 1))])]),
        (2, [np.concatenate([_arc(0.5, 0.28, 0.3, 0.28, -180, 60), _arc(0.28, 0.9, 0.1, 0.1, -60, -300),
                             _line((0.5, 0.92), (0.9, 0.96))])]),
        (3, [np.concatenate([_arc(0.45, 0.25, 0.3, 0.25, -160, 85), _arc(0.45, 0.74, 0.37, 0.26, -85, 160)])]),
        (3, [np.concatenate([_arc(0.42, 0.27, 0.34, 0.27, -130, 70), _arc(0.42, 0.75, 0.4, 0.25, -70, 130)])]),
        (3, [np.concatenate([_line((0.18, 0), (0.82, 0), (0.46, 0.4)), _arc(0.44, 0.7, 0.36, 0.3, -85, 145)])]),
        (4, [_line((0.62, 1), (0.62, 0), (0.1, 0.66), (0.95, 0.66))]),
        (4, [_line((0.55, 0), (0.12, 0.7), (0.92, 0.7)), _line((0.66, 0.35), (0.66, 1))]),
        (4, [_line((0.22, 0), (0.18, 0.52), (0.84, 0.5)), _line((0.74, 0), (0.7, 1))]),
        (4, [_line((0.2, 0.02), (0.15, 0.5), (0.75, 0.5)), _line((0.75, 0.02), (0.75, 1))]),
        (4, [_line((0.3, 0), (0.12, 0.58), (0.95, 0.55)), _line((0.62, 0.28), (0.55, 1))]),
        (5, [np.concatenate([_line((0.85, 0), (0.25, 0), (0.22, 0.45)), _arc(0.46, 0.68, 0.36, 0.31, -125, 145)])]),
        (5, [np.concatenate([_line((0.28, 0.03), (0.26, 0.42)), _arc(0.44, 0.7, 0.36, 0.3, -110, 155)]),
             _line((0.28, 0.02), (0.82, 0))]),
        (6, [np.concatenate([_line((0.72, 0), (0.4, 0.24), (0.2, 0.6)), _arc(0.49, 0.72, 0.3, 0.27, 190, -170)])]),
        (6, [np.concatenate([_arc(0.85, 0.68, 0.65, 0.68, -110, -180), _arc(0.47, 0.75, 0.27, 0.25, 190, -170)])]),
        (6, [np.concatenate([_line((0.4, 0), (0.22, 0.45)), _arc(0.5, 0.7, 0.32, 0.3, 180, -190)])]),
        (7, [_line((0.12, 0), (0.88, 0), (0.38, 1))]),
        (7, [_line((0.18, 0.02), (0.82, 0), (0.6, 0.5), (0.52, 1))]),
        (7, [_line((0.14, 0), (0.86, 0), (0.4, 1)), _line((0.3, 0.5), (0.82, 0.5))]),
        (7, [_line((0.15, 0.14), (0.15, 0), (0.85, 0), (0.45, 1))]),
        (8, [_arc(0.5, 0.25, 0.26, 0.25, 90, 450), _arc(0.5, 0.75, 0.32, 0.25, -90, 270)]),
        (8, [_arc(0.5, 0.27, 0.32, 0.27, 90, 450), _arc(0.5, 0.77, 0.34, 0.23, -90, 270)]),
        (8, [np.concatenate([_arc(0.5, 0.25, 0.25, 0.24, -20, -260), _arc(0.5, 0.75, 0.3, 0.25, -75, 200),
                             _line((0.74, 0.15))])]),
        (9, [np.concatenate([_arc(0.48, 0.3, 0.28, 0.3, -10, -350), _line((0.76, 0.3), (0.7, 1))])]),
        (9, [np.concatenate([_arc(0.48, 0.27, 0.3, 0.27, 0, -360), _line((0.78, 0.27), (0.78, 1))])]),
        (9, [np.concatenate([_arc(0.5, 0.28, 0.3, 0.28, -20, -345), _arc(0.3, 0.45, 0.49, 0.54, -20, 80)])]),
    ]  # fmt: skip


def draw(rng: np.random.Generator, parameters: Mapping[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw every shape `pen_drawings_per_shape` times: pixels [n, 64] (0..16) and labels [n]."""
    count = parameters["pen_drawings_per_shape"]
    images, labels = [], []
    for label, strokes in _shapes():
        images.append(_ink(strokes, count, rng, parameters))
        labels.append(np.full(count, label, dtype=np.int64))
    return np.concatenate(images), np.concatenate(labels)


def _ink(strokes: list[Points], n: int, rng: np.random.Generator, parameters: Mapping[str, Any]) -> NDArray[np.float32]:
    """Jitter one shape n times, scale it into the square as the page does, and count its ink."""
    ends = np.cumsum([len(stroke) for stroke in strokes])
    points = np.concatenate(strokes) - 0.5
    drawn = points @ _jitter(n, rng) + rng.normal(0, 0.012, (n, *points.shape))
    low, high = drawn.min(1, keepdims=True), drawn.max(1, keepdims=True)
    thinnest, thickest = parameters["pen_width_pixels"]
    width = rng.uniform(2 * thinnest, 2 * thickest, (n, 1, 1))  # in pixels of 16 x 16
    room = _FINE - width - rng.uniform(0, 3, (n, 1, 1))
    scale = room / (high - low).max(2, keepdims=True)
    placed = (drawn - (low + high) / 2) * scale + _FINE / 2 + rng.uniform(-0.8, 0.8, (n, 1, 2))
    segments = [index for index in range(len(points) - 1) if index + 1 not in ends]
    away = _distance(placed, segments)
    ink = np.clip((width - 2 * away + 1) / 2, 0, 1).reshape(n, 8, 2, 8, 2).mean((2, 4))
    counted: NDArray[np.float32] = np.round(ink * 16).reshape(n, 64).astype(np.float32)
    return counted


def _jitter(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random maps [n, 2, 2]: narrower or wider, slanted, turned."""
    angle, wide, lean = rng.uniform(-0.16, 0.16, n), rng.uniform(0.7, 1.15, n), rng.uniform(-0.2, 0.2, n)
    turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], 1).reshape(n, 2, 2)
    stretch = np.stack([wide, np.zeros(n), lean, np.ones(n)], 1).reshape(n, 2, 2)
    both: NDArray[np.float64] = np.matmul(stretch, turn)
    return both


def _distance(placed: NDArray[np.float64], segments: list[int]) -> NDArray[np.float32]:
    """From each fine pixel's centre ([n, 16, 16]) to the nearest stroke."""
    points = placed.astype(np.float32)
    centres = np.arange(_FINE, dtype=np.float32) + np.float32(0.5)
    y, x = np.meshgrid(centres, centres, indexing="ij")
    nearest = np.full((len(points), _FINE, _FINE), np.float32(1e6))
    for index in segments:
        start, way = points[:, index], points[:, index + 1] - points[:, index]
        from_x, from_y = x - start[:, 0, None, None], y - start[:, 1, None, None]
        way_x, way_y = way[:, 0, None, None], way[:, 1, None, None]
        length = np.maximum(way_x * way_x + way_y * way_y, np.float32(1e-6))
        part = np.clip((from_x * way_x + from_y * way_y) / length, 0, 1)
        square = (from_x - part * way_x) ** 2 + (from_y - part * way_y) ** 2
        np.minimum(nearest, square, out=nearest)
    return np.sqrt(nearest)
