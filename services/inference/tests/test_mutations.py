"""Messages with bytes changed, lost and added: each is answered or refused, and none is the server's own error."""

from __future__ import annotations

import asyncio
import json
import random

import grpc
import numpy as np

from contracts import open_inference_pb2 as wire
from inference import app

DIGIT = [0, 0, 5, 13, 9, 1, 0, 0] * 8
TIMES = 600


def mutate(data, chance):
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place, kind = chance.randrange(len(changed)), chance.random()
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
    calls = [("POST", "/v2/models/digits/infer", {"content": mutate(body, chance)}) for _ in range(TIMES)]
    assert {response.status_code for response in process.http_all(calls)} == {200, 400}


def test_mutated_messages(process):
    """A mutated message is OK, INVALID_ARGUMENT or NOT_FOUND, also when it cannot be decoded at all."""
    chance = random.Random(2)
    typed = wire.ModelInferRequest(model_name="digits", id="é")
    typed.inputs.add(name="pixels", datatype="FP32", shape=[1, 64]).contents.fp32_contents.extend(DIGIT)
    raw = wire.ModelInferRequest(model_name="digits", raw_input_contents=[np.array(DIGIT, "<i8").tobytes()])
    raw.inputs.add(name="pixels", datatype="INT64", shape=[1, 64])
    whole = [typed.SerializeToString(), raw.SerializeToString()]
    messages = [mutate(chance.choice(whole), chance) for _ in range(TIMES)] + [b"\xff" * 40]

    async def ask():
        server = app.create_grpc(process.predictor, process.service)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        codes = []
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for method in ("ModelInfer", "ModelMetadata", "ModelReady"):
                call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
                for message in messages if method == "ModelInfer" else messages[-20:]:
                    pending = call(message, timeout=10)
                    codes.append(await pending.code())
        await server.stop(1)
        return codes

    codes = asyncio.run(ask())
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
    assert codes[TIMES] is grpc.StatusCode.INVALID_ARGUMENT
