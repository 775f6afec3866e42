"""HTTP onto the predictor: the V2 calls, `/predict`, and what this server is. It only translates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, FastAPI, Query, Request, Response
from starlette.types import Receive, Scope, Send

from inference import card, documentation, protocol
from inference.administration import Administrator
from inference.errors import BadInput
from inference.model import Model
from inference.predictor import Predictor
from inference.repository import Repository
from runtime import problems, propagation
from runtime.errors import HTTP_STATUS, Code, Fault
from runtime.http import HotCall, Service

HEADER_LENGTH = "inference-header-content-length"

_JSON = [(b"content-type", b"application/json")]
_BINARY = [(b"content-type", b"application/octet-stream")]
_LENGTH = HEADER_LENGTH.encode()
_Feature = Annotated[float, Query(allow_inf_nan=False)]


def extensions(administrator: Administrator) -> list[str]:
    """Names of the protocol's extensions that are served, over both transports."""
    return ["binary_tensor_data", *(["model_repository"] if administrator.exists else [])]


async def answer(
    predictor: Predictor, name: str, version: str, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """One infer call, from its headers and body to the answer's. Raises Fault."""
    length = None
    for header, value in headers:
        if header == _LENGTH:
            if not value.isdigit() or len(value) > 9:
                raise BadInput("Inference-Header-Content-Length must be a number of bytes.")
            length = int(value)
    asked = protocol.decode(body, length)
    payload, head = protocol.encode(await predictor.infer(name, version, asked.request), asked)
    return (_JSON if head is None else [*_BINARY, (_LENGTH, str(head).encode())]), payload


def hot_calls(predictor: Predictor) -> dict[tuple[str, str], HotCall]:
    """The infer paths of what this process serves, taken before the router: that doubles what a core can answer."""
    calls = {}
    for name, version in predictor.repository.served:
        calls["POST", f"/v2/models/{name}/infer"] = _hot(predictor, name, "")
        calls["POST", f"/v2/models/{name}/versions/{version}/infer"] = _hot(predictor, name, version)
    return calls


def _hot(predictor: Predictor, name: str, version: str) -> HotCall:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            predictor.admission.enter()
        except Fault as fault:
            await _tell(fault, send)
            return
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            return
        try:
            headers, payload = await answer(predictor, name, version, scope["headers"], body)
        except Fault as fault:
            await _tell(fault, send)
            return
        headers = [*headers, (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    return call


async def _tell(fault: Fault, send: Send) -> None:
    """`_problem`, but quickly: of an overload's calls most end here."""
    headers, before, after = _written(fault.code, fault.type, fault.detail)
    body = before + propagation.current().request_id.encode() + after
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": HTTP_STATUS[fault.code], "headers": headers})
    await send({"type": "http.response.body", "body": body})


@lru_cache(maxsize=64)
def _written(code: Code, slug: str, detail: str) -> tuple[list[tuple[bytes, bytes]], bytes, bytes]:
    """A problem's headers but for the length, and its body before and after the request's id."""
    response = _problem(Fault(code, slug, detail), instance="")
    before, instance, after = bytes(response.body).partition(b'"instance":"')
    return [header for header in response.raw_headers if header[0] != b"content-length"], before + instance, after


def install(app: FastAPI, predictor: Predictor, service: Service, administrator: Administrator) -> None:
    """Add the routes and the V2 form of errors."""

    async def on_fault(_: Request, error: Exception) -> Response:
        assert isinstance(error, Fault)  # noqa: S101 (registered for this type alone)
        return _problem(error)

    app.add_exception_handler(Fault, on_fault)
    app.include_router(_about(predictor, service))
    app.include_router(_v2(predictor, service, extensions(administrator)))
    app.include_router(_repository(predictor.repository, administrator))


def _problem(fault: Fault, **members: str) -> Response:
    """problem+json that is also the protocol's error object."""
    status = HTTP_STATUS[fault.code]
    body = problems.body(status, fault.type, fault.detail) | {"error": fault.detail} | members
    headers = {"retry-after": "1"} if status == 503 else {}
    return Response(orjson.dumps(body), status, headers, media_type=problems.MEDIA_TYPE)


def _about(predictor: Predictor, service: Service) -> APIRouter:
    router = APIRouter(tags=["fraud"])

    @router.get("/", summary="What this server is and serves")
    async def describe() -> dict[str, Any]:
        return {
            "name": "inkmesh-inference",
            "version": service.settings.version,
            "replica": service.settings.replica,
            "ready": service.health.ready,
            "models": [_described(model) for model in predictor.repository.models],
            "try": documentation.LINKS,
        }

    @router.get("/predict", summary="The fraud model, plainly", responses=documentation.PREDICT)
    async def predict(feature_1: _Feature, feature_2: _Feature, feature_3: _Feature) -> dict[str, list[int]]:
        try:
            return {"output": [await predictor.label("fraud", (feature_1, feature_2, feature_3))]}
        except BadInput as error:  # values in a query are the well-formed, unacceptable kind
            raise Fault(Code.INVALID, error.type, error.detail) from error

    return router


def _described(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "summary": model.summary,
        "accuracy": model.accuracy,
        "input": model.input.as_dict() | {"bounds": model.input.bounds},
    }


def _v2(predictor: Predictor, service: Service, announced: list[str]) -> APIRouter:
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol V2"])
    repository = predictor.repository

    @router.get("", summary="Server metadata")
    async def server() -> dict[str, Any]:
        return {"name": "inkmesh-inference", "version": service.settings.version, "extensions": announced}

    @router.get("/health/live", summary="The server answers")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @router.get("/health/ready", summary="Every served model is ready")
    async def ready(response: Response) -> dict[str, bool]:
        response.status_code = 200 if service.health.ready else 503
        return {"ready": service.health.ready}

    def both(method: Callable[..., Any], path: str, **options: Any) -> None:  # noqa: ANN401
        for versioned in ("/models/{name}", "/models/{name}/versions/{version}"):
            router.add_api_route(versioned + path, method, **options)

    async def metadata(name: str, version: str = "") -> dict[str, Any]:
        model = repository.get(name, version)
        return {
            "name": model.name,
            "versions": repository.versions(name),
            "platform": model.platform,
            "inputs": [model.input.as_dict()],
            "outputs": [spec.as_dict() for spec in model.outputs],
        }

    async def model_ready(name: str, version: str = "") -> dict[str, Any]:
        return {"name": repository.get(name, version).name, "ready": True}

    async def infer(name: str, request: Request, version: str = "") -> Response:
        predictor.admission.enter()
        headers, payload = await answer(predictor, name, version, request.headers.raw, await request.body())
        return Response(payload, headers={key.decode(): value.decode() for key, value in headers})

    async def model_card(name: str, request: Request, version: str = "") -> Response:
        media_type, text = card.render(repository.get(name, version).card, request.headers.get("accept", ""))
        return Response(text, media_type=media_type, headers={"vary": "accept"})

    both(metadata, "", methods=["GET"], summary="Model metadata")
    both(model_ready, "/ready", methods=["GET"], summary="The model is ready")
    both(model_card, "/card", methods=["GET"], summary="The model's card", **documentation.CARD)
    both(infer, "/infer", methods=["POST"], summary="Infer", **documentation.INFER)
    return router


def _repository(repository: Repository, administrator: Administrator) -> APIRouter:
    """The repository extension. Bodies hold nothing that is needed, and are not read but for the index's `ready`."""
    router = APIRouter(prefix="/v2/repository", tags=["Model repository"])

    @router.post("/index", summary="Every served version and its state", responses=documentation.ADMINISTRATION)
    async def index(request: Request) -> list[dict[str, str]]:
        administrator.check(request.headers.get("authorization", ""))
        only_ready = protocol.only_ready(await request.body())
        return [asdict(entry) for entry in repository.index() if entry.state == "READY" or not only_ready]

    @router.post("/models/{name}/load", summary="Load a model anew", responses=documentation.ADMINISTRATION)
    async def load(name: str, request: Request) -> dict[str, str]:
        administrator.check(request.headers.get("authorization", ""))
        await asyncio.to_thread(repository.load, name)
        return {}

    @router.post("/models/{name}/unload", summary="Serve a model no more", responses=documentation.ADMINISTRATION)
    async def unload(name: str, request: Request) -> dict[str, str]:
        administrator.check(request.headers.get("authorization", ""))
        await asyncio.to_thread(repository.unload, name)
        return {}

    return router
