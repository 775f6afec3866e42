"""From scikit-learn to ONNX, and the proof that both say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import skl2onnx
from numpy.typing import NDArray
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType

from inference.training.trained import Trained

# What onnxruntime has long served; a newer default must not change the bytes.
_OPSET = {"": 18, "ai.onnx.ml": 3}
TOLERANCE = 1e-5
"""How far a probability in FP32 may be from scikit-learn's own."""


class Disagreement(Exception):
    """The exported model does not say what scikit-learn says."""


def to_onnx(name: str, trained: Trained) -> bytes:
    """Convert, with outputs `label` (INT64 [n]) and `probabilities` (FP32 [n, classes]). Raises Disagreement."""
    rows = trained.held_out[0]
    classes = len(trained.estimator.classes_)
    model: Any = skl2onnx.convert_sklearn(
        trained.estimator,
        name=name,
        initial_types=[(trained.input_name, FloatTensorType([None, rows.shape[1]]))],
        final_types=[
            ("label", Int64TensorType([None])),
            ("probabilities", FloatTensorType([None, classes])),
        ],
        options={"zipmap": False},
        target_opset=_OPSET,
    )
    # skl2onnx has the imports in a set, whose order is another in each process.
    imports = sorted(model.opset_import, key=lambda each: str(each.domain))
    del model.opset_import[:]
    model.opset_import.extend(imports)
    exported: bytes = model.SerializeToString(deterministic=True)
    _prove(exported, trained)
    return exported


def run(exported: bytes, rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels [n] and probabilities [n, classes] by ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    label, probabilities = session.run(["label", "probabilities"], {session.get_inputs()[0].name: rows})
    return label, probabilities


def _prove(exported: bytes, trained: Trained) -> None:
    rows = trained.held_out[0]
    expected = trained.estimator.predict_proba(rows)
    label, probabilities = run(exported, rows)
    furthest = float(np.abs(probabilities - expected).max())
    if furthest > TOLERANCE:
        raise Disagreement(f"a probability differs by {furthest:.2g}")
    # Two classes within the tolerance of each other are a tie; only elsewhere must the label be the same.
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > 2 * TOLERANCE
    if not np.array_equal(label[clear], trained.estimator.predict(rows)[clear]):
        raise Disagreement("a label differs")
