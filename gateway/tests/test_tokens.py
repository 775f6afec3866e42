"""Sessions' tokens: what is accepted, and the many that are not."""

import base64
import json
import os
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.keys import KeySet
from gateway.tokens import Tokens
from runtime.errors import Fault
from runtime.live import Live

NOW = int(time.time()) - 10


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


def only(key):
    return Live(KeySet({"1": key}, "1"))


@pytest.fixture
def tokens(key):
    return Tokens(only(key), 3600, clock=lambda: NOW)


def claims(**changes):
    return {"iss": "inkmesh", "aud": "inkmesh-api", "sub": "acc_1", "iat": NOW, "exp": NOW + 60} | changes


def test_what_is_issued_is_accepted_until_it_expires(key):
    """The same token is good before its end and not after it, also when it was remembered."""
    now = [NOW]
    tokens = Tokens(only(key), 60, clock=lambda: now[0])
    token, expires_at = tokens.issue("acc_1")
    assert expires_at == NOW + 60
    assert tokens.account_of(token) == "acc_1"
    now[0] = NOW + 60
    with pytest.raises(Fault, match="expired"):
        tokens.account_of(token)


def unsigned(header, payload):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(payload)}."


def forgeries(key):
    stranger = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    kid = {"kid": "1"}
    yield "another key", jwt.encode(claims(), stranger, "ES256", headers=kid)
    yield "no kid", jwt.encode(claims(), key, "ES256")
    yield "unknown kid", jwt.encode(claims(), key, "ES256", headers={"kid": "2"})
    yield "kid of another type", unsigned({"alg": "ES256", "kid": ["1"]}, claims())
    yield "alg none", unsigned({"alg": "none", "kid": "1"}, claims())
    yield "public key as HMAC secret", jwt.PyJWT().encode(claims(), os.urandom(32), "HS256", headers=kid)
    yield "RS256", jwt.encode(claims(), rsa.generate_private_key(65537, 2048), "RS256", headers=kid)
    yield "wrong audience", jwt.encode(claims(aud="other"), key, "ES256", headers=kid)
    yield "audience among others", jwt.encode(claims(aud=["inkmesh-api", "other"]), key, "ES256", headers=kid)
    yield "wrong issuer", jwt.encode(claims(iss="other"), key, "ES256", headers=kid)
    yield "not yet", jwt.encode(claims(nbf=NOW + 10**9), key, "ES256", headers=kid)
    for name in ("iss", "aud", "sub", "iat", "exp"):
        without = claims()
        del without[name]
        yield f"no {name}", jwt.encode(without, key, "ES256", headers=kid)
    yield "expired", jwt.encode(claims(exp=NOW - 1), key, "ES256", headers=kid)
    good = jwt.encode(claims(), key, "ES256", headers=kid)
    head, payload, signature = good.split(".")
    yield "payload changed", f"{head}.{unsigned({}, claims(sub='acc_2')).split('.')[1]}.{signature}"
    yield "signature cut", good[:-4]
    yield "signature gone", f"{head}.{payload}."
    yield "two tokens", f"{good}.{good}"
    yield "public key", public.decode()


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_forged_and_stale_tokens_are_refused(tokens, key):
    """None of them speaks for an account."""
    assert tokens.account_of(jwt.encode(claims(), key, "ES256", headers={"kid": "1"})) == "acc_1"
    for name, token in forgeries(key):
        with pytest.raises(Fault) as refused:
            pytest.fail(f"accepted for {tokens.account_of(token)}: {name}")
        assert refused.value.type == "unauthenticated", name
