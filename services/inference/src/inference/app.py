"""inference as one ASGI application and one gRPC server, over the same object."""

from __future__ import annotations

import grpc.aio
from starlette.types import ASGIApp

from contracts import open_inference_pb2 as wire
from inference import http
from inference.grpc import Servicer
from inference.predictor import Predictor
from runtime.grpc import create_server
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
    return create_server(
        Servicer(predictor, service), wire.DESCRIPTOR.services_by_name["GRPCInferenceService"], service
    )
