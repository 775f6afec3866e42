"""The gateway as one ASGI application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import schemas
from gateway.http import Api
from runtime.http import Edge, Service, create_app

PREDICTIONS = "/api/v1/predictions"


def create(api: Api, service: Service) -> ASGIApp:
    """All routes, in one list; a reading is taken before the router, with the same function behind it."""
    app = create_app(
        service,
        "Inkmesh",
        "Draw a digit, have it read for a credit. Errors are application/problem+json.",
        factory=FastAPIOffline,
        docs_url="/api/docs",
        static_url="/api/docs/static",
        openapi_url="/api/openapi.json",
        redoc_url=None,
    )

    # fmt: off
    def route(method: str, path: str, call: Any, status: int, answer: Any, summary: str, **more: Any) -> None:  # noqa: ANN401
        app.add_api_route(
            path, call, methods=[method], status_code=status, response_model=answer, summary=summary, **more
        )

    route("POST", "/api/v1/sessions", api.open_session, 201, schemas.Session,
          "Become a guest with credits of your own", **_documented(429, 503, 504))
    route("GET", "/api/v1/account", api.account, 200, schemas.Account,
          "Credits", **_documented(401, 404, 503, 504))
    route("POST", PREDICTIONS, api.predict, 201, schemas.Prediction,
          "Read a digit for a credit",
          **_documented(400, 401, 402, 404, 409, 413, 422, 429, 503, 504, body=schemas.Drawing, key=True))
    route("POST", PREDICTIONS + "/{prediction_id}/feedback", api.feedback, 204, None,
          "Say what it really was",
          **_documented(400, 401, 404, 409, 413, 422, 503, 504, body=schemas.Correction, prediction=True))
    route("POST", "/api/v1/topups", api.top_up, 201, schemas.TopUp,
          "Buy credits with a test card",
          **_documented(400, 401, 404, 409, 413, 422, 503, 504, body=schemas.Purchase, key=True))
    route("GET", "/.well-known/jwks.json", api.published_keys, 200, schemas.KeySet,
          "The public keys that verify sessions' tokens", **_documented())
    # fmt: on
    _secure(app)

    async def predict(scope: Scope, receive: Receive, send: Send) -> None:
        response = await api.predict(Request(scope, receive))
        await response(scope, receive, send)

    return Edge(app, service, hot={("POST", PREDICTIONS): predict})


def _documented(*errors: int, body: Any = None, key: bool = False, prediction: bool = False) -> dict[str, Any]:  # noqa: ANN401
    extra: dict[str, Any] = {"security": [{"session": []}]} if 401 in errors else {}
    if body is not None:
        extra |= schemas.body_of(body)
    if key or prediction:
        extra["parameters"] = [schemas.IDEMPOTENCY_KEY if key else schemas.PREDICTION_ID]
    return {"responses": schemas.problems(*errors), "openapi_extra": extra}


def _secure(app: FastAPI) -> None:
    scheme = HTTPBearer(bearerFormat="JWT", description="From POST /api/v1/sessions")
    app.openapi().setdefault("components", {})["securitySchemes"] = {
        "session": scheme.model.model_dump(by_alias=True, exclude_none=True, mode="json")
    }
