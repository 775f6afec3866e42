"""REST and gRPC are one core: the same requests get the same answers, and the same refusals."""

from __future__ import annotations

import grpc
import numpy as np
import pytest

from contracts import open_inference_pb2 as wire

FIELD = {"FP32": "fp32_contents", "FP64": "fp64_contents", "INT32": "int_contents", "INT64": "int64_contents"}
DTYPE = {"FP32": "<f4", "FP64": "<f8", "INT32": "<i4", "INT64": "<i8"}
DIGIT = [0, 0, 5, 13, 9, 1, 0, 0] * 8


def as_json(name, datatype, shape, data, outputs=(), identity=""):
    body = {"inputs": [{"name": name, "datatype": datatype, "shape": shape, "data": data}]}
    if outputs:
        body["outputs"] = [{"name": output} for output in outputs]
    return body | ({"id": identity} if identity else {})


def as_message(model, version, name, datatype, shape, data, outputs=(), identity="", *, raw=False):
    request = wire.ModelInferRequest(model_name=model, model_version=version, id=identity)
    given = request.inputs.add(name=name, datatype=datatype, shape=shape)
    for output in outputs:
        request.outputs.add(name=output)
    if raw:
        request.raw_input_contents.append(np.array(data).astype(DTYPE.get(datatype, "<f4")).tobytes())
    else:
        getattr(given.contents, FIELD.get(datatype, "fp32_contents")).extend(data)
    return request


def path(model, version):
    return f"/v2/models/{model}/versions/{version}/infer" if version else f"/v2/models/{model}/infer"


GOOD = {
    "one row": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT),
    "default version": ("digits", "", "pixels", "FP32", [1, 64], DIGIT),
    "batch": ("digits", "v1", "pixels", "FP32", [3, 64], DIGIT * 3),
    "largest batch": ("digits", "v3", "pixels", "FP32", [1024, 64], DIGIT * 1024),
    "FP64": ("digits", "v2", "pixels", "FP64", [1, 64], [each + 0.5 for each in DIGIT]),
    "INT32": ("digits", "v2", "pixels", "INT32", [1, 64], DIGIT),
    "INT64": ("digits", "v2", "pixels", "INT64", [2, 64], DIGIT * 2),
    "fraud": ("fraud", "v1", "features", "FP32", [2, 3], [0.05, 0, 0, 0.05, 1, 3]),
    "one output": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, ["label"]),
    "outputs in another order": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, ["probabilities", "label"]),
    "an id": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, [], "call-7 é"),
}

