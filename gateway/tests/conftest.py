"""A gateway over hand-written fakes, called as a client calls it."""

import asyncio
import dataclasses

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fakes.ledger import FakeLedger
from fakes.model import FakeModel
from gateway import app
from gateway.admission import Admission
from gateway.http import Api, Metrics, problem_answer
from gateway.keys import KeySet
from gateway.rates import Rates
from gateway.readings import Reader
from gateway.settings import LiveSettings, Settings
from gateway.tokens import Tokens
from runtime.health import Health
from runtime.http import Service
from runtime.live import Live
from runtime.telemetry import Telemetry


@dataclasses.dataclass
class Client:
    """The gateway, and what stands behind it."""

    app: object
    ledger: FakeLedger
    model: FakeModel
    tokens: Tokens
    keys: Live[KeySet]
    live: Live[LiveSettings]
    token: str = ""

    def __call__(self, method, path, *, key=None, token=None, **options):
        headers = dict(options.pop("headers", {}))
        if token := self.token if token is None else token:
            headers["authorization"] = f"Bearer {token}"
        if key:
            headers["idempotency-key"] = key

        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://inkmesh") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(send())

    def guest(self):
        session = self("POST", "/api/v1/sessions", token="").json()
        self.token = session["token"]
        return session


@pytest.fixture
def client():
    settings = Settings(replica="gateway-0")
    telemetry = Telemetry.create("gateway", settings, {})
    service = Service("gateway", settings, telemetry, Health())
    ledger, model = FakeLedger(), FakeModel()
    keys = Live(KeySet({"1": ec.generate_private_key(ec.SECP256R1())}, "1"))
    live = Live(LiveSettings())
    tokens = Tokens(keys, 3600)
    metrics = Metrics(telemetry.registry)
    reader = Reader(ledger, model, 1, service.hop, problem_answer, metrics.answered)
    api = Api(tokens, Admission(live), Rates(live), ledger, reader, metrics, 20)
    return Client(app.create(api, service), ledger, model, tokens, keys, live)
