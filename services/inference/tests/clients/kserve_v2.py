"""kserve's REST and gRPC clients, against 127.0.0.1: HTTP port, gRPC port. Silent when all is as it should be."""

import asyncio
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.constants.constants import PredictorProtocol

HTTP, GRPC = f"http://127.0.0.1:{sys.argv[1]}", f"127.0.0.1:{sys.argv[2]}"
BATCH = np.array([[0, 0, 5, 13, 9, 1, 0, 0] * 8] * 3, np.float32)


def request(*, binary):
    given = InferInput("pixels", list(BATCH.shape), "FP32")
    given.set_data_from_numpy(BATCH, binary_data=binary)
    return InferRequest("digits", [given], request_id="seven")


def check(answer):
    assert answer.id == "seven"
    outputs = {output.name: output.as_numpy() for output in answer.outputs}
    assert outputs["label"].shape == (3,)
    assert outputs["probabilities"].shape == (3, 10)
    assert (outputs["probabilities"].argmax(1) == outputs["label"]).all()


async def main():
    rest = InferenceRESTClient(RESTConfig(protocol=PredictorProtocol.REST_V2.value))
    assert await rest.is_server_live(HTTP)
    assert await rest.is_server_ready(HTTP)
    assert await rest.is_model_ready(HTTP, "digits")
    for binary in (False, True):
        check(await rest.infer(HTTP, request(binary=binary), model_name="digits"))
    await rest.close()
    grpc = InferenceGRPCClient(GRPC)
    assert await grpc.is_server_ready()
    assert await grpc.is_model_ready("digits")
    for binary in (False, True):
        check(await grpc.infer(request(binary=binary)))
    await grpc.close()


asyncio.run(main())
