"""The page's own scaling against the recorded drawings' checked-in 64 numbers."""

import json
import os

from browser.page import DRAWINGS, PEOPLE, recordings, written_by_people

SCALE = """
    const [recordings, done] = arguments;
    import('/static/js/scale.js').then(({ pixelsOf }) => done(recordings.map(pixelsOf)), (e) => done(String(e)));
"""


def test_the_pages_scaling_gives_the_recorded_pixels(page):
    """Strokes scaled by the page's own module are the `pixels` beside them (REGENERATE=1 writes them anew)."""
    recorded, people = recordings(), written_by_people()
    drawings = [*recorded.values(), *people]
    found = page.driver.execute_async_script(SCALE, [drawing["strokes"] for drawing in drawings])
    if os.environ.get("REGENERATE"):
        for drawing, pixels in zip(drawings, found, strict=True):
            strokes = drawing.pop("strokes")
            drawing |= {"pixels": pixels, "strokes": strokes}
        for name, drawing in recorded.items():
            (DRAWINGS / f"{name}.json").write_text(line(drawing))
        PEOPLE.write_text("".join(map(line, people)))
    differing = [
        drawing["name"] for drawing, pixels in zip(drawings, found, strict=True) if drawing["pixels"] != pixels
    ]
    assert len(recorded) >= 40
    assert len(people) == 100
    assert differing == []


def line(drawing):
    return json.dumps(drawing, separators=(",", ":")) + "\n"


def test_any_ink_gives_64_whole_numbers_in_bounds(page):
    """Nothing, a dot, a dash, a scribble off the square: always 64 numbers from 0 to 16, ink for ink."""
    scribble = [[(k * 37) % 300 - 10, (k * 91) % 300 - 10] for k in range(400)]
    odd = [[], [[[5, 5]]], [[[5, 5], [5, 5]]], [[[0, 140], [280, 140]]], [[[140, 0], [140, 280]]], [scribble]]
    found = page.driver.execute_async_script(SCALE, odd)
    for pixels in found:
        assert len(pixels) == 64
        assert all(type(value) is int and 0 <= value <= 16 for value in pixels)
    assert [sum(pixels) > 0 for pixels in found] == [False, True, True, True, True, True]


def test_where_and_how_large_one_draws_does_not_matter(page):
    """The same strokes moved and scaled give the same 64 numbers."""
    strokes = recordings()["5-one-stroke"]["strokes"]
    moved = [[[x * 0.25 + 8, y * 0.25 + 16] for x, y, _ in stroke] for stroke in strokes]
    first, second = page.driver.execute_async_script(SCALE, [strokes, moved])
    assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) <= 2
