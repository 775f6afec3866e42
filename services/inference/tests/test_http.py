"""What only HTTP has: /predict, the description, and every way in which a body can be bad."""

from __future__ import annotations

import json

import pytest

DIGIT = [0, 0, 5, 13, 9, 1, 0, 0] * 8
INPUT = {"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": DIGIT}


def body(**changes):
    return json.dumps({"inputs": [{**INPUT, **changes}]}).encode()


def with_numbers(text):
    return body(data=[]).replace(b'"data": []', b'"data": [' + text + b"]")


BAD = {
    "nothing": b"",
    "not JSON": b"{",
    "not text": b"\xff\xfe\x00",
    "NUL": b"\x00",
    "a number": b"1",
    "null": b"null",
    "a list": b"[]",
    "text": b'"inputs"',
    "an empty object": b"{}",
    "inputs null": b'{"inputs": null}',
    "inputs an object": b'{"inputs": {}}',
    "no input": b'{"inputs": []}',
    "inputs of numbers": b'{"inputs": [1]}',
    "input empty": b'{"inputs": [{}]}',
    "the same input twice": json.dumps({"inputs": [INPUT, INPUT]}).encode(),
    "NaN": with_numbers(b"NaN," * 63 + b"1"),
    "Infinity": with_numbers(b"Infinity," * 63 + b"1"),
    "1e400": with_numbers(b"1e400," * 63 + b"1"),
    "1e39": with_numbers(b"1e39," * 63 + b"1"),
    "an integer of 4000 digits": with_numbers(b"1," * 63 + b"9" * 4000),
    "an integer past 64 bits as INT64": body(datatype="INT64", data=[1] * 63 + [2**65]),
    "an unsigned integer past INT64": body(datatype="INT64", data=[1] * 63 + [2**64 - 1]),
    "an integer past INT32": body(datatype="INT32", data=[1] * 63 + [2**31]),
    "a fraction as INT64": body(datatype="INT64", data=[1] * 63 + [1.5]),
    "a whole fraction as INT64": body(datatype="INT64", data=[1] * 63 + [1.0]),
    "true": body(data=[True] * 64),
    "true among numbers": body(data=[0] * 63 + [True]),
    "true under an escaped key": body(data=[0] * 63 + [True]).replace(b'"data"', b'"d\\u0061ta"'),
    "strings": body(data=["1"] * 64),
    "null among numbers": body(data=[*DIGIT[:63], None]),
    "objects": body(data=[{}] * 64),
    "data a string": body(data="AAAA"),
    "data an object": body(data={"0": 1}),
    "no data": json.dumps({"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64]}]}).encode(),
    "half nested": body(data=[DIGIT[:32], *DIGIT[32:]]),
    "nested otherwise than its shape": body(data=[DIGIT[:32], DIGIT[32:]]),
    "nested too deeply": body(data=[[DIGIT]]),
    "nested beyond reason": b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "data nested beyond reason": with_numbers(b"[" * 1000 + b"]" * 1000),
    "shape true": body(shape=[True, 64]),
    "shape a fraction": body(shape=[1.0, 64]),
    "shape text": body(shape="1,64"),
    "shape of strings": body(shape=["1", "64"]),
    "shape null": body(shape=None),
    "shape huge": body(shape=[10**30, 64]),
    "datatype a number": body(datatype=32),
    "datatype a list": body(datatype=["FP32"]),
    "name null": body(name=None),
    "lone surrogate in a name": body(name="\ud800"),
    "lone surrogate in the id": json.dumps({"id": "\ud800", "inputs": [INPUT]}).encode(),
    "id a number": json.dumps({"id": 7, "inputs": [INPUT]}).encode(),
    "parameters a list": json.dumps({"parameters": [], "inputs": [INPUT]}).encode(),
    "parameters nested": json.dumps({"parameters": {"a": {"b": 1}}, "inputs": [INPUT]}).encode(),
    "parameters too many": json.dumps({"parameters": {str(i): i for i in range(33)}, "inputs": [INPUT]}).encode(),
    "input parameters junk": body(parameters=7),
    "outputs an object": json.dumps({"outputs": {}, "inputs": [INPUT]}).encode(),
    "outputs of text": json.dumps({"outputs": ["label"], "inputs": [INPUT]}).encode(),
    "an output without a name": json.dumps({"outputs": [{}], "inputs": [INPUT]}).encode(),
}


@pytest.mark.parametrize("path", ["/v2/models/digits/infer", "/v2/models/digits/versions/v2/infer"])
@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_bad_bodies_are_400(process, path, content):
    """Each is 400 problem+json with `error`, and repeats nothing of what was sent."""
    response = process.http("POST", path, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["error"] == problem["detail"]
    assert problem["instance"] == response.headers["x-request-id"]
    assert len(problem["detail"]) < 200


def test_nothing_sent_is_repeated(process):
    """Names, values and ids of a refused request appear nowhere in the answer."""
    for changes in ({"name": "evil<script>"}, {"datatype": "evil<script>"}, {"data": ["evil<script>"] * 64}):
        assert "evil" not in process.http("POST", "/v2/models/digits/infer", content=body(**changes)).text
    for path in ("/v2/models/evil/infer", "/v2/models/digits/versions/evil", "/predict?feature_1=evil", "/evil"):
        assert "evil" not in process.http("GET", path).text


def test_a_large_body_is_413(process):
    """Two MiB are refused, with a declared length and without."""

    async def chunks():
        for _ in range(32):
            yield b" " * (64 << 10)

    for content in (b" " * (2 << 20), chunks()):
        response = process.http("POST", "/v2/models/digits/infer", content=content)
        assert response.status_code == 413
        assert response.headers["content-type"] == "application/problem+json"


def test_nested_data_is_the_same_as_flat(process):
    """Data nested exactly as their shape are taken, and answer the same."""
    flat = {"inputs": [{**INPUT, "shape": [2, 64], "data": DIGIT * 2}]}
    nested = {"inputs": [{**INPUT, "shape": [2, 64], "data": [DIGIT, DIGIT]}]}
    answers = process.http_all([("POST", "/v2/models/digits/infer", {"json": each}) for each in (flat, nested)])
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].json() == answers[1].json()


def test_members_the_protocol_does_not_name_are_passed_over(process):
    """A newer client's members do no harm."""
    content = json.dumps({"inputs": [{**INPUT, "new": 1}], "newer": {}}).encode()
    assert process.http("POST", "/v2/models/digits/infer", content=content).status_code == 200


def test_predict_answers_plainly(process):
    """The documented call answers {"output": [0]}; a card of high risk is fraud."""
    first, second = process.http_all(
        [
            ("GET", "/predict?feature_1=0&feature_2=1&feature_3=2", {}),
            ("GET", "/predict?feature_1=0.05&feature_2=4&feature_3=3", {}),
        ]
    )
    assert (first.status_code, first.json()) == (200, {"output": [0]})
    assert (second.status_code, second.json()) == (200, {"output": [1]})


@pytest.mark.parametrize(
    "query",
    [
        "", "feature_1=0", "feature_1=0&feature_2=1", "feature_1=&feature_2=1&feature_3=2",
        "feature_1=x&feature_2=1&feature_3=2", "feature_1=nan&feature_2=1&feature_3=2",
        "feature_1=0&feature_2=inf&feature_3=2", "feature_1=0&feature_2=1&feature_3=1e400",
        "feature_1=0&feature_2=1&feature_3=-Infinity", "feature_1=0x10&feature_2=1&feature_3=2",
        "feature_1=true&feature_2=1&feature_3=2", "feature_1=%00&feature_2=1&feature_3=2",
        "feature_1=%ff&feature_2=1&feature_3=2", "feature_1=-1&feature_2=1&feature_3=2",
        "feature_1=1e7&feature_2=1&feature_3=2", "feature_1=1e39&feature_2=1&feature_3=2",
        "feature_1=" + "9" * 5000 + "&feature_2=1&feature_3=2",
    ],
)  # fmt: skip
def test_predict_refuses(process, query):
    """A feature that is missing, not a finite number, or beyond the model's bounds is 422 problem+json."""
    response = process.http("GET", f"/predict?{query}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "/problems/invalid-request"


def test_root_describes_the_server(process):
    """GET / lists each model with version, digest and accuracy."""
    said = process.http("GET", "/").json()
    assert said["ready"] is True
    listed = [(model["name"], model["version"]) for model in said["models"]]
    assert listed == [("digits", "v1"), ("digits", "v2"), ("digits", "v3"), ("fraud", "v1")]
    assert all(model["digest"].startswith("sha256:") and 0 < model["accuracy"] < 1 for model in said["models"])
    assert process.http("GET", said["try"]["predict"]).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_405(process, method):
    """An infer path takes POST alone."""
    response = process.http(method, "/v2/models/digits/infer")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"


def test_openapi_documents_the_calls_that_skip_the_router(process):
    """The infer calls stand in OpenAPI with their body, their answer and their problems."""
    paths = process.http("GET", "/openapi.json").json()["paths"]
    for path in ("/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer"):
        call = paths[path]["post"]
        schema = call["requestBody"]["content"]["application/json"]["schema"]
        assert schema["required"] == ["inputs"]
        assert {"200", "400", "404", "503"} <= call["responses"].keys()
    assert {"/", "/predict", "/v2", "/v2/health/live", "/v2/health/ready", "/metrics"} <= paths.keys()


def test_predictions_are_counted(models, start):
    """Rows by label, confidence and rows a call are at /metrics, and add up; refused calls count as requests only."""
    process = start(models, "digits=v2").load()
    batch = json.dumps({"inputs": [{**INPUT, "shape": [5, 64], "data": DIGIT * 5}]}).encode()
    path = "/v2/models/digits/infer"
    calls = [("POST", path, {"content": content}) for content in (body(), batch, body(), b"{")]
    label = process.http_all(calls)[0].json()["outputs"][0]["data"][0]
    lines = dict(line.rsplit(" ", 1) for line in process.http("GET", "/metrics").text.splitlines() if line[0] != "#")
    model = 'model="digits",version="v2"'
    assert float(lines[f'inkmesh_predictions_total{{label="{label}",{model}}}']) == 7
    assert sum(float(value) for name, value in lines.items() if name.startswith("inkmesh_predictions_total")) == 7
    assert float(lines[f"inkmesh_prediction_confidence_count{{{model}}}"]) == 7
    assert 0.7 <= float(lines[f"inkmesh_prediction_confidence_sum{{{model}}}"]) <= 7
    assert float(lines[f'inkmesh_prediction_batch_rows_bucket{{le="1",{model}}}']) == 2
    assert float(lines[f"inkmesh_prediction_batch_rows_count{{{model}}}"]) == 3
    assert float(lines[f"inkmesh_prediction_batch_rows_sum{{{model}}}"]) == 7
    assert float(lines[f'inkmesh_requests_total{{protocol="http",route="POST {path}",status="200"}}']) == 3
    assert float(lines[f'inkmesh_requests_total{{protocol="http",route="POST {path}",status="400"}}']) == 1
