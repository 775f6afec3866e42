"""More than can be done: a stuck model is stopped, a slow one holds up nobody else, too many calls are turned away."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import grpc
import httpx
import onnx
import pytest

from contracts import open_inference_pb2 as wire
from contracts import open_inference_pb2_grpc as wire_grpc
from inference import manifest

PIXELS = [0, 0, 5, 13, 9, 1, 0, 0] * 8
DIGIT = {"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": PIXELS}]}
DIGITS, FRAUD = "/v2/models/digits/infer", "/v2/models/fraud/infer"
STUCK = 1e6


def top_up(turns):
    return {"inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 3], "data": [turns, 0, 0]}]}


def message(turns):
    request = wire.ModelInferRequest(model_name="fraud")
    request.inputs.add(name="features", datatype="FP32", shape=[1, 3]).contents.fp32_contents.extend([turns, 0, 0])
    return request


@pytest.fixture
def slow_models(own_models: Path) -> Path:
    """Models whose fraud v1 loops as often as its largest feature says, times a thousand: at 0 it is quick."""
    home = own_models / "fraud" / "v1"
    content = manifest.read(home)
    del content["sha256"]
    exported = _looping_model().SerializeToString()
    content["files"] = {manifest.MODEL: {"sha256": hashlib.sha256(exported).hexdigest(), "bytes": len(exported)}}
    content["golden"] |= {"inputs": [[0, 0, 0]], "labels": [1], "probabilities": [[0.25, 0.75]]}
    (home / manifest.MODEL).write_bytes(exported)
    (home / manifest.MANIFEST).write_bytes(manifest.seal(content))
    return own_models


def _looping_model() -> onnx.ModelProto:
    number, whole = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["sum", "one"], ["more"])],
        "body",
        [value("turn", whole, []), value("go", onnx.TensorProto.BOOL, []), value("sum", number, [])],
        [value("on", onnx.TensorProto.BOOL, []), value("more", number, [])],
    )

    def constant(name: str, kind: int, *values: float) -> onnx.TensorProto:
        return onnx.helper.make_tensor(name, kind, [len(values)] if len(values) > 1 else [], values)

    nodes = [
        node("Mul", ["features", "thousand"], ["many"]),
        node("ReduceMax", ["many"], ["most"], keepdims=0),
        node("Cast", ["most"], ["turns"], to=whole),
        node("Loop", ["turns", "true", "none"], ["total"], body=body),
        node("Mul", ["total", "none"], ["nothing"]),
        node("MatMul", ["features", "away"], ["zeros"]),
        node("Add", ["zeros", "chances"], ["flat"]),
        node("Add", ["flat", "nothing"], ["probabilities"]),
        node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    constants = [
        constant("thousand", number, 1000), constant("true", onnx.TensorProto.BOOL, 1), constant("none", number, 0),
        constant("one", number, 1), constant("chances", number, 0.25, 0.75),
        onnx.helper.make_tensor("away", number, [3, 2], [0] * 6),
    ]  # fmt: skip
    graph = onnx.helper.make_graph(
        nodes, "looping", [value("features", number, [None, 3])],
        [value("label", whole, [None]), value("probabilities", number, [None, 2])], constants,
    )  # fmt: skip
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)


@pytest.fixture
def slow(slow_models, serve):
    """A process whose fraud model can be stuck; two calls may wait for it, 0.3 s each."""
    return serve(models=slow_models, serve="digits=v2,fraud=v1", model_seconds=0.3, model_queue=2, wait_seconds=30)


def test_a_stuck_model_is_stopped_over_both(slow):
    """504 and DEADLINE_EXCEEDED, again and again; what it can answer, it still answers."""
    base = f"http://127.0.0.1:{slow.http_port}"
    with (
        httpx.Client(base_url=base, timeout=20) as client,
        grpc.insecure_channel(f"127.0.0.1:{slow.grpc_port}") as channel,
    ):
        stub = wire_grpc.GRPCInferenceServiceStub(channel)
        assert client.post(FRAUD, json=top_up(0)).status_code == 200
        for _ in range(3):
            answer = client.post(FRAUD, json=top_up(STUCK))
            assert answer.status_code == 504
            assert answer.json()["type"] == "/problems/model-too-slow"
            with pytest.raises(grpc.RpcError) as error:
                stub.ModelInfer(message(STUCK), timeout=20)
            assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert client.post(FRAUD, json=top_up(0)).status_code == 200
            assert list(stub.ModelInfer(message(0), timeout=20).outputs[0].contents.int64_contents) == [1]


def test_a_stuck_model_holds_up_nobody_else(slow):
    """Once known to be slow it has a thread of its own: others are answered while it is stuck.

    Of its own callers more than may wait are turned away at once with 503 and Retry-After.
    """

    async def scenario():
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{slow.http_port}", timeout=20) as client:
            assert (await client.post(FRAUD, json=top_up(STUCK))).status_code == 504  # now it is known
            stuck = [asyncio.create_task(client.post(FRAUD, json=top_up(STUCK))) for _ in range(8)]
            meanwhile = 0
            while not all(task.done() for task in stuck):
                assert (await client.post(DIGITS, json=DIGIT)).status_code == 200
                meanwhile += not all(task.done() for task in stuck)
            assert meanwhile
            return [task.result() for task in stuck]

    answers = asyncio.run(scenario())
    assert {answer.status_code for answer in answers} == {503, 504}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["type"] == "/problems/overloaded"
            assert answer.headers["retry-after"] == "1"


def test_calls_that_waited_too_long_are_turned_away(models, start):
    """Of many calls that arrive at once the first are answered, the last get 503, and all is well after."""
    process = start(models, "digits=v2", wait_seconds=1e-6).load()

    async def scenario():
        transport = httpx.ASGITransport(process.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inference") as client:
            answers = await asyncio.gather(*(client.post(DIGITS, json=DIGIT) for _ in range(300)))
            after = await client.post(DIGITS, json=DIGIT)
        return answers, after

    answers, after = asyncio.run(scenario())
    assert {answer.status_code for answer in answers} == {200, 503}
    assert answers[0].status_code == 200
    turned_away = next(answer for answer in answers if answer.status_code == 503)
    assert turned_away.headers["retry-after"] == "1"
    assert turned_away.json()["type"] == "/problems/overloaded"
    assert after.status_code == 200


def test_a_large_batch_is_answered_beside_small_calls(process):
    """1024 rows go to a thread; their answer is the one that the rows get one by one."""
    rows = [[(row + column) % 17 for column in range(64)] for row in range(1024)]
    tensor = {"name": "pixels", "datatype": "FP32"}
    whole = {"inputs": [tensor | {"shape": [1024, 64], "data": rows}]}
    calls = [("POST", DIGITS, {"json": {"inputs": [tensor | {"shape": [1, 64], "data": row}]}}) for row in rows[:17]]
    answers = process.http_all([("POST", DIGITS, {"json": whole}), *calls])
    together = answers[0].json()["outputs"][0]["data"]
    assert together[:17] == [answer.json()["outputs"][0]["data"][0] for answer in answers[1:]]
