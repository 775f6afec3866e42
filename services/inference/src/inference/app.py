"""inference as one ASGI application and one gRPC server, over the same object."""

from __future__ import annotations

import grpc.aio
from starlette.types import ASGIApp

from contracts import open_inference_pb2 as wire
from inference import http, streaming
from inference.administration import Administrator
from inference.grpc import Servicer
from inference.predictor import Predictor
from runtime.grpc import create_server
from runtime.http import Edge, Service, create_app


def create(predictor: Predictor, service: Service, administrator: Administrator) -> ASGIApp:
    """The REST side."""
    app = create_app(
        service,
        "Inkmesh inference",
        "Models behind the Open Inference Protocol V2; gRPC (inference.GRPCInferenceService) says the same.",
        redoc_url=None,
    )
    http.install(app, predictor, service, administrator)
    return Edge(app, service, hot=http.hot_calls(predictor))


def create_grpc(predictor: Predictor, service: Service, administrator: Administrator) -> grpc.aio.Server:
    """The gRPC side, not listening yet."""
    servicer = Servicer(predictor, service, administrator)
    server = create_server(servicer, wire.DESCRIPTOR.services_by_name["GRPCInferenceService"], service)
    streaming.add(server, servicer, service)
    return server
