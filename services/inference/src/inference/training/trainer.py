"""Carries out recipes. Importing this imports scikit-learn, which takes longer than the training itself."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from inference.manifest import seal
from inference.training.describe import describe
from inference.training.digits import digits_misaligned, digits_plain, digits_redrawn
from inference.training.export import to_onnx
from inference.training.fraud import fraud_stumps
from inference.training.recipes import Recipe
from inference.training.store import Files
from inference.training.trained import Trained

BUILDS: dict[str, Callable[[Recipe], Trained]] = {
    "digits_plain": digits_plain,
    "digits_redrawn": digits_redrawn,
    "digits_misaligned": digits_misaligned,
    "fraud_stumps": fraud_stumps,
}


def fit(recipe: Recipe) -> Trained:
    """Train on one thread: how a sum is split among threads would change its last bits."""
    with threadpool_limits(1), _quiet():
        return BUILDS[recipe.build](recipe)


def make(recipe: Recipe) -> tuple[Files, dict[str, Any]]:
    """The model's two files, and the manifest's content."""
    trained = fit(recipe)
    exported = to_onnx(f"{recipe.model}-{recipe.version}", trained)
    content = describe(recipe, trained, exported)
    return Files(exported, seal(content)), content


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The network stops after the recipe's epochs, converged or not: that is meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
