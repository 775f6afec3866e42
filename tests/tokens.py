"""Tokens that are good, and all the ways not to be: the same on both tiers."""

from __future__ import annotations

import time

import jwt

from gateway.provision.material import signing_key
from product import Product


def only_good_tokens_are_taken(product: Product, kid: str, key: bytes) -> None:
    """Missing, expired, forged, for another audience, by another issuer, unsigned: never an answer.

    `key` (PEM) is the one that signs now, and `kid` its name.
    """
    guest = product.guest()
    now = int(time.time())
    good = {"iss": "inkmesh", "aud": "inkmesh-api", "sub": guest.account_id, "iat": now, "exp": now + 600}

    def status(token: str) -> int:
        answer = product.http.get("/api/v1/account", headers={"authorization": f"Bearer {token}"} if token else {})
        assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    def signed(**claims: object) -> str:
        return jwt.encode(good | claims, key, "ES256", headers={"kid": kid})

    assert status(signed()) == 200
    assert status("") == 403
    assert status(signed(iat=now - 7200, exp=now - 3600)) == 401
    assert status(signed(aud="someone-else")) == 403
    assert status(signed(iss="mallory")) == 401
    assert status(jwt.encode(good, signing_key(), "ES256", headers={"kid": kid})) == 401
    assert status(jwt.encode(good, None, "none", headers={"kid": kid})) == 401
    assert status(guest.token[:-6] + "AAAAAA") == 401
