"""The frontend as one ASGI application."""

from __future__ import annotations

from starlette.types import ASGIApp

from frontend.http import Pages
from runtime.http import Edge, Service, create_app


def create(pages: Pages, service: Service) -> ASGIApp:
    """Both routes, health, metrics and problem+json."""
    app = create_app(service, "Inkmesh frontend", "The page.", docs_url=None, redoc_url=None, openapi_url=None)
    for path, call in (("/", pages.index), ("/static/{path:path}", pages.static)):
        app.add_api_route(path, call, methods=["GET", "HEAD"], response_model=None)
    return Edge(app, service)
