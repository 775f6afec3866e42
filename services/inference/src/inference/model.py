"""One version of one model: loaded only from files that are what their manifest says, and that predict what it says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference import card, manifest
from inference.drift import Reference
from inference.tensors import TensorSpec
from inference.trust import TrustedKeys

Outputs = dict[str, NDArray[Any]]

_TIMED_RUNS = 3


class Refused(Exception):
    """The files match their manifest, but the model does not do what it promises. For the log."""


class Stop:
    """Tells a running call to end; it does between two nodes of the model's graph."""

    __slots__ = ("is_set", "options")

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()
        self.is_set = False
        """Whether the call was told."""

    def set(self) -> None:
        """Tell it; from any thread."""
        self.is_set = True
        self.options.terminate = True


class Model:
    """A checked ONNX session. Its one input is FP32 [rows, width]; a call takes some ten microseconds a row."""

    def __init__(self, content: dict[str, Any], exported: bytes) -> None:
        self.name: str = content["name"]
        self.version: str = content["version"]
        self.platform: str = content["platform"]
        self.digest = f"sha256:{content['files'][manifest.MODEL]['sha256']}"
        self.summary: str = content["recipe"]["summary"]
        self.accuracy: float = content["metrics"]["accuracy"]
        self.card = card.of(content)
        self.reference = Reference(content["reference"])
        (given,) = content["inputs"]
        low, high = given["bounds"]
        self.input = TensorSpec(given["name"], given["datatype"], tuple(given["shape"]), (low, high))
        self.outputs = tuple(
            TensorSpec(output["name"], output["datatype"], tuple(output["shape"])) for output in content["outputs"]
        )
        self.classes = self.outputs[1].shape[1]
        self.seconds_a_row = 0.0
        """What a row was measured to take at the most, when the golden predictions were proven."""
        self.stop = Stop()
        self._names = [output.name for output in self.outputs]
        # The session's own `run` first looks at what is checked here already, or is about other hardware: 3 µs a call.
        self._run = _session(exported)._sess.run

    @classmethod
    def load(cls, folder: Path, name: str, version: str, keys: TrustedKeys | None = None) -> Model:
        """Read, compare digests, only then parse, and prove the golden predictions. Raises Tampered or Refused."""
        home = folder / name / version
        content = manifest.read(home, keys)
        if (content.get("name"), content.get("version")) != (name, version):
            raise Refused(f"{home}: it is {content.get('name')} {content.get('version')}")
        try:
            model = cls(content, manifest.file_bytes(home, content, manifest.MODEL))
            model._prove(content["golden"])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Refused(f"{home}: its manifest does not say what it must: {error!r}") from error
        return model

    def predict(self, rows: NDArray[np.float32], stop: Stop | None = None) -> Outputs:
        """`label` INT64 [rows] and `probabilities` FP32 [rows, classes] for checked rows; an error when stopped."""
        outputs = self._run(self._names, {self.input.name: rows}, stop.options if stop else None)
        return dict(zip(self._names, outputs, strict=True))

    def _prove(self, golden: dict[str, Any]) -> None:
        inputs = np.array(golden["inputs"], np.float32)
        took = []
        try:
            for _ in range(_TIMED_RUNS):
                started = time.perf_counter()
                outputs = self.predict(inputs)
                took.append(time.perf_counter() - started)
        except Exception as error:  # whatever onnxruntime raises: its own classes are not public
            raise Refused(f"{self.name} {self.version}: it cannot take its golden inputs: {error}") from error
        self.seconds_a_row = min(took) / len(inputs)
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
    # An arena keeps what the largest batch once needed; without it a call is as fast.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Refused(f"onnxruntime does not take the model: {error}") from error
