"""HTTP onto the predictor: the V2 calls, `/predict`, and what this server is. It only translates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, FastAPI, Query, Request, Response
from starlette.types import Receive, Scope, Send

from inference import documentation, protocol
from inference.errors import BadInput
from inference.model import Model
from inference.predictor import Predictor
from runtime import problems
from runtime.errors import HTTP_STATUS, Code, Fault
from runtime.http import HotCall, Service

EXTENSIONS: list[str] = []
"""Names of the protocol's extensions that are served."""

_JSON = [(b"content-type", b"application/json")]
_Feature = Annotated[float, Query(allow_inf_nan=False)]


def answer(predictor: Predictor, name: str, version: str, body: bytes) -> bytes:
    """One infer call, from its body to the answer's. Raises Fault."""
    request, parameters = protocol.decode(body)
    return protocol.encode(predictor.infer(name, version, request), request.id, parameters)


def hot_calls(predictor: Predictor) -> dict[tuple[str, str], HotCall]:
    """The infer paths of what this process serves, taken before the router: that doubles what a core can answer."""
    calls = {}
    for name, version in predictor.repository.served:
        calls["POST", f"/v2/models/{name}/infer"] = _hot(predictor, name, "")
        calls["POST", f"/v2/models/{name}/versions/{version}/infer"] = _hot(predictor, name, version)
    return calls


def _hot(predictor: Predictor, name: str, version: str) -> HotCall:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            return
        try:
            payload = answer(predictor, name, version, body)
        except Fault as fault:
            await _problem(fault)(scope, receive, send)
            return
        headers = [*_JSON, (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    return call


def install(app: FastAPI, predictor: Predictor, service: Service) -> None:
    """Add the routes and the V2 form of errors."""

    async def on_fault(_: Request, error: Exception) -> Response:
        assert isinstance(error, Fault)  # noqa: S101 (registered for this type alone)
        return _problem(error)

    app.add_exception_handler(Fault, on_fault)
    app.include_router(_about(predictor, service))
    app.include_router(_v2(predictor, service))


def _problem(fault: Fault) -> Response:
    """problem+json that is also the protocol's error object."""
    status = HTTP_STATUS[fault.code]
    body = problems.body(status, fault.type, fault.detail) | {"error": fault.detail}
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
            "models": [_card(model) for model in predictor.repository.models],
            "try": documentation.LINKS,
        }

    @router.get("/predict", summary="The fraud model, plainly", responses=documentation.PREDICT)
    async def predict(feature_1: _Feature, feature_2: _Feature, feature_3: _Feature) -> dict[str, list[int]]:
        try:
            return {"output": [predictor.label("fraud", (feature_1, feature_2, feature_3))]}
        except BadInput as error:  # values in a query are the well-formed, unacceptable kind
            raise Fault(Code.INVALID, error.type, error.detail) from error

    return router


def _card(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "summary": model.summary,
        "accuracy": model.accuracy,
        "input": model.input.as_dict() | {"bounds": model.input.bounds},
    }


def _v2(predictor: Predictor, service: Service) -> APIRouter:
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol V2"])
    repository = predictor.repository

    @router.get("", summary="Server metadata")
    async def server() -> dict[str, Any]:
        return {"name": "inkmesh-inference", "version": service.settings.version, "extensions": EXTENSIONS}

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
        return Response(answer(predictor, name, version, await request.body()), media_type="application/json")

    both(metadata, "", methods=["GET"], summary="Model metadata")
    both(model_ready, "/ready", methods=["GET"], summary="The model is ready")
    both(infer, "/infer", methods=["POST"], summary="Infer", **documentation.INFER)
    return router
