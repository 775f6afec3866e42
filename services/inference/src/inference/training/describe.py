"""Writes a model's manifest: how good it is, what it was made from, and what it must answer."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.drift import Groups, count_bins
from inference.manifest import FORMAT, MODEL
from inference.training.export import TOLERANCE
from inference.training.recipes import Recipe, libraries, platform_name
from inference.training.trained import Labels, Rows, Trained

GOLDEN = 16
_RIDGE = 1e-3
CONFIDENCE_EDGES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def describe(recipe: Recipe, trained: Trained, exported: bytes) -> dict[str, Any]:
    """The manifest's content, all of it JSON."""
    rows, labels = trained.held_out
    probabilities = trained.estimator.predict_proba(rows)
    predicted = trained.estimator.predict(rows)
    classes = [int(label) for label in trained.estimator.classes_]
    return {
        "format": FORMAT,
        "name": recipe.model,
        "version": recipe.version,
        "platform": "onnxruntime_onnx",
        "files": {MODEL: {"sha256": hashlib.sha256(exported).hexdigest(), "bytes": len(exported)}},
        "made_with": libraries() | {"platform": platform_name()},
        "recipe": recipe.as_dict(),
        "data": {
            "source": trained.source,
            "rows": len(trained.seen[0]),
            "held_out_rows": len(rows),
            "sha256": _digest(*trained.seen, *trained.held_out),
        },
        "metrics": _metrics(labels, predicted, classes) | trained.notes,
        "inputs": [
            {
                "name": trained.input_name,
                "datatype": "FP32",
                "shape": [-1, rows.shape[1]],
                "bounds": list(trained.bounds),
            }
        ],
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(classes)]},
        ],
        "reference": {
            **_inputs(trained),
            "labels": {str(label): int((predicted == label).sum()) for label in classes},
            "confidence": _counted(probabilities.max(axis=1), list(CONFIDENCE_EDGES))
            | {"abstain_below": trained.abstain_below},
        },
        "golden": _golden(rows, labels, probabilities, predicted),
    }


def _metrics(labels: Labels, predicted: Labels, classes: list[int]) -> dict[str, Any]:
    by_class = {}
    for label in classes:
        is_so, said_so = labels == label, predicted == label
        both = int((is_so & said_so).sum())
        by_class[str(label)] = {
            "rows": int(is_so.sum()),
            "recall": _ratio(both, int(is_so.sum())),
            "precision": _ratio(both, int(said_so.sum())),
        }
    return {
        "accuracy": _ratio(int((labels == predicted).sum()), len(labels)),
        "by_class": by_class,
        "confusion": _confusion(labels, predicted, classes),
    }


def _confusion(labels: Labels, predicted: Labels, classes: list[int]) -> list[list[int]]:
    """Rows by what they are, columns by what was said."""
    return [[int(((labels == is_so) & (predicted == said)).sum()) for said in classes] for is_so in classes]


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _inputs(trained: Trained) -> dict[str, Any]:
    """Histograms of each group and of the whole, counted as serving counts them."""
    rows = trained.reference
    columns = [list(group.columns) for group in trained.groups]
    nothing = np.zeros(len(columns))
    means = Groups(columns, rows.shape[1], nothing, np.zeros((len(columns), len(columns)))).values(rows)[:, :-1]
    # A little of the identity, for groups that hardly vary; rounded, so that the last bits of a sum do not matter.
    covariance = np.cov(means, rowvar=False) + np.eye(len(columns)) * _RIDGE
    whole = {
        "middle": means.mean(0).round(6).tolist(),
        "precision": np.linalg.inv(covariance).round(6).tolist(),
    }
    groups = Groups(columns, rows.shape[1], np.array(whole["middle"]), np.array(whole["precision"]))
    values = groups.values(rows)
    return {
        "inputs": [
            {"name": group.name, "columns": list(group.columns), **_histogram(values[:, index])}
            for index, group in enumerate(trained.groups)
        ],
        "whole": whole | _histogram(values[:, -1]),
    }


def _histogram(values: NDArray[np.floating[Any]]) -> dict[str, Any]:
    """Counts between deciles, as PSI wants them: the first and last bins are open."""
    return _counted(values, sorted({round(float(edge), 4) for edge in np.quantile(values, np.linspace(0.1, 0.9, 9))}))


def _counted(values: NDArray[np.floating[Any]], edges: list[float]) -> dict[str, Any]:
    """`counts[i]` is of values up to `edges[i]`; the last is of the rest."""
    bins = np.searchsorted(np.array(edges), values, side="left")
    return {"edges": edges, "counts": count_bins(bins[:, None], len(edges) + 1)[0].tolist()}


def _golden(rows: Rows, labels: Labels, probabilities: NDArray[np.float64], predicted: Labels) -> dict[str, Any]:
    """A few held-out rows of every label in turn, and what scikit-learn says of them."""
    # A row on the fence between two labels may fall the other way on another processor.
    best = np.sort(probabilities, axis=1)
    clear = best[:, -1] - best[:, -2] > 0.05
    by_label = [np.flatnonzero(clear & (labels == label)) for label in np.unique(labels)]
    turns = [found[turn] for turn in range(GOLDEN) for found in by_label if turn < len(found)]
    chosen = turns[:GOLDEN]
    return {
        "tolerance": TOLERANCE * 10,
        "inputs": rows[chosen].tolist(),
        "labels": predicted[chosen].tolist(),
        "probabilities": probabilities[chosen].round(8).tolist(),
    }


def _digest(*arrays: Rows | Labels) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
