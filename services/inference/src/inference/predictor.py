"""What both transports call: a request by the protocol's meaning in, a prediction out, counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.admission import Admission
from inference.errors import BadInput
from inference.metrics import Predictions
from inference.model import Model
from inference.repository import Repository
from inference.runner import Runner
from inference.tensors import Tensor, TensorSpec, to_array

MAX_ID = 1024


@dataclass(slots=True)
class InferRequest:
    """An inference as the protocol means it, whatever it came by."""

    inputs: Sequence[Tensor]
    outputs: Sequence[str] = ()
    """Names of the wanted outputs, in order; empty: all."""
    id: str = ""


@dataclass(slots=True)
class Prediction:
    """What the model said: each wanted output with its array."""

    model: Model
    outputs: list[tuple[TensorSpec, NDArray[Any]]]


class Predictor:
    """The one core of REST and gRPC."""

    def __init__(self, repository: Repository, predictions: Predictions, runner: Runner, admission: Admission) -> None:
        self.repository = repository
        self.admission = admission
        self._predictions = predictions
        self._runner = runner

    async def infer(self, name: str, version: str, request: InferRequest) -> Prediction:
        """Check, predict, count. Raises BadInput, UnknownModel, NotReady, Overloaded, TooSlow."""
        model = self.repository.get(name, version)
        if len(request.id) > MAX_ID:
            raise BadInput(f"The id may have up to {MAX_ID} characters.")
        wanted = _wanted(model, request.outputs)
        if len(request.inputs) != 1 or request.inputs[0].name != model.input.name:
            raise BadInput(f"The model takes one input: {model.input.name}.")
        rows = to_array(model.input, request.inputs[0])
        started = time.perf_counter()
        outputs = await self._runner.run(model, rows)
        self._predictions.observe(model, rows, outputs, time.perf_counter() - started)
        return Prediction(model, [(spec, outputs[spec.name]) for spec in wanted])

    async def label(self, name: str, row: Sequence[float]) -> int:
        """The label of one row by the name's default version. Raises as `infer` does."""
        tensor = Tensor(self.repository.get(name).input.name, "FP32", (1, len(row)), row)
        prediction = await self.infer(name, "", InferRequest([tensor], ["label"]))
        return int(np.asarray(prediction.outputs[0][1])[0])


def _wanted(model: Model, names: Sequence[str]) -> Sequence[TensorSpec]:
    if not names:
        return model.outputs
    known = {spec.name: spec for spec in model.outputs}
    if len(set(names)) != len(names) or not known.keys() >= set(names):
        raise BadInput(f"The model's outputs are {', '.join(known)}; each may be asked for once.")
    return [known[name] for name in names]
