"""Messages with bytes changed, lost and added, and requests with parts exchanged: each is answered or refused.

Never is it the server's own error, and REST and gRPC say the same. `FUZZ_MESSAGES=10000` makes that many of each kind.
"""

from __future__ import annotations

import asyncio
import json
import os
import random

import grpc
import numpy as np
import pytest

from contracts import open_inference_pb2 as wire

DIGIT = [0, 0, 5, 13, 9, 1, 0, 0] * 8
TIMES = int(os.environ.get("FUZZ_MESSAGES", "600"))
PATH = "/v2/models/digits/infer"
HEADER = "inference-header-content-length"
CODES = {200: grpc.StatusCode.OK, 400: grpc.StatusCode.INVALID_ARGUMENT, 404: grpc.StatusCode.NOT_FOUND}


def mutate(data, chance):
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place, kind = chance.randrange(len(changed) or 1), chance.random()
        if not changed:
            break
        if kind < 0.7:
            changed[place] = chance.randrange(256)
        elif kind < 0.85:
            del changed[place]
        else:
            changed.insert(place, chance.randrange(256))
    return bytes(changed)


def test_mutated_json(process):
    """A mutated body is 200 or 400."""
    chance = random.Random(1)
    tensor = {"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": DIGIT}
    body = json.dumps({"id": "é", "parameters": {"a": 1}, "inputs": [tensor], "outputs": [{"name": "label"}]}).encode()
    calls = [("POST", PATH, {"content": mutate(body, chance)}) for _ in range(TIMES)]
    assert {response.status_code for response in process.http_all(calls)} == {200, 400}


