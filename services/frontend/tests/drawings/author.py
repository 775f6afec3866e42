"""Turns the outlines of `shapes.py` into stroke recordings: `python services/frontend/tests/drawings/author.py`.

A recording is what a pointer would have sent: points `[x, y, milliseconds]` about every 12 ms, slower where the path
bends, with points of the outline misplaced a little and a slow tremor laid over the path. Seeded: the same files each
time. The member `pixels` is not made here; the browser test writes it with the page's own scaling.
"""

import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
Points = NDArray[np.float64]


def outline_strokes(outline: str) -> list[list[Points]]:
    """`"1,2 3,4 | 5,6 / 7,8"` → strokes → smooth parts (a corner ends one part and begins the next) → (n, 2)."""
    strokes = []
    for stroke in outline.split("/"):
        parts = [[tuple(map(float, point.split(","))) for point in part.split()] for part in stroke.split("|")]
        for before, after in itertools.pairwise(parts):
            after.insert(0, before[-1])
        strokes.append([np.array(part) for part in parts])
    return strokes


def spline(points: Points, step: float = 1.0) -> Points:
    """A Catmull-Rom spline through (n, 2) points, about `step` between its own points."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    pieces = [points[:1]]
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        t = np.linspace(0, 1, max(2, int(np.hypot(*(c - b)) / step)))[1:, None]
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack(pieces)


def tremor(length: int, size: float, rng: np.random.Generator) -> Points:
    """A slow wander of the hand, (length, 2): three sines a direction with random phases."""
    along = np.arange(length)[:, None]
    waves = [rng.normal(0, size / k, 2) * np.sin(along * k / 28 + rng.uniform(0, 2 * np.pi, 2)) for k in (1, 2, 4)]
    return np.sum(waves, axis=0)


def record(path: Points, start: float, rng: np.random.Generator) -> list[list[float]]:
    """Samples the path as a pointer would, the pen slowing down in bends; starts at `start` milliseconds."""
    steps = np.diff(path, axis=0)
    length = np.hypot(*steps.T)
    turn = np.abs(np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])), prepend=0))
    slowness = length * (1 + 6 * np.convolve(np.minimum(turn, 1), np.ones(9) / 9, mode="same"))
    clock = np.concatenate([[0], np.cumsum(slowness)]) * rng.uniform(1.3, 2.2)
    ticks = np.arange(0, clock[-1], 12)
    x, y = np.interp(ticks, clock, path[:, 0]), np.interp(ticks, clock, path[:, 1])
    points = [
        [round(float(a), 1), round(float(b), 1), round(start + float(t))] for a, b, t in zip(x, y, ticks, strict=True)
    ]
    return [*points, [round(float(path[-1, 0]), 1), round(float(path[-1, 1]), 1), round(start + float(clock[-1]))]]


def drawing(outline: str, slant: float, box: tuple[float, float, float, float], haste: float, seed: int) -> object:
    """The strokes of one recording on the canvas."""
    rng = np.random.default_rng(seed)
    left, top, width, height = box
    strokes, now = [], 0.0
    for parts in outline_strokes(outline):
        moved = [part + rng.normal(0, 1.4 * haste, part.shape) for part in parts]
        for before, after in itertools.pairwise(moved):
            after[0] = before[-1]
        path = np.vstack([spline(part) for part in moved])
        path = path * [width / 100, height / 140]
        path[:, 0] += slant * (height / 2 - path[:, 1])
        path = np.clip(path + tremor(len(path), 0.7 * haste, rng) + [left, top], 1, 279)
        strokes.append(record(path, now, rng))
        now = strokes[-1][-1][2] + rng.uniform(140, 320)
    return strokes


def main() -> None:
    """Writes `DIGIT-NAME.json` for every shape; keeps `pixels` of files that exist."""
    spec = importlib.util.spec_from_file_location("shapes", HERE / "shapes.py")
    assert spec
    assert spec.loader
    shapes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shapes)
    for digit, variants in shapes.SHAPES.items():
        for index, (name, slant, box, haste, outline) in enumerate(variants):
            file = HERE / f"{digit}-{name}.json"
            pixels = json.loads(file.read_text()).get("pixels") if file.exists() else None
            strokes = drawing(outline, slant, box, haste, seed=1000 * digit + index)
            content = {"digit": digit, "name": name, "canvas": [280, 280], "pixels": pixels, "strokes": strokes}
            file.write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
