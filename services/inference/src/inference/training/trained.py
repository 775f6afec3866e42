"""What a recipe's trainer hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Columns of the input whose mean is one quantity to watch for drift."""

    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Trained:
    """A fitted scikit-learn classifier with the data it is judged by."""

    estimator: Any
    input_name: str
    bounds: tuple[float, float]
    groups: tuple[Group, ...]
    source: str
    seen: tuple[Rows, Labels]
    """All that was fitted on: [n, width] and [n]."""
    reference: Rows
    """The part of it that serving is expected to look like."""
    held_out: tuple[Rows, Labels]
    """What no fit saw, as it will be served."""
    abstain_below: float
    """The confidence below which an answer is not worth acting on."""
    notes: dict[str, float] = field(default_factory=dict)