def test_mutated_binary(process):
    """A mutated body of JSON and bytes, or a mutated length, is 200 or 400."""
    chance = random.Random(4)
    tensor = {"name": "pixels", "datatype": "FP32", "shape": [1, 64], "parameters": {"binary_data_size": 256}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    body, calls = head + np.array(DIGIT, "<f4").tobytes(), []
    for _ in range(TIMES):
        length = str(len(head)).encode()
        if chance.random() < 0.3:
            length = bytes(each for each in mutate(length, chance) if each not in b"\r\n\0") or b"0"
        calls.append(("POST", PATH, {"content": mutate(body, chance), "headers": {HEADER: length}}))
    assert {response.status_code for response in process.http_all(calls)} == {200, 400}


def test_mutated_messages(process):
    """A mutated message is OK, INVALID_ARGUMENT or NOT_FOUND, decoded or not; a stream says so in its place."""
    chance = random.Random(2)
    typed = wire.ModelInferRequest(model_name="digits", id="é")
    typed.inputs.add(name="pixels", datatype="FP32", shape=[1, 64]).contents.fp32_contents.extend(DIGIT)
    raw = wire.ModelInferRequest(model_name="digits", raw_input_contents=[np.array(DIGIT, "<i8").tobytes()])
    raw.inputs.add(name="pixels", datatype="INT64", shape=[1, 64])
    whole = [typed.SerializeToString(), raw.SerializeToString()]
    messages = [mutate(chance.choice(whole), chance) for _ in range(TIMES)] + [b"\xff" * 40]
    methods = ("ModelMetadata", "ModelReady", "RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload")

    async def ask():
        server = process.grpc_server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            codes = {}
            for method in ("ModelInfer", *methods):
                call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
                sent = messages if method == "ModelInfer" else messages[-40:]
                codes[method] = [await call(message, timeout=10).code() for message in sent]
            stream = channel.stream_stream(
                "/inference.GRPCInferenceService/ModelStreamInfer",
                response_deserializer=wire.ModelStreamInferResponse.FromString,
            )(iter(messages), timeout=600)
            streamed = [answer async for answer in stream]
            await stream.code()
        await server.stop(1)
        return codes, streamed

    codes, streamed = asyncio.run(ask())
    refusals = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
    assert set(codes["ModelInfer"]) == {grpc.StatusCode.OK} | refusals
    assert codes["ModelInfer"][TIMES] is grpc.StatusCode.INVALID_ARGUMENT
    for method in methods:
        assert set(codes[method]) <= refusals | {grpc.StatusCode.OK, grpc.StatusCode.PERMISSION_DENIED}
    refused = [code is not grpc.StatusCode.OK for code in codes["ModelInfer"]]
    assert [bool(answer.error_message) for answer in streamed] == refused
    assert "went wrong here" not in {answer.error_message for answer in streamed}


FIELDS = {
    "FP32": "fp32_contents", "FP64": "fp64_contents", "INT8": "int_contents", "INT16": "int_contents",
    "INT32": "int_contents", "INT64": "int64_contents", "UINT8": "uint_contents", "UINT64": "uint64_contents",
    "BOOL": "bool_contents",
}  # fmt: skip


def exchanged(chance):
    """A request of good parts, some of them exchanged: as JSON with its path, and as a message."""

    def pick(good, *others):
        return good if chance.random() < 0.8 else chance.choice(others)

    model, version = pick("digits", "fraud", "none"), pick("", "v1", "v2", "v9", "x")
    rows = pick(1, 0, 2, 3, 1024, 1025, -1, 2**31, 2**62)
    shape = pick([rows, 64], [rows, 63], [rows], [rows, 8, 8], [], [64, rows], [rows, 2**40])
    datatype = pick("FP32", *list(FIELDS)[1:], "FP16", "BYTES", "")
    whole = datatype not in ("FP32", "FP64")
    count = 64 * (rows if 0 < rows < 4 else 1) + pick(0, 1, -1, -64)
    low, high = (0, 1) if datatype == "BOOL" else (0, 16) if chance.random() < 0.8 else (0, 300)
    values = [
        chance.randint(low, high) if whole else chance.choice([chance.randint(low, high), 0.5]) for _ in range(count)
    ]
    if datatype == "BOOL":
        values = [bool(value) for value in values]
    elif values and chance.random() < 0.1:
        values[0] = 2**31 - 1
    outputs = pick([], ["label"], ["probabilities", "label"], ["none"], ["label", "label"])
    identity = pick("", "seven", "é" * 1024, "x" * 1025)
    name = pick("pixels", "features", "")
    body = {"id": identity, "inputs": [{"name": name, "datatype": datatype, "shape": shape, "data": values}]}
    message = wire.ModelInferRequest(model_name=model, model_version=version, id=identity)
    given = message.inputs.add(name=name, datatype=datatype, shape=shape)
    getattr(given.contents, FIELDS.get(datatype, "fp32_contents")).extend(values)
    for output in outputs:
        message.outputs.add(name=output)
    if outputs:
        body["outputs"] = [{"name": output} for output in outputs]
    path = f"/v2/models/{model}/versions/{version}/infer" if version else f"/v2/models/{model}/infer"
    return ("POST", path, {"json": body}), ("ModelInfer", message)


@pytest.mark.parametrize("part", range(4))
def test_exchanged_parts(process, part):
    """REST and gRPC agree on every request: the same status, the same words of refusal, the same labels."""
    chance = random.Random(10 + part)
    cases = [exchanged(chance) for _ in range(TIMES // 4)]
    rest = process.http_all([call for call, _ in cases])
    messages = process.grpc_all([message for _, message in cases])
    for response, answer in zip(rest, messages, strict=True):
        if isinstance(answer, grpc.aio.AioRpcError):
            assert (CODES[response.status_code], response.json()["error"]) == (answer.code(), answer.details())
            continue
        assert response.status_code == 200
        expected = {output["name"]: output["data"] for output in response.json()["outputs"]}
        assert [output.name for output in answer.outputs] == list(expected)
        for output in answer.outputs:
            if output.name == "label":
                assert list(output.contents.int64_contents) == expected["label"]
    assert {response.status_code for response in rest} == {200, 400, 404}
