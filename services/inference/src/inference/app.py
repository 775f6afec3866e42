"""inference as one ASGI application and one gRPC server, over the same object."""

from __future__ import annotations

import grpc.aio
from starlette.types import ASGIApp

from contracts import open_inference_pb2 as wire
from inference import http
from inference.grpc import Servicer, add_to_server
from inference.predictor import Predictor
from runtime.grpc import SERVER_OPTIONS, serve_methods
from runtime.http import Edge, Service, create_app


def create(predictor: Predictor, service: Service) -> ASGIApp:
    """The REST side."""
    app = create_app(
        service,
        "Inkmesh inference",
        "Models behind the Open Inference Protocol V2; gRPC (inference.GRPCInferenceService) says the same.",
        redoc_url=None,
    )
    http.install(app, predictor, service)
    return Edge(app, service, hot=http.hot_calls(predictor))


def create_grpc(predictor: Predictor, service: Service) -> grpc.aio.Server:
    """The gRPC side, not listening yet."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    descriptor = wire.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    add_to_server(server, descriptor, serve_methods(Servicer(predictor, service), descriptor, service))
    return server
