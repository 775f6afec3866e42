"""Writes digits.txt: the digits that no model learnt from, one a line: the label, and 64 pixels in base 17.

Run once; load needs no scikit-learn. `python loadtest/make_digits.py`
"""

from pathlib import Path

from inference.training.digits import split
from inference.training.recipes import RECIPES

INK = "0123456789abcdefg"


def main() -> None:
    recipe = next(one for one in RECIPES if one.model == "digits")
    _, _, held, labels = split(recipe)
    lines = (
        f"{label} {''.join(INK[int(pixel)] for pixel in pixels)}\n" for pixels, label in zip(held, labels, strict=True)
    )
    Path(__file__).with_name("digits.txt").write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
