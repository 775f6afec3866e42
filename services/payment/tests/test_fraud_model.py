"""One contract for the fake and the real adapter; the latter talks to a real server on a free port."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from payment.clients import fraud_model as open_http_model
from payment.topups import Features, ModelUnavailable
from runtime import propagation

FEATURES = Features(50, 1, 2)


def outputs(*probabilities, shape=(1, 2), name="probabilities"):
    label = {"name": "label", "shape": [1], "datatype": "INT64", "data": [0]}
    found = {"name": name, "shape": list(shape), "datatype": "FP32", "data": list(probabilities)}
    return json.dumps({"model_name": "fraud", "outputs": [label, found]}).encode()


class Server:
    """An HTTP/1.1 server of one answer; it remembers the requests."""

    def __init__(self, body=b"", status=200, seconds=0.0, hang_up=False):
        self.body, self.status, self.seconds, self.hang_up = body, status, seconds, hang_up
        self.requests, self.connections = [], 0

    async def talk(self, reader, writer):
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.requests.append((lines[0], headers, body))
                await asyncio.sleep(self.seconds)
                if self.hang_up:
                    break
                path = 'x-inkmesh-path: inference;version="v1";replica="r0";attempt=1\r\n'
                start = f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(self.body)}\r\n{path}\r\n"
                writer.write(start.encode() + self.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def serve(self, seconds=30.0):
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, open_http_model(f"http://127.0.0.1:{port}", "fraud", seconds) as model:
            yield model


@pytest.fixture(params=["fake", "http"])
def model_that_says(request, fraud_model):
    """Open a FraudModel that says a probability, or (None) cannot be asked."""

    @asynccontextmanager
    async def make(probability):
        if request.param == "fake":
            yield fraud_model(probability)
        elif probability is None:
            async with Server(status=503).serve() as model:
                yield model
        else:
            async with Server(outputs(1 - probability, probability)).serve() as model:
                yield model

    return make


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_it_tells_the_probability_of_fraud(model_that_says, probability):
    """The second of the two probabilities, as often as it is asked."""

    async def scenario():
        async with model_that_says(probability) as model:
            assert [await model.probability(FEATURES) for _ in range(3)] == [probability] * 3

    asyncio.run(scenario())


def test_it_says_when_it_cannot_be_asked(model_that_says):
    """There is one exception for every way to fail."""

    async def scenario():
        async with model_that_says(None) as model:
            with pytest.raises(ModelUnavailable):
                await model.probability(FEATURES)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"outputs": []}',
        b'{"outputs": 5}',
        b"[" * 100_000,
        outputs(0.5, 0.5, name="other"),
        outputs(0.5, 0.5, shape=(2, 1)),
        outputs(0.5),
        outputs(0.1, 0.2, 0.7),
        outputs(0.0, 1.5),
        outputs(0.0, -0.1),
        outputs(0.0, float("nan")),
        outputs(0.0, "0.5"),
        outputs(0.0, True),
        outputs(0.0, None),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(body):
    """Whatever the model's server says, it is a probability or ModelUnavailable."""

    async def scenario():
        async with Server(body).serve() as model:
            with pytest.raises(ModelUnavailable):
                await model.probability(FEATURES)

    asyncio.run(scenario())


@pytest.mark.parametrize("server", [Server(seconds=100), Server(hang_up=True)], ids=["silent", "hangs up"])
def test_it_gives_up_in_time(server):
    """The deadline is for the whole call: nobody waits for a server that says nothing."""

    async def scenario():
        async with server.serve(seconds=0.1) as model, asyncio.timeout(60):
            with pytest.raises(ModelUnavailable):
                await model.probability(FEATURES)

    asyncio.run(scenario())


def test_nobody_listening_is_no_answer():
    """A refused connection, and a name that is none."""

    async def scenario():
        for url in ("http://127.0.0.1:1", "http://inference.invalid:8080"):
            async with open_http_model(url, "fraud", 1.0) as model:
                with pytest.raises(ModelUnavailable):
                    await model.probability(FEATURES)

    asyncio.run(scenario())


def test_it_speaks_the_protocol_and_carries_the_call_on():
    """V2 infer with one row of features, the request's id and trace, one connection; the hop is noted."""

    async def scenario():
        server = Server(outputs(0.75, 0.25))
        call = propagation.arriving({"x-request-id": "req-1", "x-cohort": "beta"}.get)
        token = propagation.enter(call)
        async with server.serve() as model:
            await model.probability(FEATURES)
            await model.probability(FEATURES)
        propagation.leave(token)
        line, headers, body = server.requests[0]
        assert line == "POST /v2/models/fraud/infer HTTP/1.1"
        assert headers["x-request-id"] == "req-1"
        assert headers["x-cohort"] == "beta"
        assert headers["traceparent"].split("-")[1] == call.trace_id
        (sent,) = body["inputs"]
        assert sent == {"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [0.05, 1.0, 2.0]}
        assert server.connections == 1
        assert [hop.service for hop in call.hops] == ["inference", "inference"]

    asyncio.run(scenario())
