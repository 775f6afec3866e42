"""Signing keys: what a folder of them must hold, what is published, and a rotation while visitors read."""

import asyncio
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway import app, keys
from gateway.admission import Admission
from gateway.http import Api, Metrics, problem_answer
from gateway.provision.material import signing_key
from gateway.rates import Rates
from gateway.readings import Reader
from gateway.settings import LiveSettings, Settings
from gateway.tokens import Tokens
from runtime.folder import Refused
from runtime.health import Health
from runtime.http import Service
from runtime.live import Live, follow
from runtime.telemetry import Telemetry

GOOD = signing_key()
PIXELS = {"pixels": [0] * 64}


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("files", "signs"),
    [
        ({"1.pem": GOOD}, "1"),
        ({"1.pem": GOOD, "2.pem": signing_key()}, "1"),
        ({"1.pem": GOOD, "2.pem": signing_key(), "signing": b"2\n"}, "2"),
        ({"2024-05.pem": GOOD, "2024-06.pem": signing_key()}, "2024-05"),
    ],
)
def test_the_marker_says_which_key_signs(files, signs):
    """Without it the first by name does: a key that is only added does not sign."""
    assert keys.parse(files).signing == signs


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, r"1\.pem: is missing: `openssl"),
        ({"signing": b"1"}, r"1\.pem: is missing"),
        ({"1.pem": b"nonsense"}, r"1\.pem: is not a readable private key"),
        ({"1.pem": GOOD, "2.pem": b""}, r"2\.pem: is not a readable"),
        ({"1.pem": GOOD, "2.pem": pem(rsa.generate_private_key(65537, 2048))}, r"2\.pem: is not a P-256 key"),
        ({"1.pem": pem(ec.generate_private_key(ec.SECP384R1()))}, r"1\.pem: is not a P-256 key"),
        ({"1.pem": GOOD, "signing": b"2"}, "signing: names a key that is not there"),
        ({"1.pem": GOOD, "signing": b"\xff"}, "signing: names a key that is not there"),
        ({"1.pem": GOOD, "1.pem.bak": GOOD}, r"1\.pem\.bak: is neither"),
    ],
)
def test_a_folder_that_makes_no_sense_is_refused(files, why):
    """The file is named, and what to do."""
    with pytest.raises(Refused, match=rf"^{why}"):
        keys.parse(files)


def test_public_keys_are_published(client):
    """A JWK set without private parts, to be kept for a while, and documented; a token names its key."""
    answer = client("GET", "/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    token = client.guest()["token"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]
    assert jwt.decode(token, jwt.PyJWK(key), ["ES256"], audience="inkmesh-api", issuer="inkmesh")
    documented = client("GET", "/api/openapi.json").json()["paths"]["/.well-known/jwks.json"]["get"]
    assert documented["responses"].keys() == {"200"}


class Rotated:
    """A gateway over fakes that follows a folder of keys, visitors who never stop reading, and what they were told."""

    def __init__(self, folder, client):
        self.folder = folder
        self.client = client
        self.sessions = []
        self.failed = []
        self.read = 0

    async def run(self, scenario):
        settings = Settings(replica="gateway-0")
        telemetry = Telemetry.create("gateway", settings, {})
        service = Service("gateway", settings, telemetry, Health())
        metrics = Metrics(telemetry.registry)
        reader = Reader(self.client.ledger, self.client.model, 1, service.hop, problem_answer, metrics.answered)
        async with follow("token-keys", self.folder, keys.parse, telemetry.reloads) as live:
            limits = Live(LiveSettings())
            api = Api(Tokens(live, 3600), Admission(limits), Rates(limits), self.client.ledger, reader, metrics, 10_000)
            transport = httpx.ASGITransport(app.create(api, service))
            async with httpx.AsyncClient(transport=transport, base_url="http://inkmesh") as self.http:
                await self.arrive()
                reading = asyncio.create_task(self.keep_reading())
                await scenario()
                reading.cancel()

    async def arrive(self):
        """A new visitor; the id of the key that signed the session."""
        session = (await self.http.post("/api/v1/sessions")).json()
        self.sessions.append(session["token"])
        return jwt.get_unverified_header(session["token"])["kid"]

    async def keep_reading(self):
        while True:
            for token in self.sessions:
                self.read += 1
                answer = await self.try_reading(token)
                if answer != 201:
                    self.failed.append(answer)
            await asyncio.sleep(0.005)

    async def try_reading(self, token):
        headers = {"authorization": f"Bearer {token}", "idempotency-key": f"key-{time.monotonic_ns()}"}
        return (await self.http.post("/api/v1/predictions", json=PIXELS, headers=headers)).status_code

    async def published(self):
        return [key["kid"] for key in (await self.http.get("/.well-known/jwks.json")).json()["keys"]]

    async def until(self, check):
        deadline = time.monotonic() + 10
        while not await check():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    async def metric(self, line):
        return line in (await self.http.get("/metrics")).text


def test_a_rotation_under_requests_fails_none(client, tmp_path):
    """Publish, sign, retire: every session is good until its own key is dropped, and a bad file changes nothing."""
    (tmp_path / "1.pem").write_bytes(GOOD)
    visitors = Rotated(tmp_path, client)

    async def scenario():
        (tmp_path / "2.pem").write_bytes(signing_key())
        await visitors.until(lambda: is_(visitors.published(), ["1", "2"]))
        assert await visitors.arrive() == "1"
        (tmp_path / "signing").write_text("2")
        await visitors.until(lambda: is_(visitors.arrive(), "2"))
        (tmp_path / "3.pem").write_text("half a file")
        await visitors.until(lambda: visitors.metric('inkmesh_config_refused{source="token-keys"} 1.0'))
        assert await visitors.published() == ["1", "2"]
        assert await visitors.arrive() == "2"
        (tmp_path / "3.pem").unlink()
        await visitors.until(lambda: visitors.metric('inkmesh_config_refused{source="token-keys"} 0.0'))
        old = [token for token in visitors.sessions if jwt.get_unverified_header(token)["kid"] == "1"]
        visitors.sessions = [token for token in visitors.sessions if token not in old]
        (tmp_path / "1.pem").unlink()
        await visitors.until(lambda: is_(visitors.published(), ["2"]))
        assert {await visitors.try_reading(token) for token in old} == {401}

    asyncio.run(visitors.run(scenario))
    assert visitors.read > 100
    assert visitors.failed == []


async def is_(awaitable, expected):
    return await awaitable == expected
