"""One version of one model: loaded only from files that are what their manifest says, and that predict what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference import manifest
from inference.tensors import TensorSpec

Outputs = dict[str, NDArray[Any]]


class Refused(Exception):
    """The files match their manifest, but the model does not do what it promises. For the log."""


class Model:
    """A checked ONNX session. Its one input is FP32 [rows, width]; a call takes some ten microseconds a row."""

    def __init__(self, content: dict[str, Any], exported: bytes) -> None:
        self.name: str = content["name"]
        self.version: str = content["version"]
        self.platform: str = content["platform"]
        self.digest = f"sha256:{content['files'][manifest.MODEL]['sha256']}"
        self.summary: str = content["recipe"]["summary"]
        self.accuracy: float = content["metrics"]["accuracy"]
        self.confidence_edges: list[float] = content["reference"]["confidence"]["edges"]
        (given,) = content["inputs"]
        low, high = given["bounds"]
        self.input = TensorSpec(given["name"], given["datatype"], tuple(given["shape"]), (low, high))
        self.outputs = tuple(
            TensorSpec(output["name"], output["datatype"], tuple(output["shape"])) for output in content["outputs"]
        )
        self.classes = self.outputs[1].shape[1]
        self._names = [output.name for output in self.outputs]
        self._session = _session(exported)

    @classmethod
    def load(cls, folder: Path, name: str, version: str) -> Model:
        """Read, compare digests, only then parse, and prove the golden predictions. Raises Tampered or Refused."""
        home = folder / name / version
        content = manifest.read(home)
        if (content["name"], content["version"]) != (name, version):
            raise Refused(f"{home}: it is {content['name']} {content['version']}")
        model = cls(content, manifest.file_bytes(home, content, manifest.MODEL))
        model._prove(content["golden"])
        return model

    def predict(self, rows: NDArray[np.float32]) -> Outputs:
        """`label` INT64 [rows] and `probabilities` FP32 [rows, classes] for checked rows."""
        return dict(zip(self._names, self._session.run(self._names, {self.input.name: rows}), strict=True))

    def _prove(self, golden: dict[str, Any]) -> None:
        try:
            outputs = self.predict(np.array(golden["inputs"], np.float32))
        except Exception as error:  # whatever onnxruntime raises: its own classes are not public
            raise Refused(f"{self.name} {self.version}: it cannot take its golden inputs: {error}") from error
        for spec in self.outputs:
            array = outputs[spec.name]
            kind = np.float32 if spec.datatype == "FP32" else np.int64
            if array.dtype != kind or array.shape[1:] != spec.shape[1:]:
                raise Refused(f"{self.name} {self.version}: output {spec.name} is not what its manifest says")
        away = np.abs(outputs["probabilities"] - np.array(golden["probabilities"])).max()
        if not (np.array_equal(outputs["label"], golden["labels"]) and away <= golden["tolerance"]):
            raise Refused(f"{self.name} {self.version}: its golden predictions come out wrong")


def _session(exported: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # One row is too little to share among threads; replicas are what uses more cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Refused(f"onnxruntime does not take the model: {error}") from error
