"""The repository extension, for the administrator alone; and versions that are replaced while they serve."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import time

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts import open_inference_pb2 as wire
from contracts import open_inference_pb2_grpc as wire_grpc

PIXELS = [0, 0, 5, 13, 9, 1, 0, 0] * 8
DIGIT = {"inputs": [{"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": PIXELS}]}
INDEX, LOAD, UNLOAD = "/v2/repository/index", "/v2/repository/models/digits/load", "/v2/repository/models/digits/unload"


@pytest.fixture
def admin(own_models, start, tmp_path):
    """A process with an administrator whose token is `secret`."""
    (tmp_path / "token").write_text("secret\n")
    return start(own_models, "digits=v1,digits=v2,fraud=v1", admin_token_file=str(tmp_path / "token")).load()


def bearer(token):
    return {"headers": {"authorization": f"Bearer {token}"}}


@pytest.mark.parametrize("path", [INDEX, LOAD, UNLOAD])
def test_off_without_a_token(process, path):
    """By default nobody may, whatever they send; the extension is not announced."""
    for options in ({}, bearer(""), bearer("None"), {"headers": {"authorization": "Bearer"}}):
        response = process.http("POST", path, **options)
        assert response.status_code == 403
        assert response.json()["type"] == "/problems/not-permitted"
    assert process.http("GET", "/v2").json()["extensions"] == ["binary_tensor_data"]
    assert process.grpc("RepositoryIndex", wire.RepositoryIndexRequest()).code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic secret", "secret", "Bearer sécret"])
def test_only_the_token_opens(admin, header):
    """Anything else is 403."""
    response = admin.http("POST", UNLOAD, headers={"authorization": header.encode()})
    assert response.status_code == 403
    assert admin.http("GET", "/v2/models/digits/ready").status_code == 200


def test_a_token_rotates(admin, tmp_path):
    """The file is read at each call; a file that is gone opens nothing."""
    (tmp_path / "token").write_text("another")
    assert admin.http("POST", INDEX, **bearer("secret")).status_code == 403
    assert admin.http("POST", INDEX, **bearer("another")).status_code == 200
    (tmp_path / "token").unlink()
    assert admin.http("POST", INDEX, **bearer("another")).status_code == 403


def test_unload_and_load(admin):
    """An unloaded model answers 503 while others go on and the process stays ready; loaded, it answers again."""
    assert admin.http("POST", UNLOAD, **bearer("secret")).status_code == 200
    digits, fraud, ready = admin.http_all(
        [
            ("POST", "/v2/models/digits/infer", {"json": DIGIT}),
            ("GET", "/v2/models/fraud/ready", {}),
            ("GET", "/v2/health/ready", {}),
        ]
    )
    assert (digits.status_code, fraud.status_code, ready.status_code) == (503, 200, 200)
    assert admin.repository.look()  # and it is not loaded again by itself
    index = admin.http("POST", INDEX, **bearer("secret")).json()
    assert [(each["name"], each["version"], each["state"], each["reason"]) for each in index] == [
        ("digits", "v1", "UNAVAILABLE", "unloaded"),
        ("digits", "v2", "UNAVAILABLE", "unloaded"),
        ("fraud", "v1", "READY", ""),
    ]
    only = admin.http("POST", INDEX, json={"ready": True}, **bearer("secret")).json()
    assert [each["name"] for each in only] == ["fraud"]
    assert admin.http("POST", LOAD, **bearer("secret")).status_code == 200
    assert admin.http("POST", "/v2/models/digits/infer", json=DIGIT).status_code == 200


def test_a_bad_load_changes_nothing(admin, own_models):
    """A damaged file is refused with 409, the index says why, and what served goes on."""
    (own_models / "digits" / "v1" / "model.onnx").write_bytes(b"no model")
    response = admin.http("POST", LOAD, **bearer("secret"))
    assert (response.status_code, response.json()["type"]) == (409, "/problems/model-refused")
    assert admin.http("POST", "/v2/models/digits/infer", json=DIGIT).status_code == 200
    entry = admin.http("POST", INDEX, **bearer("secret")).json()[0]
    assert entry["state"] == "READY"
    assert "SHA-256" in entry["reason"]
    assert admin.http("POST", "/v2/repository/models/none/load", **bearer("secret")).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"ready": 1}', b"\xff"])
def test_a_bad_index_body_is_400(admin, body):
    """The index reads its body, and says when it cannot."""
    assert admin.http("POST", INDEX, content=body, **bearer("secret")).status_code == 400


def put(models, source, version):
    """Another model's files under a version's name, by renaming a folder, as training does."""
    fresh = models / "digits" / ".fresh"
    shutil.copytree(models / source, fresh)
    old = models / "digits" / ".old"
    (models / "digits" / version).rename(old)
    fresh.rename(models / "digits" / version)
    shutil.rmtree(old)


def loads(text):
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {
        (sample.labels["model"], sample.labels["version"], sample.labels["result"]): sample.value
        for sample in families["inkmesh_model_loads"].samples
        if sample.name.endswith("_total")
    }


def test_a_version_is_replaced_while_it_serves(own_models, serve, make_variant):
    """Under calls over both transports files change for the better and the worse: no call fails, the digest moves once.

    What is damaged, or another version's, is refused with a metric and a log line, and the good one goes on.
    """
    serving = serve(models=own_models, serve="digits=v1", look_again_seconds=0.05)
    base = f"http://127.0.0.1:{serving.http_port}"
    digests = []

    async def callers(stop):
        async with (
            httpx.AsyncClient(base_url=base, timeout=10) as client,
            grpc.aio.insecure_channel(f"127.0.0.1:{serving.grpc_port}") as channel,
        ):
            stub = wire_grpc.GRPCInferenceServiceStub(channel)
            message = wire.ModelInferRequest(model_name="digits")
            message.inputs.add(name="pixels", datatype="FP32", shape=[1, 64]).contents.fp32_contents.extend(PIXELS)
            while not stop.is_set():
                answer = await client.post("/v2/models/digits/infer", json=DIGIT)
                assert answer.status_code == 200
                digests.append(answer.json()["parameters"]["digest"])
                await stub.ModelInfer(message, timeout=10)

    async def until(what):
        async with asyncio.timeout(20), httpx.AsyncClient(base_url=base, timeout=10) as client:
            while True:
                text = (await client.get("/metrics")).text
                if loads(text).get(("digits", "v1", what[0]), 0) >= what[1]:
                    return
                await asyncio.sleep(0.02)

    async def scenario():
        stop = asyncio.Event()
        calling = asyncio.create_task(callers(stop))
        await until(("loaded", 1))
        put(own_models, "digits/v2", "v1")  # another version's files
        await until(("refused", 1))
        (own_models / "digits" / "v1" / "model.onnx").write_bytes(b"damaged")
        await until(("refused", 2))
        put(own_models, make_variant(own_models), "v1")
        await until(("loaded", 2))
        stop.set()
        await calling

    asyncio.run(scenario())
    deadline = time.monotonic() + 10
    while "model drained" not in (log := serving.output.read_text()) and time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(base + "/healthz/live")
    assert "model drained" in log
    assert log.count('"model refused"') == 2
    changes = [after for before, after in itertools.pairwise(digests) if before != after]
    assert len(changes) <= 1
    last = httpx.post(base + "/v2/models/digits/infer", json=DIGIT).json()["parameters"]["digest"]
    assert last != digests[0]
