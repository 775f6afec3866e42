"""The Open Inference Protocol V2 as JSON: an infer call's body to its meaning, a prediction to the answer's body.

Decoded by orjson and a handful of type checks; a schema library costs more than the model. What orjson refuses (NaN,
1e400, lone surrogates, nesting past its limit) is not JSON. Members that the protocol does not name are passed over.
"""

from __future__ import annotations

from typing import Any

import orjson

from inference.errors import BadInput
from inference.predictor import InferRequest, Prediction
from inference.tensors import Tensor

MAX_PARAMETERS = 32

Parameters = dict[str, str | int | float | bool]

_SCALARS = frozenset({str, int, float, bool})


def decode(body: bytes) -> tuple[InferRequest, Parameters]:
    """The request and its own parameters. Raises BadInput."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("The body is not JSON.") from None
    if type(request) is not dict:
        raise BadInput("The body must be an object.")
    identity = request.get("id", "")
    if type(identity) is not str:
        raise BadInput("id must be a string.")
    inputs = [_input(item) for item in _objects(request, "inputs", required=True)]
    outputs = [_text(item, "outputs", "name") for item in _objects(request, "outputs", required=False)]
    return InferRequest(inputs, outputs, identity), _parameters(request)


def encode(prediction: Prediction, identity: str, parameters: Parameters) -> bytes:
    """The answer's body; data are flat, in row-major order."""
    model = prediction.model
    answer: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if identity:
        answer["id"] = identity
    answer["parameters"] = {**parameters, "digest": model.digest}
    answer["outputs"] = [
        {"name": spec.name, "datatype": spec.datatype, "shape": list(array.shape), "data": array.ravel()}
        for spec, array in prediction.outputs
    ]
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _input(item: dict[str, Any]) -> Tensor:
    shape, data = item.get("shape"), item.get("data")
    if type(shape) is not list or not all(type(size) is int for size in shape):
        raise BadInput("Each input's shape must be a list of integers.")
    if type(data) is not list:
        raise BadInput("Each input's data must be a list: the binary tensor extension is not served.")
    if "parameters" in item:
        _parameters(item)
    return Tensor(_text(item, "inputs", "name"), _text(item, "inputs", "datatype"), shape, data)


def _objects(request: dict[str, Any], member: str, *, required: bool) -> list[dict[str, Any]]:
    found = request.get(member)
    if found is None and not required:
        return []
    if type(found) is not list or not all(type(item) is dict for item in found):
        raise BadInput(f"{member} must be a list of objects.")
    return found


def _text(item: dict[str, Any], member: str, key: str) -> str:
    value = item.get(key)
    if type(value) is not str:
        raise BadInput(f"{member}: each must have a {key}, a string.")
    return value


def _parameters(holder: dict[str, Any]) -> Parameters:
    found = holder.get("parameters")
    if found is None:
        return {}
    if type(found) is not dict or len(found) > MAX_PARAMETERS or not _SCALARS.issuperset(map(type, found.values())):
        raise BadInput(f"parameters must be an object of up to {MAX_PARAMETERS} strings, numbers or booleans.")
    return found
