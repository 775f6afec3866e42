"""The ASGI layer as a client sees it."""

import asyncio

import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field

from runtime.errors import Code, Fault
from runtime.health import Health
from runtime.http import Edge, Service, create_app
from runtime.propagation import parse_path
from runtime.settings import ServerSettings
from runtime.telemetry import Telemetry


class Order(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    amount: int = Field(ge=0, le=10)
    weight: float = 0.0
    note: str = ""


@pytest.fixture
def service():
    settings = ServerSettings(version="v7", replica="shop-0", faults=True)
    return Service("shop", settings, Telemetry.create("shop", settings, {}), Health())


@pytest.fixture
def call(service):
    app = create_app(service, "Shop", "A shop for tests")

    @app.post("/orders/{number}")
    async def order(number: int, order: Order) -> dict[str, int]:
        if order.amount == 9:
            raise RuntimeError("secret detail")
        if order.amount == 8:
            raise Fault(Code.PAYMENT_REQUIRED, "insufficient-credits", "None left.")
        return {"amount": order.amount}

    edge = Edge(app, service, body_limit=2000)

    def send(method, path, **options):
        async def run():
            transport = httpx.ASGITransport(edge)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await client.request(method, path, **options)

        return asyncio.run(run())

    return send


def test_an_answer_names_its_request_and_who_served_it(call):
    """Every answer carries x-request-id and x-inkmesh-path."""
    answer = call(
        "POST", "/orders/1", json={"amount": 3}, headers={"x-request-id": "r-1", "x-envoy-attempt-count": "2"}
    )
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "r-1"
    hop = parse_path(answer.headers["x-inkmesh-path"])[0]
    assert (hop.service, hop.version, hop.replica, hop.attempt) == ("shop", "v7", "shop-0", 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b'{"amount": NaN}', 422),
        (b'{"amount": 1, "weight": 1e400}', 422),
        (b'{"amount": 1, "weight": NaN}', 422),
        (b'{"amount": "1"}', 422),
        (b'{"amount": true}', 422),
        (b'{"amount": ' + b"9" * 1000 + b"}", 422),
        (b'{"amount": 1, "INJECTED-NAME": 1}', 422),
        (b"[]", 422),
        (b"{" * 1500, 400),
        (b" " * 3000, 413),
        (b"\xff\xfe", 400),
    ],
)
def test_bad_bodies_are_a_problem_and_are_not_echoed(call, body, status):
    """Bad input is 4xx problem+json that repeats nothing of it."""
    answer = call("POST", "/orders/1", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert "INJECTED" not in answer.text
    assert "9" * 20 not in answer.text


def test_a_chunked_body_is_bounded_too(call):
    """A body without a declared length stops at the limit."""

    async def chunks():
        for _ in range(10):
            yield b" " * 500

    assert call("POST", "/orders/1", content=chunks()).status_code == 413


def test_faults_keep_their_type_and_unexpected_errors_tell_nothing(call, capsys):
    """A Fault's slug is on the wire; a bug's message is not."""
    fault = call("POST", "/orders/1", json={"amount": 8})
    assert (fault.status_code, fault.json()["type"]) == (402, "/problems/insufficient-credits")
    bug = call("POST", "/orders/1", json={"amount": 9})
    assert bug.status_code == 500
    assert "secret" not in bug.text
    assert "RuntimeError" in capsys.readouterr().out


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/orders/1", 405)])
def test_unknown_paths_and_methods_are_problems(call, method, path, status):
    """The router's own refusals have the same shape."""
    answer = call(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_requests_are_counted_by_route_template(call):
    """Two orders of different numbers are one series."""
    call("POST", "/orders/1", json={"amount": 1})
    call("POST", "/orders/2", json={"amount": 1})
    text = call("GET", "/metrics").text
    assert 'inkmesh_requests_total{protocol="http",route="POST /orders/{number}",status="200"} 2.0' in text
    assert "/orders/1" not in text


def test_readiness_follows_what_the_service_has_and_whether_it_leaves(call, service):
    """Not ready at first, ready when prepared, never again when draining; alive all along."""
    assert call("GET", "/healthz/ready").status_code == 503
    service.health.set_ready(True)
    assert call("GET", "/healthz/ready").status_code == 200
    service.health.drain()
    assert call("GET", "/healthz/ready").status_code == 503
    assert call("GET", "/healthz/live").status_code == 200


def test_a_replica_can_be_made_sick_and_healed(call):
    """The switch fails business calls and leaves health alone."""
    assert call("PUT", "/faults", json={"ratio": 1.0}).status_code == 200
    sick = call("POST", "/orders/1", json={"amount": 1})
    assert (sick.status_code, sick.json()["type"]) == (503, "/problems/injected-fault")
    assert sick.headers["retry-after"] == "1"
    assert call("GET", "/healthz/live").status_code == 200
    assert call("DELETE", "/faults").status_code == 204
    assert call("POST", "/orders/1", json={"amount": 1}).status_code == 200
