"""Sessions' tokens: JWTs signed with ES256, so that the mesh can check them with public keys alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt

from gateway.errors import unauthenticated
from gateway.keys import ALGORITHM, KeySet
from runtime.live import Live

ISSUER = "inkmesh"
AUDIENCE = "inkmesh-api"
_REQUIRED = ["exp", "iat", "sub", "iss", "aud"]
_REMEMBERED = 10_000


class Tokens:
    """Signs and verifies with the keys in force; remembers what it verified until it expires or the keys change."""

    def __init__(self, keys: Live[KeySet], seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._seconds = seconds
        self._clock = clock
        self._verified: dict[str, tuple[str, float]] = {}
        self._verified_with = keys.value

    @property
    def keys(self) -> KeySet:
        """The keys in force."""
        return self._keys.value

    def issue(self, account_id: str) -> tuple[str, int]:
        """A token for an account, and when it expires (Unix seconds)."""
        now = int(self._clock())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": account_id, "iat": now, "exp": now + self._seconds}
        keys = self.keys
        token = jwt.encode(claims, keys.private[keys.signing], ALGORITHM, headers={"kid": keys.signing})
        return token, now + self._seconds

    def account_of(self, token: str) -> str:
        """The account that a token speaks for. Raises Fault(UNAUTHENTICATED)."""
        if self._verified_with is not self._keys.value:
            self._verified_with = self._keys.value
            self._verified.clear()
        known = self._verified.get(token)
        if known is None:
            claims = self._verify(token)
            known = (claims["sub"], float(claims["exp"]))
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[token] = known
        account_id, expires = known
        if expires <= self._clock():
            self._verified.pop(token, None)
            raise unauthenticated("The session has expired: start a new one.")
        return account_id

    def _verify(self, token: str) -> dict[str, Any]:
        try:
            key = self.keys.public[jwt.get_unverified_header(token)["kid"]]
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _REQUIRED, "strict_aud": True, "verify_exp": False},
            )
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise unauthenticated("The token is not one of this service's.") from error
