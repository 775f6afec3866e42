"""A version is ready when its files are checked and its golden predictions are right, and never before."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from contracts import open_inference_pb2 as wire
from inference.bootstrap import bootstrap
from inference.errors import NotReady, UnknownModel
from inference.settings import Settings

DIGIT = {"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": [8] * 64}]}


def statuses(process):
    calls = [
        ("GET", "/v2/health/ready", {}),
        ("GET", "/healthz/ready", {}),
        ("GET", "/v2/models/digits/ready", {}),
        ("GET", "/v2/models/digits", {}),
        ("POST", "/v2/models/digits/infer", {"json": DIGIT}),
        ("GET", "/predict?feature_1=0&feature_2=1&feature_3=2", {}),
    ]
    return {response.status_code for response in process.http_all(calls)}


def test_nothing_is_ready_before_the_check(models, start):
    """Alive at once; every call that needs a model is 503 or UNAVAILABLE until models are checked, then 200."""
    process = start(models, "digits=v1,fraud=v1")
    assert statuses(process) == {503}
    assert process.http("GET", "/healthz/live").status_code == 200
    assert process.http("GET", "/v2/health/live").json() == {"live": True}
    assert process.http("GET", "/").json()["ready"] is False
    error = process.grpc("ModelReady", wire.ModelReadyRequest(name="digits"))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert process.grpc("ServerReady", wire.ServerReadyRequest()).ready is False
    process.load()
    assert statuses(process) == {200}
    assert process.grpc("ServerReady", wire.ServerReadyRequest()).ready is True
    assert process.grpc("ServerLive", wire.ServerLiveRequest()).live is True


@pytest.mark.parametrize("file", ["model.onnx", "manifest.json"])
def test_a_tampered_model_is_never_ready(own_models, start, file):
    """One bit flipped in one file: that model answers 503, and the process is not ready; others are served."""
    path = own_models / "digits" / "v1" / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    process = start(own_models, "digits=v1,fraud=v1").load()
    ready, infer, fraud = process.http_all(
        [
            ("GET", "/v2/health/ready", {}),
            ("POST", "/v2/models/digits/infer", {"json": DIGIT}),
            ("GET", "/v2/models/fraud/ready", {}),
        ]
    )
    assert (ready.status_code, infer.status_code, fraud.status_code) == (503, 503, 200)
    assert infer.json()["type"] == "/problems/model-not-ready"
    assert infer.headers["retry-after"] == "1"


def test_a_model_that_comes_later_is_found(models, own_models):
    """A server that starts before its models are there becomes ready by itself once they are."""
    hidden = own_models.with_name("hidden")
    own_models.rename(hidden)

    async def scenario():
        settings = Settings(models=own_models, serve="digits=v2", look_again_seconds=0.05)
        async with bootstrap(settings) as running:
            await asyncio.sleep(0)
            assert not running.service.health.ready
            hidden.rename(own_models)
            async with asyncio.timeout(10):
                while not running.service.health.ready:  # noqa: ASYNC110 (files make no event)
                    await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_default_version_is_the_first_named(models, start):
    """Without a version the first of the settings answers; what is not in the settings is unknown, not unready."""
    process = start(models, "digits=v3,digits=v1")
    with pytest.raises(NotReady):
        process.repository.get("digits")
    process.load()
    assert process.repository.get("digits").version == "v3"
    assert process.repository.get("digits", "v1").version == "v1"
    for wanted in (("digits", "v2"), ("fraud", ""), ("fraud", "v1")):
        with pytest.raises(UnknownModel):
            process.repository.get(*wanted)
    assert process.http("GET", "/predict?feature_1=0&feature_2=1&feature_3=2").status_code == 404
