"""From a caller's numbers to the one array a model takes, whatever they came in: JSON, typed contents, raw bytes.

Datatype, shape and count are checked before anything is allocated by them, and every value against the model's bounds,
which no NaN or infinity is within.
"""

from __future__ import annotations

import math
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
    low, high = spec.bounds
    if not (low <= values.min() and values.max() <= high):
        raise BadInput(f"Input {spec.name} must hold numbers from {low:g} to {high:g}.")
    array: NDArray[np.float32] = values.astype(np.float32, copy=False)
    if tensor.datatype != "FP32" and not np.array_equal(array, values):
        raise BadInput(f"Input {spec.name} holds numbers that FP32 cannot hold exactly: round them and send FP32.")
    return array.reshape(shape)


def _values(spec: TensorSpec, tensor: Tensor, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    data = tensor.data
    if isinstance(data, _RAW):
        if len(data) != count * dtype.itemsize:
            raise BadInput(f"Input {spec.name} does not hold as many bytes as its shape and datatype say.")
        values = np.frombuffer(data, dtype)
        # A BOOL is a byte of 0 or 1; numpy would take any other for true.
        if dtype.kind == "b" and values.view(np.uint8).max() > 1:
            raise BadInput(f"Input {spec.name} must hold only numbers of its datatype.")
        return values if values.flags.aligned else values.copy()  # after JSON, bytes may start anywhere
    if not tensor.checked:
        data = _flat(spec, data, tensor.shape)
        if not set(map(type, data)) <= _KINDS.get(tensor.datatype, {int}):
            raise BadInput(f"Input {spec.name} must hold only numbers of its datatype.")
    if len(data) != count:
        raise BadInput(f"Input {spec.name} does not hold as many numbers as its shape says.")
    # FP32 from decimal text goes by FP64, so that what is too large for FP32 meets the bounds first. Typed contents
    # have one field for several integers: numpy would cut off what is too large for the narrow ones.
    narrow = dtype.kind in "iu" and dtype.itemsize < 4
    wide = np.dtype("<f8") if tensor.datatype in _FLOATS and not tensor.checked else _INT64 if narrow else dtype
    try:
        values = np.array(data, wide)
    except OverflowError:
        raise BadInput(f"Input {spec.name} must hold only numbers of its datatype.") from None
    if narrow and not (np.iinfo(dtype).min <= values.min() and values.max() <= np.iinfo(dtype).max):
        raise BadInput(f"Input {spec.name} must hold only numbers of its datatype.")
    return values


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
