"""tritonclient as its documents use it, against 127.0.0.1: HTTP port, gRPC port, the administrator's token.

Silent when all is as it should be. It runs in an environment of its own: its protobuf is older than ours.
"""

import asyncio
import queue
import sys

import numpy as np
import tritonclient.grpc as grpc_client
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http as http_client
import tritonclient.http.aio as http_aio
from tritonclient.utils import InferenceServerException

HTTP, GRPC, TOKEN = f"127.0.0.1:{sys.argv[1]}", f"127.0.0.1:{sys.argv[2]}", sys.argv[3]
ADMIN = {"authorization": f"Bearer {TOKEN}"}
ROW = np.array([[0, 0, 5, 13, 9, 1, 0, 0] * 8], np.float32)
BATCH = np.repeat(ROW, 5, 0)


def given(module, array, datatype="FP32", **options):
    tensor = module.InferInput("pixels", list(array.shape), datatype)
    tensor.set_data_from_numpy(array, **options)
    return [tensor]


def check(result, rows=1):
    label, probabilities = result.as_numpy("label"), result.as_numpy("probabilities")
    assert label.dtype == np.int64
    assert label.shape == (rows,)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (rows, 10)
    assert (probabilities.argmax(1) == label).all()


def refused(call, words=""):
    message = None
    try:
        call()
    except InferenceServerException as error:
        message = error.message()
    assert message is not None, "it was not refused"
    assert words in message


def both(client, module):
    """What HTTP and gRPC have in common."""
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("digits")
    assert client.is_model_ready("digits", "v2")
    for version in ("", "v2"):
        check(client.infer("digits", given(module, BATCH), model_version=version), 5)
    for array, datatype in (
        (ROW.astype(np.float64), "FP64"), (ROW.astype(np.int8), "INT8"), (ROW.astype(np.int16), "INT16"),
        (ROW.astype(np.int32), "INT32"), (ROW.astype(np.int64), "INT64"), (ROW.astype(np.uint8), "UINT8"),
        (ROW.astype(np.uint16), "UINT16"), (ROW.astype(np.uint32), "UINT32"), (ROW.astype(np.uint64), "UINT64"),
        (ROW > 0, "BOOL"),
    ):  # fmt: skip
        check(client.infer("digits", given(module, array, datatype)))
    refused(lambda: client.infer("digits", given(module, ROW.astype(np.float16), "FP16")), "may be sent as")
    refused(lambda: client.infer("digits", given(module, np.full((1, 64), b"8", object), "BYTES")), "may be sent as")
    refused(lambda: client.infer("digits", given(module, ROW[:, :63])), "shape")
    refused(lambda: client.infer("none", given(module, ROW)), "No such model")
    asked = [module.InferRequestedOutput("label")]
    result = client.infer("digits", given(module, ROW), outputs=asked, request_id="seven", parameters={"a": "b"})
    assert result.as_numpy("probabilities") is None
    assert result.as_numpy("label").shape == (1,)
    refused(
        lambda: client.infer(
            "digits", given(module, ROW), outputs=[module.InferRequestedOutput("label", class_count=3)]
        )
    )
    refused(client.get_model_repository_index)
    refused(lambda: client.unload_model("digits"))
    refused(lambda: client.load_model("digits", headers={"authorization": "Bearer wrong"}))
    client.unload_model("digits", headers=ADMIN)
    assert not is_ready(client)
    client.load_model("digits", headers=ADMIN)
    assert is_ready(client)
    refused(lambda: client.load_model("none", headers=ADMIN), "No such model")


def is_ready(client):
    try:
        return client.is_model_ready("digits")
    except InferenceServerException:  # gRPC says UNAVAILABLE where HTTP says 503
        return False


def http():
    with http_client.InferenceServerClient(HTTP) as client:
        both(client, http_client)
        assert client.get_server_metadata()["extensions"] == ["binary_tensor_data", "model_repository"]
        metadata = client.get_model_metadata("digits", "v2")
        assert metadata["inputs"] == [{"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}]
        for sent in (True, False):
            for answered in (True, False):
                asked = [
                    http_client.InferRequestedOutput(name, binary_data=answered) for name in ("label", "probabilities")
                ]
                result = client.infer(
                    "digits", given(http_client, BATCH, binary_data=sent), outputs=asked, request_id="7"
                )
                check(result, 5)
                assert result.get_response()["id"] == "7"
                assert ("binary_data_size" in str(result.get_response())) == answered
        mixed = [
            http_client.InferRequestedOutput("label", binary_data=False),
            http_client.InferRequestedOutput("probabilities"),
        ]
        check(client.infer("digits", given(http_client, ROW), outputs=mixed))
        index = client.get_model_repository_index(headers=ADMIN)
        assert {(each["name"], each["state"]) for each in index} == {("digits", "READY"), ("fraud", "READY")}
        pending = [client.async_infer("digits", given(http_client, ROW)) for _ in range(8)]
        for each in pending:
            check(each.get_result())


def grpc():
    with grpc_client.InferenceServerClient(GRPC) as client:
        both(client, grpc_client)
        assert list(client.get_server_metadata().extensions) == ["binary_tensor_data", "model_repository"]
        assert client.get_model_metadata("digits", "v2").outputs[0].name == "label"
        index = client.get_model_repository_index(headers=ADMIN).models
        assert {(each.name, each.state) for each in index} == {("digits", "READY"), ("fraud", "READY")}
        answers = queue.Queue()
        client.start_stream(callback=lambda result, error: answers.put((result, error)))
        for number in range(20):
            good = number != 7
            client.async_stream_infer("digits", given(grpc_client, ROW if good else ROW + 99), request_id=str(number))
        for number in range(20):
            result, error = answers.get(timeout=10)
            if number == 7:
                assert "numbers from 0 to 16" in error.message()
            else:
                assert error is None
                assert result.get_response().id == str(number)
                check(result)
        client.stop_stream()


async def aio():
    async with http_aio.InferenceServerClient(HTTP) as client:
        assert await client.is_server_ready()
        results = await asyncio.gather(*(client.infer("digits", given(http_aio, BATCH)) for _ in range(8)))
        for result in results:
            check(result, 5)
    async with grpc_aio.InferenceServerClient(GRPC) as client:
        assert await client.is_model_ready("digits", "v2")
        results = await asyncio.gather(*(client.infer("digits", given(grpc_aio, BATCH)) for _ in range(8)))
        for result in results:
            check(result, 5)

        async def requests():
            for number in range(5):
                yield {"model_name": "digits", "inputs": given(grpc_aio, ROW), "request_id": str(number)}

        async for result, error in client.stream_infer(requests()):
            assert error is None
            check(result)


http()
grpc()
asyncio.run(aio())
