"""What only starting needed is given back."""

from __future__ import annotations

from inference import memory


def test_a_process_goes_on_as_before(process):
    """The same answer before and after."""
    body = {"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": [8] * 64}]}
    before = process.http("POST", "/v2/models/digits/infer", json=body)
    memory.give_back()
    assert process.http("POST", "/v2/models/digits/infer", json=body).json() == before.json()