BAD = {
    "another width": ("digits", "v2", "pixels", "FP32", [1, 63], DIGIT[:63]),
    "one dimension": ("digits", "v2", "pixels", "FP32", [64], DIGIT),
    "three dimensions": ("digits", "v2", "pixels", "FP32", [1, 8, 8], DIGIT),
    "no dimension": ("digits", "v2", "pixels", "FP32", [], DIGIT),
    "no row": ("digits", "v2", "pixels", "FP32", [0, 64], []),
    "negative rows": ("digits", "v2", "pixels", "FP32", [-1, 64], DIGIT),
    "too many rows": ("digits", "v2", "pixels", "FP32", [1025, 64], DIGIT),
    "rows beyond all memory": ("digits", "v2", "pixels", "FP32", [2**62, 64], DIGIT),
    "too few numbers": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT[:63]),
    "too many numbers": ("digits", "v2", "pixels", "FP32", [1, 64], [*DIGIT, 0]),
    "no number": ("digits", "v2", "pixels", "FP32", [1, 64], []),
    "below the bounds": ("digits", "v2", "pixels", "FP32", [1, 64], [*DIGIT[:63], -1]),
    "above the bounds": ("digits", "v2", "pixels", "FP32", [1, 64], [*DIGIT[:63], 17]),
    "far above the bounds": ("digits", "v2", "pixels", "FP64", [1, 64], [*DIGIT[:63], 1e300]),
    "large integer": ("digits", "v2", "pixels", "INT64", [1, 64], [*DIGIT[:63], 2**63 - 1]),
    "more digits than FP32 has": ("digits", "v2", "pixels", "FP64", [1, 64], [*DIGIT[:63], 0.1]),
    "odd integer past FP32": ("fraud", "v1", "features", "FP64", [1, 3], [0.1, 0, 0]),
    "another datatype": ("digits", "v2", "pixels", "FP16", [1, 64], DIGIT),
    "no datatype": ("digits", "v2", "pixels", "", [1, 64], DIGIT),
    "another input": ("digits", "v2", "features", "FP32", [1, 64], DIGIT),
    "unknown output": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, ["logits"]),
    "an output twice": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, ["label", "label"]),
    "a long id": ("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, [], "x" * 1025),
}


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD.keys())
def test_same_answers(process, case):
    """JSON, typed contents and raw contents give the same names, shapes, datatypes, numbers, id and digest."""
    model, version, *tensor = case
    rest = process.http("POST", path(model, version), json=as_json(*tensor))
    assert rest.status_code == 200
    answer = rest.json()
    typed, raw = process.grpc_all(("ModelInfer", as_message(*case, raw=raw)) for raw in (False, True))
    assert not typed.raw_output_contents
    for message in (typed, raw):
        assert (message.model_name, message.model_version) == (answer["model_name"], answer["model_version"])
        assert message.id == answer.get("id", "")
        assert message.parameters["digest"].string_param == answer["parameters"]["digest"]
        assert len(message.outputs) == len(answer["outputs"])
        for index, (output, expected) in enumerate(zip(message.outputs, answer["outputs"], strict=True)):
            assert output.name == expected["name"]
            assert list(output.shape) == expected["shape"]
            assert output.datatype == expected["datatype"]
            numbers = np.array(expected["data"], DTYPE[output.datatype])
            if message is raw:
                assert message.raw_output_contents[index] == numbers.tobytes()
                assert not output.HasField("contents")
            else:
                assert list(getattr(output.contents, FIELD[output.datatype])) == numbers.tolist()


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_same_refusals(process, case):
    """Each is 400 and INVALID_ARGUMENT, by problem+json with the protocol's `error`, in the same words."""
    model, version, *tensor = case
    rest = process.http("POST", path(model, version), json=as_json(*tensor))
    assert rest.status_code == 400
    assert rest.headers["content-type"] == "application/problem+json"
    assert rest.json()["error"] == rest.json()["detail"]
    assert rest.json()["type"] == "/problems/invalid-request"
    for raw in (False, True):
        error = process.grpc("ModelInfer", as_message(*case, raw=raw))
        assert isinstance(error, grpc.aio.AioRpcError)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert ("x-inkmesh-problem", "invalid-request") in list(error.trailing_metadata())
        if not raw:  # raw contents count bytes where JSON counts numbers
            assert error.details() == rest.json()["error"]


