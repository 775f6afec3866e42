"""Where a real Envoy listens: what the edge takes from outside, and whose port it is."""

import asyncio

import pytest
from envoys.bench import free_port, replica, routes
from envoys.http1 import Backend, Client, get

from localmesh.translate import translate
from localmesh.xds import Rejected


def test_the_edge_believes_no_header_about_callers(bench):
    """What an outsider says of x-envoy-*, client certificates and request ids is gone before a service sees it."""
    edge = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "demo"},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
        },
    }
    way = routes("[{route: [{destination: {host: model, port: {number: 8080}}}]}]")
    way["spec"] |= {"hosts": ["*"], "gateways": ["edge"]}
    claims = {
        "x-envoy-attempt-count": "9",
        "x-envoy-max-retries": "9",
        "X-Envoy-Anything": "9",
        "x-forwarded-client-cert": "By=me",
        "x-request-id": "mine",
        "x-forwarded-for": "6.6.6.6",
        "x-cohort": "beta",
    }

    async def scenario():
        async with Backend("a") as a, bench.running([replica(a)], edge, way):
            await get(bench.edge, "/a/../b", claims)
            return a.requests[0]

    seen = asyncio.run(scenario())
    own = {name: value for name, value in seen.headers.items() if name.startswith("x-envoy")}
    assert own.pop("x-envoy-attempt-count") == "1"
    assert set(own) <= {"x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-envoy-internal"}
    assert "x-forwarded-client-cert" not in seen.headers
    assert seen.headers["x-request-id"] != "mine"
    assert "6.6.6.6" not in seen.headers["x-envoy-external-address"]
    assert len(seen.headers["x-forwarded-for"].split(",")) == 2
    assert seen.headers["x-cohort"] == "beta"
    assert seen.path == "/b"


def test_a_port_that_is_taken_is_an_error(bench):
    """A listener on another process's port is refused with its address, not shared with it."""

    async def scenario():
        async with Backend("a") as a, Backend("other") as other, bench.running([replica(a)]) as admin:
            bench.callers["web"] = other.port
            with pytest.raises(Rejected, match=f"cannot bind '127.0.0.1:{other.port}'"):
                await bench.directory.apply(translate(bench.mesh([replica(a)])), admin)

    assert free_port()
    asyncio.run(scenario())


def test_what_a_route_asks_for_is_done_for_that_route(bench):
    """Its CORS headers and its fault, from the next request of an open connection on; other routes have neither."""
    asked = routes("""
      - match: [{uri: {prefix: /cors}}]
        corsPolicy: {allowOrigins: [{exact: "http://a.example"}]}
        route: [{destination: {host: model}}]
      - match: [{uri: {prefix: /fault}}]
        fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
        route: [{destination: {host: model}}]
      - route: [{destination: {host: model}}]
    """)
    paths, origin = ("/cors", "/fault", "/"), {"origin": "http://a.example"}

    async def scenario():
        async with Backend("a") as a, bench.running([replica(a)]) as admin, Client(bench.callers["web"]) as client:
            before = [await client.get(path, origin) for path in paths]
            await bench.directory.apply(translate(bench.mesh([replica(a)], asked)), admin)
            return before, [await client.get(path, origin) for path in paths]

    before, after = asyncio.run(scenario())
    assert [(one.status, "access-control-allow-origin" in one.headers) for one in before] == [(200, False)] * 3
    assert [(one.status, "access-control-allow-origin" in one.headers) for one in after] == [
        (200, True),
        (418, False),
        (200, False),
    ]
