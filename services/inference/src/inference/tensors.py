"""From a caller's numbers to the one array a model takes, whatever they came in: JSON, typed contents, raw bytes.

Datatype, shape and count are checked before anything is allocated by them, and every value against the model's bounds,
which no NaN or infinity is within.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInput

MAX_ROWS = 1024
"""The largest batch of one call."""

DATATYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "BOOL": np.dtype("?"),
}
"""What an input may be sent as. All but FP32 must convert to FP32 without loss. Text (BYTES) is no number, and halves
of FP32 (FP16, BF16) have no form in JSON or in typed contents: the models take neither."""

_FLOATS = frozenset({"FP32", "FP64"})
_INT64 = np.dtype("<i8")
_FEW = 128
_RAW = (bytes, memoryview)
_KINDS: dict[str, set[type]] = {"FP32": {int, float}, "FP64": {int, float}, "BOOL": {bool}}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model; `shape[0]` is -1: any number of rows."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def as_dict(self) -> dict[str, Any]:
        """The protocol's metadata_tensor."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(slots=True)
class Tensor:
    """An input as it came.

    `data`: raw bytes (little-endian, row-major), numbers, or (from JSON, unchecked) lists nested as the shape says.
    """

    name: str
    datatype: str
    shape: Sequence[int]
    data: bytes | memoryview | Sequence[Any]
    checked: bool = False
    """Whether `data` holds numbers of the datatype by its making (typed contents), not only by its claim."""
    booleans: bool = True
    """Whether `data` may hold true or false among its numbers: no conversion would tell them from 1 and 0."""


def to_array(spec: TensorSpec, tensor: Tensor) -> NDArray[np.float32]:
    """The model's input [rows, …] of FP32. Raises BadInput."""
    dtype = DATATYPES.get(tensor.datatype)
    if dtype is None:
        raise BadInput(f"Input {spec.name} may be sent as {', '.join(DATATYPES)}; it is {spec.datatype}.")
    shape = tensor.shape
    if len(shape) != len(spec.shape) or not 1 <= shape[0] <= MAX_ROWS or tuple(shape[1:]) != spec.shape[1:]:
        wanted = ", ".join(["rows", *map(str, spec.shape[1:])])
        raise BadInput(f"Input {spec.name} must have the shape [{wanted}], with 1 to {MAX_ROWS} rows.")
    values = _values(spec, tensor, dtype, math.prod(shape))
    if not (_few_within(spec, tensor.data) or _within(spec, values)):
        raise _out_of_bounds(spec)
    array: NDArray[np.float32] = values.astype(np.float32, copy=False)
    if tensor.datatype != "FP32" and not np.array_equal(array, values):
        raise BadInput(f"Input {spec.name} holds numbers that FP32 cannot hold exactly: round them and send FP32.")
    return array.reshape(shape)


def _within(spec: TensorSpec, values: NDArray[Any]) -> bool:
    low, high = spec.bounds
    return bool(low <= np.minimum.reduce(values) and np.maximum.reduce(values) <= high)


def _few_within(spec: TensorSpec, data: bytes | memoryview | Sequence[Any]) -> bool:
    """Whether this is a short flat list whose numbers are within the bounds even before they are rounded to FP32.

    Of a row or two, Python finds the least and the greatest sooner than numpy.
    """
    if type(data) is not list or len(data) > _FEW or type(data[0]) is list:
        return False
    low, high = spec.bounds
    return bool(low <= min(data) and max(data) <= high)


def _values(spec: TensorSpec, tensor: Tensor, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    data = tensor.data
    if isinstance(data, _RAW):
        return _from_bytes(spec, dtype, data, count)
    floats = tensor.datatype in _FLOATS
    if not tensor.checked:
        data = _flat(spec, data, tensor.shape)
        if (tensor.booleans or not floats) and not set(map(type, data)) <= _KINDS.get(tensor.datatype, {int}):
            raise _no_numbers(spec)
    if len(data) != count:
        raise BadInput(f"Input {spec.name} does not hold as many numbers as its shape says.")
    return _from_text(spec, dtype, data) if floats and not tensor.checked else _from_numbers(spec, dtype, data)


def _from_bytes(spec: TensorSpec, dtype: np.dtype[Any], data: bytes | memoryview, count: int) -> NDArray[Any]:
    if len(data) != count * dtype.itemsize:
        raise BadInput(f"Input {spec.name} does not hold as many bytes as its shape and datatype say.")
    values = np.frombuffer(data, dtype)
    # A BOOL is a byte of 0 or 1; numpy would take any other for true.
    if dtype.kind == "b" and values.view(np.uint8).max() > 1:
        raise _no_numbers(spec)
    return values if values.flags.aligned else values.copy()  # after JSON, bytes may start anywhere


def _from_text(spec: TensorSpec, dtype: np.dtype[Any], data: Sequence[Any]) -> NDArray[Any]:
    """FP32 or FP64 from what JSON held. `struct` takes numbers alone, and is the fastest way from a list to bytes."""
    try:
        return np.frombuffer(struct.pack(f"<{len(data)}{dtype.char}", *data), dtype)
    except struct.error:
        raise _no_numbers(spec) from None
    except OverflowError:  # more than FP32 can hold
        raise _out_of_bounds(spec) from None


def _from_numbers(spec: TensorSpec, dtype: np.dtype[Any], data: Sequence[Any]) -> NDArray[Any]:
    # Typed contents have one field for several integers: numpy would cut off what is too large for the narrow ones.
    narrow = dtype.kind in "iu" and dtype.itemsize < 4
    try:
        values = np.array(data, _INT64 if narrow else dtype)
    except OverflowError:
        raise _no_numbers(spec) from None
    if narrow and not (np.iinfo(dtype).min <= values.min() and values.max() <= np.iinfo(dtype).max):
        raise _no_numbers(spec)
    return values


def _no_numbers(spec: TensorSpec) -> BadInput:
    return BadInput(f"Input {spec.name} must hold only numbers of its datatype.")


def _out_of_bounds(spec: TensorSpec) -> BadInput:
    low, high = spec.bounds
    return BadInput(f"Input {spec.name} must hold numbers from {low:g} to {high:g}.")


def _flat(spec: TensorSpec, data: Sequence[Any], shape: Sequence[int]) -> Sequence[Any]:
    """Undo nesting, which must be all or nothing and exactly as the shape says."""
    if not data or type(data[0]) is not list:
        return data
    for level, size in enumerate(shape[:-1]):
        inner = shape[level + 1]
        fits = (level or len(data) == size) and all(type(row) is list and len(row) == inner for row in data)
        if not fits:
            raise BadInput(f"Input {spec.name} must be flat, or nested exactly as its shape says.")
        data = [value for row in data for value in row]
    return data
