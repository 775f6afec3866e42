"""The Open Inference Protocol V2 over HTTP: an infer call's body to its meaning, a prediction to the answer's body.

A body is JSON, or, by the binary tensor extension, JSON followed by the bytes of the tensors that have no `data` in it.
Decoded by orjson and a handful of type checks; a schema library costs more than the model. What orjson refuses (NaN,
1e400, lone surrogates, nesting past its limit) is not JSON. Members that the protocol does not name are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from inference.errors import BadInput
from inference.predictor import InferRequest, Prediction
from inference.tensors import Tensor

MAX_PARAMETERS = 32

ELSEWHERE = frozenset({"classification", "shared_memory_region"})
"""Parameters of a tensor by which other servers change what it means; passing them over would answer something else."""

Parameters = dict[str, str | int | float | bool]

_SCALARS = frozenset({str, int, float, bool})
_INT, _OBJECT = frozenset({int}), frozenset({dict})


@dataclass(slots=True)
class Asked:
    """An infer call as it came: what is asked, and how the answer should look."""

    request: InferRequest
    parameters: Parameters
    """The request's own, to be sent back."""
    binary: bool = False
    """Whether outputs come as bytes after the JSON, unless `binary_by_name` says otherwise."""
    binary_by_name: dict[str, bool] = field(default_factory=dict)


def decode(body: bytes, header_length: int | None = None) -> Asked:
    """Read a body; `header_length` is the extension's Inference-Header-Content-Length. Raises BadInput."""
    tail = memoryview(body)[len(body) :]
    if header_length is not None:
        if not 0 < header_length <= len(body):
            raise BadInput("Inference-Header-Content-Length must be the length of the JSON that the body begins with.")
        tail = memoryview(body)[header_length:]
        body = body[:header_length]
    request = _object(body)
    identity = request.get("id", "")
    if type(identity) is not str:
        raise BadInput("id must be a string.")
    inputs = []
    booleans = _may_hold_booleans(body)
    for item in _objects(request, "inputs", required=True):
        tensor, tail = _input(item, tail, booleans)
        inputs.append(tensor)
    if tail:
        raise BadInput("After the JSON there must be as many bytes as the inputs' binary_data_size say together.")
    asked = Asked(InferRequest(inputs, (), identity), _parameters(request))
    if asked.parameters:
        asked.binary = _flag(asked.parameters.pop("binary_data_output", False), "binary_data_output")
    if "outputs" in request:
        asked.request.outputs = [_output(item, asked) for item in _objects(request, "outputs", required=False)]
    return asked


def encode(prediction: Prediction, asked: Asked) -> tuple[bytes, int | None]:
    """The answer's body, and the length of its JSON when bytes follow; data are flat, in row-major order."""
    model = prediction.model
    answer: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if asked.request.id:
        answer["id"] = asked.request.id
    answer["parameters"] = {**asked.parameters, "digest": model.digest}
    outputs: list[dict[str, Any]] = []
    answer["outputs"] = outputs
    tail: list[bytes] = []
    for spec, array in prediction.outputs:
        output: dict[str, Any] = {"name": spec.name, "datatype": spec.datatype, "shape": array.shape}
        if asked.binary_by_name.get(spec.name, asked.binary):
            tail.append(array.tobytes())
            output["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            output["data"] = array.ravel()
        outputs.append(output)
    head = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join([head, *tail]), len(head)) if tail else (head, None)


def only_ready(body: bytes) -> bool:
    """Whether the repository's index is asked for ready models alone; an empty body asks for all. Raises BadInput."""
    if not body.strip():
        return False
    request = _object(body)
    return _flag(request.get("ready", False), "ready")


def _may_hold_booleans(body: bytes) -> bool:
    """Whether true or false stand in the JSON. A large body is mostly numbers, where the lack of one letter tells."""
    data = body.find(b'"data"')
    if data >= 0 and b"\\" not in body and body.find(b"e", data) < 0:
        return False
    return b"true" in body or b"false" in body


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("The body is not JSON.") from None
    if type(found) is not dict:
        raise BadInput("The body must be an object.")
    return found


def _input(item: dict[str, Any], tail: memoryview, booleans: bool) -> tuple[Tensor, memoryview]:
    """One input, and what is left of the bytes after the JSON."""
    shape, data = item.get("shape"), item.get("data")
    if type(shape) is not list or not _INT.issuperset(map(type, shape)):
        raise BadInput("Each input's shape must be a list of integers.")
    size = _parameters(item).get("binary_data_size") if "parameters" in item else None
    if size is not None:
        if data is not None or type(size) is not int or not 0 <= size <= len(tail):
            raise BadInput("binary_data_size must be how many of the bytes after the JSON are this input's data.")
        data, tail = tail[:size], tail[size:]
    elif type(data) is not list:
        raise BadInput("Each input's data must be a list, or bytes after the JSON: the binary tensor extension.")
    name, datatype = _text(item, "inputs", "name"), _text(item, "inputs", "datatype")
    return Tensor(name, datatype, shape, data, booleans=booleans), tail


def _output(item: dict[str, Any], asked: Asked) -> str:
    name = _text(item, "outputs", "name")
    if "parameters" in item:
        parameters = _parameters(item)
        if "binary_data" in parameters:
            asked.binary_by_name[name] = _flag(parameters["binary_data"], "binary_data")
    return name


def _flag(value: object, name: str) -> bool:
    if type(value) is not bool:
        raise BadInput(f"{name} must be true or false.")
    return value


def _objects(request: dict[str, Any], member: str, *, required: bool) -> list[dict[str, Any]]:
    found = request.get(member)
    if found is None and not required:
        return []
    if type(found) is not list or not _OBJECT.issuperset(map(type, found)):
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
    if not ELSEWHERE.isdisjoint(found):
        raise BadInput(f"Not served here: {', '.join(sorted(ELSEWHERE))}.")
    return found
