"""The binary tensor extension over HTTP: the same answers as JSON gives, and every way to get it wrong is 400."""

from __future__ import annotations

import json

import numpy as np
import pytest

DIGIT = [0, 0, 5, 13, 9, 1, 0, 0] * 8
BYTES = np.array(DIGIT, "<f4").tobytes()
PATH = "/v2/models/digits/versions/v2/infer"
HEADER = "inference-header-content-length"


def parts(request, data, length=None):
    head = json.dumps(request).encode()
    return {"content": head + data, "headers": {HEADER: str(len(head)) if length is None else length}}


def tensor(datatype="FP32", size=256, rows=1, **more):
    return {
        "name": "pixels",
        "datatype": datatype,
        "shape": [rows, 64],
        "parameters": {"binary_data_size": size},
        **more,
    }


def read(response):
    """Outputs of an answer by name, whatever form they came in."""
    length = response.headers.get(HEADER)
    head = json.loads(response.content[: int(length)] if length else response.content)
    at, outputs = int(length or 0), {}
    for output in head["outputs"]:
        dtype = {"FP32": "<f4", "INT64": "<i8"}[output["datatype"]]
        if "data" in output:
            outputs[output["name"]] = np.array(output["data"], dtype)
        else:
            size = output["parameters"]["binary_data_size"]
            outputs[output["name"]] = np.frombuffer(response.content[at : at + size], dtype)
            at += size
    assert at == (len(response.content) if length else 0)
    return outputs


@pytest.fixture(scope="module")
def plain(process):
    body = {"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": DIGIT}]}
    return read(process.http("POST", PATH, json=body))


@pytest.mark.parametrize(
    ("more", "binary"),
    [
        ({}, []),
        ({"parameters": {"binary_data_output": True}}, ["label", "probabilities"]),
        (
            {"outputs": [{"name": "label"}, {"name": "probabilities", "parameters": {"binary_data": True}}]},
            ["probabilities"],
        ),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{"name": "label", "parameters": {"binary_data": False}}, {"name": "probabilities"}],
            },
            ["probabilities"],
        ),
    ],
)
def test_outputs_come_as_they_are_asked_for(process, plain, more, binary):
    """As numbers, as bytes, or each its own way; what they hold is the same."""
    response = process.http("POST", PATH, **parts({"inputs": [tensor()], **more}, BYTES))
    assert response.status_code == 200
    assert response.headers["content-type"] == ("application/octet-stream" if binary else "application/json")
    outputs = read(response)
    assert outputs.keys() == plain.keys()
    assert all((outputs[name] == plain[name]).all() for name in plain)
    head = json.loads(response.content[: int(response.headers.get(HEADER, len(response.content)))])
    assert [each["name"] for each in head["outputs"] if "data" not in each] == binary
    assert head["parameters"].keys() == {"digest"}


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
@pytest.mark.parametrize("padding", range(3))
def test_every_datatype_from_any_place(process, plain, dtype, padding):
    """Each number type, wherever in the body its bytes begin."""
    names = {"f": "FP", "i": "INT", "u": "UINT"}
    data = np.array(DIGIT, f"<{dtype}").tobytes()
    request = {"id": "x" * padding, "inputs": [tensor(names[dtype[0]] + str(int(dtype[1]) * 8), len(data))]}
    response = process.http("POST", PATH, **parts(request, data))
    assert (read(response)["probabilities"] == plain["probabilities"]).all()


def test_truth_values(process):
    """BOOL is 0 and 1, the same as bytes and as JSON."""
    truth = [value > 4 for value in DIGIT]
    as_json = {"inputs": [{"name": "pixels", "datatype": "BOOL", "shape": [1, 64], "data": truth}]}
    as_bytes = parts({"inputs": [tensor("BOOL", 64)]}, bytes(truth))
    answers = process.http_all([("POST", PATH, {"json": as_json}), ("POST", PATH, as_bytes)])
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (read(answers[0])["probabilities"] == read(answers[1])["probabilities"]).all()


def test_the_largest_batch(process):
    """1024 rows."""
    data = np.array(DIGIT * 1024, "<f4").tobytes()
    request = {"inputs": [tensor(size=len(data), rows=1024)], "parameters": {"binary_data_output": True}}
    assert read(process.http("POST", PATH, **parts(request, data)))["label"].shape == (1024,)


BAD = {
    "length not a number": parts({"inputs": [tensor()]}, BYTES, "x"),
    "length negative": parts({"inputs": [tensor()]}, BYTES, "-1"),
    "length zero": parts({"inputs": [tensor()]}, BYTES, "0"),
    "length past the body": parts({"inputs": [tensor()]}, BYTES, "99999"),
    "length of 5000 digits": parts({"inputs": [tensor()]}, BYTES, "9" * 5000),
    "length within the JSON": parts({"inputs": [tensor()]}, BYTES, "20"),
    "length within the bytes": parts({"inputs": [tensor()]}, BYTES, str(len(json.dumps({"inputs": [tensor()]})) + 3)),
    "too few bytes": parts({"inputs": [tensor()]}, BYTES[:-1]),
    "too many bytes": parts({"inputs": [tensor()]}, BYTES + b"\0"),
    "no bytes": parts({"inputs": [tensor()]}, b""),
    "a size below the shape's": parts({"inputs": [tensor(size=252)]}, BYTES[:-4]),
    "a size negative": parts({"inputs": [tensor(size=-1)]}, b""),
    "a size huge": parts({"inputs": [tensor(size=2**63)]}, BYTES),
    "a size true": parts({"inputs": [tensor(size=True)]}, BYTES[:1]),
    "a size of text": parts({"inputs": [tensor(size="256")]}, BYTES),
    "data and bytes": parts({"inputs": [tensor(data=DIGIT)]}, BYTES),
    "neither": parts({"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64]}]}, b""),
    "NaN": parts({"inputs": [tensor()]}, np.full(64, np.nan, "<f4").tobytes()),
    "a truth value of 2": parts({"inputs": [tensor("BOOL", 64)]}, b"\2" * 64),
    "text": parts({"inputs": [tensor("BYTES", 320)]}, b"\1\0\0\x008" * 64),
    "halves": parts({"inputs": [tensor("FP16", 128)]}, np.array(DIGIT, "<f2").tobytes()),
    "binary_data_output text": parts({"inputs": [tensor()], "parameters": {"binary_data_output": "yes"}}, BYTES),
    "binary_data a number": parts(
        {"inputs": [tensor()], "outputs": [{"name": "label", "parameters": {"binary_data": 1}}]}, BYTES
    ),
    "classification": parts(
        {"inputs": [tensor()], "outputs": [{"name": "label", "parameters": {"classification": 3}}]}, BYTES
    ),
    "shared memory": parts({"inputs": [tensor() | {"parameters": {"shared_memory_region": "x"}}]}, b""),
}


@pytest.mark.parametrize("call", BAD.values(), ids=BAD.keys())
def test_bad_bodies_are_400(process, call):
    """Each is 400 problem+json with the protocol's `error`."""
    response = process.http("POST", PATH, **call)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error"] == response.json()["detail"]