@pytest.mark.parametrize("wanted", [("none", ""), ("digits", "v9"), ("digits", "v"), ("", ""), ("dígits", "v1")])
def test_unknown_models(process, wanted):
    """A model or version that is not served is 404 and NOT_FOUND, for every call that names one."""
    model, version = wanted
    messages = [
        ("ModelInfer", as_message(model, version, "pixels", "FP32", [1, 64], DIGIT)),
        ("ModelReady", wire.ModelReadyRequest(name=model, version=version)),
        ("ModelMetadata", wire.ModelMetadataRequest(name=model, version=version)),
    ]
    assert {error.code() for error in process.grpc_all(messages)} == {grpc.StatusCode.NOT_FOUND}
    infer = path(model, version)
    calls = [("POST", infer), ("GET", infer.removesuffix("/infer")), ("GET", infer.replace("/infer", "/ready"))]
    body = as_json("pixels", "FP32", [1, 64], DIGIT)
    for response in process.http_all([(method, at, {"json": body}) for method, at in calls]):
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("version", ["", "v1", "v3"])
def test_same_metadata(process, version):
    """Server and model metadata say the same over both."""
    at = "/v2/models/digits" + (f"/versions/{version}" if version else "")
    server, model = process.http_all([("GET", "/v2", {}), ("GET", at, {})])
    messages = [
        ("ServerMetadata", wire.ServerMetadataRequest()),
        ("ModelMetadata", wire.ModelMetadataRequest(name="digits", version=version)),
    ]
    server_message, model_message = process.grpc_all(messages)
    assert server.json() == {
        "name": server_message.name,
        "version": server_message.version,
        "extensions": list(server_message.extensions),
    }

    def tensors(messages):
        return [{"name": m.name, "datatype": m.datatype, "shape": list(m.shape)} for m in messages]

    assert model.json() == {
        "name": "digits",
        "versions": list(model_message.versions),
        "platform": model_message.platform,
        "inputs": tensors(model_message.inputs),
        "outputs": tensors(model_message.outputs),
    }
    assert model.json()["inputs"] == [{"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}]
    assert model.json()["outputs"] == [
        {"name": "label", "datatype": "INT64", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
    ]


def test_parameters_are_echoed_beside_the_digest(process):
    """A request's parameters come back with the answer; `digest` is always the model's own."""
    body = as_json("pixels", "FP32", [1, 64], DIGIT) | {"parameters": {"a": 1, "b": "x", "c": True, "digest": "no"}}
    answer = process.http("POST", path("digits", "v2"), json=body).json()
    message = as_message("digits", "v2", "pixels", "FP32", [1, 64], DIGIT)
    message.parameters["a"].int64_param = 1
    message.parameters["b"].string_param = "x"
    message.parameters["c"].bool_param = True
    message.parameters["digest"].string_param = "no"
    response = process.grpc("ModelInfer", message)
    assert answer["parameters"] | {"digest": ""} == {"a": 1, "b": "x", "c": True, "digest": ""}
    assert response.parameters["a"].int64_param == 1
    assert response.parameters["b"].string_param == "x"
    assert response.parameters["c"].bool_param
    assert response.parameters["digest"].string_param == answer["parameters"]["digest"]
    assert answer["parameters"]["digest"].startswith("sha256:")


def bad_messages():
    """Requests that only gRPC can make."""
    nan = as_message("digits", "v2", "pixels", "FP32", [1, 64], [float("nan")] * 64)
    infinite = as_message("digits", "v2", "pixels", "FP64", [1, 64], [float("inf")] * 64)
    raw_nan = as_message("digits", "v2", "pixels", "FP32", [1, 64], [float("nan")] * 64, raw=True)
    both = as_message("digits", "v2", "pixels", "FP32", [1, 64], DIGIT)
    both.raw_input_contents.append(b"x" * 256)
    twice = as_message("digits", "v2", "pixels", "FP32", [1, 64], DIGIT)
    twice.inputs.append(twice.inputs[0])
    odd = as_message("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, raw=True)
    odd.raw_input_contents[0] = odd.raw_input_contents[0][:-1]
    more = as_message("digits", "v2", "pixels", "FP32", [1, 64], DIGIT, raw=True)
    more.raw_input_contents.append(b"")
    none = wire.ModelInferRequest(model_name="digits")
    wrong_field = as_message("digits", "v2", "pixels", "INT64", [1, 64], DIGIT)
    wrong_field.inputs[0].contents.fp32_contents.extend([1.0])
    narrow = as_message("digits", "v2", "pixels", "INT8", [1, 64], [])
    narrow.inputs[0].contents.int_contents.extend([256] * 64)
    text = as_message("digits", "v2", "pixels", "BYTES", [1, 64], [])
    text.inputs[0].contents.bytes_contents.extend([b"8"] * 64)
    parameters = as_message("digits", "v2", "pixels", "FP32", [1, 64], DIGIT)
    for number in range(33):
        parameters.parameters[str(number)].int64_param = number
    return [nan, infinite, raw_nan, narrow, both, twice, odd, more, none, wrong_field, text, parameters]


@pytest.mark.parametrize("message", bad_messages())
def test_grpc_refuses_its_own_kinds_of_junk(process, message):
    """NaN, both kinds of contents, torn bytes, duplicate inputs and the like are INVALID_ARGUMENT."""
    error = process.grpc("ModelInfer", message)
    assert isinstance(error, grpc.aio.AioRpcError)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_provenance_over_both(process):
    """Both transports name the replica that answered."""
    rest = process.http("GET", "/v2/health/live")
    assert rest.headers["x-inkmesh-path"] == 'inference;version="v1";replica="local";attempt=1'
    error = process.grpc("ModelReady", wire.ModelReadyRequest(name="none"))
    assert ("x-inkmesh-path", rest.headers["x-inkmesh-path"]) in list(error.trailing_metadata())
