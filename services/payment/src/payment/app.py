"""payment as one ASGI application and one gRPC server, over the same object."""

from __future__ import annotations

import grpc.aio
from starlette.types import ASGIApp

from contracts import payment_v1_pb2 as wire
from payment.grpc import Servicer
from payment.http import routes
from payment.payments import Payments
from runtime.grpc import create_server
from runtime.http import Edge, Service, create_app

BODY_LIMIT = 64 << 10
"""Bytes: the largest body is a stored answer of 8 KiB in Base64."""


def create(payments: Payments, service: Service) -> ASGIApp:
    """The REST side."""
    app = create_app(
        service,
        "Inkmesh payment",
        "The credit ledger. Errors are application/problem+json; gRPC (inkmesh.payment.v1) says the same.",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(routes(payments))
    return Edge(app, service, body_limit=BODY_LIMIT)


def create_grpc(payments: Payments, service: Service) -> grpc.aio.Server:
    """The gRPC side, not listening yet."""
    return create_server(Servicer(payments), wire.DESCRIPTOR.services_by_name["PaymentService"], service)
