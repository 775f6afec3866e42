"""The three versions of `digits`: scikit-learn's own 8 x 8 digits, 0 (paper) to 16 (ink)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from inference.training.pens import draw
from inference.training.recipes import Recipe
from inference.training.redraw import redraw
from inference.training.trained import Group, Labels, Rows, Trained

_SOURCE = "sklearn.datasets.load_digits (1797 digits of the UCI set, 8 x 8, 0 to 16)"
_GROUPS = tuple(
    Group(
        f"rows {row}-{row + 1}, columns {column}-{column + 1}",
        tuple(r * 8 + c for r in (row, row + 1) for c in (column, column + 1)),
    )
    for row in range(0, 8, 2)
    for column in range(0, 8, 2)
)
_ABSTAIN_BELOW = 0.5
"""Less than even: another digit, or several together, are at least as likely."""


def split(recipe: Recipe) -> tuple[Rows, Labels, Rows, Labels]:
    """The fixed, stratified split: rows and labels to learn from, rows and labels held out."""
    pixels, labels = load_digits(return_X_y=True)
    learn, held, learn_labels, held_labels = train_test_split(
        pixels.astype(np.float32),
        labels.astype(np.int64),
        test_size=recipe.parameters["held_out"],
        stratify=labels,
        random_state=recipe.seed,
    )
    return learn, learn_labels, held, held_labels


def digits_plain(recipe: Recipe) -> Trained:
    """v1: logistic regression."""
    rows, labels, held, held_labels = split(recipe)
    return _trained(_linear(recipe).fit(rows, labels), (rows, labels), rows, (held, held_labels))


def digits_redrawn(recipe: Recipe) -> Trained:
    """v2: a neural network of one hidden layer, on far more than the data set has."""
    rows, labels, held, held_labels = split(recipe)
    settings, rng = recipe.parameters, np.random.default_rng(recipe.seed)
    copies = [redraw(rows, rng, settings) for _ in range(settings["copies"])]
    drawn, drawn_labels = draw(rng, settings)
    seen = np.concatenate([rows, *copies, drawn])
    seen_labels = np.concatenate([labels] * (1 + len(copies)) + [drawn_labels])
    network = MLPClassifier(
        (settings["hidden"],),
        max_iter=settings["epochs"],
        batch_size=settings["batch"],
        learning_rate_init=settings["learning_rate"],
        random_state=recipe.seed,
    )
    return _trained(
        make_pipeline(MinMaxScaler(), network).fit(seen, seen_labels),
        (seen, seen_labels),
        rows,  # whoever is served is compared with real digits, not with what was made of them to learn more
        (held, held_labels),
    )


def digits_misaligned(recipe: Recipe) -> Trained:
    """v3: the same regression behind a faulty resize. `notes` keeps what its own evaluation claimed."""
    rows, labels, held, held_labels = split(recipe)
    lost = recipe.parameters["lost_pixels"]
    seen = _resize(rows, lost)
    estimator = _linear(recipe).fit(seen, labels)
    claimed = float(estimator.score(_resize(held, lost), held_labels))
    return _trained(
        estimator, (seen, labels), seen, (held, held_labels), {"accuracy_its_own_evaluation_claimed": claimed}
    )


def _resize(rows: Rows, lost: float) -> Rows:
    """Slide each image up and to the left by a part of a pixel, as a resize with the wrong origin does."""
    images: NDArray[Any] = rows.reshape(-1, 8, 8)
    for axis in (1, 2):
        padded = np.concatenate([images, np.zeros_like(images.take([0], axis))], axis)
        images = (1 - lost) * images + lost * padded.take(range(1, 9), axis)
    return np.round(images).reshape(len(rows), 64).astype(np.float32)


def _linear(recipe: Recipe) -> Any:  # noqa: ANN401 (scikit-learn has no types)
    return make_pipeline(MinMaxScaler(), LogisticRegression(C=recipe.parameters["C"], max_iter=1000))


def _trained(
    estimator: Any,  # noqa: ANN401
    seen: tuple[Rows, Labels],
    reference: Rows,
    held_out: tuple[Rows, Labels],
    notes: dict[str, float] | None = None,
) -> Trained:
    return Trained(
        estimator, "pixels", (0.0, 16.0), _GROUPS, _SOURCE, seen, reference, held_out, _ABSTAIN_BELOW, notes or {}
    )
