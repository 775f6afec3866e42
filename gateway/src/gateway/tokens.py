"""Sessions' tokens: JWTs signed with ES256, so that the mesh can check them with public keys alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.errors import NoKeys, unauthenticated

ISSUER = "inkmesh"
AUDIENCE = "inkmesh-api"
_ALGORITHM = "ES256"
_REQUIRED = ["exp", "iat", "sub", "iss", "aud"]
_REMEMBERED = 10_000


class Tokens:
    """Signs with the newest key, accepts all of them; remembers what it verified until it expires."""

    def __init__(
        self, keys: dict[str, ec.EllipticCurvePrivateKey], seconds: int, clock: Callable[[], float] = time.time
    ) -> None:
        if not keys:
            raise NoKeys("no signing key was given")
        self._signing = max(keys)
        self._key = keys[self._signing]
        self._public = {name: key.public_key() for name, key in keys.items()}
        self._seconds = seconds
        self._clock = clock
        self._verified: dict[str, tuple[str, float]] = {}

    @classmethod
    def load(cls, folder: Path, seconds: int) -> Tokens:
        """Read `folder`/*.pem; a key's id is its file's name. Raises NoKeys."""
        keys = {}
        for file in folder.glob("*.pem"):
            try:
                key = serialization.load_pem_private_key(file.read_bytes(), password=None)
            except (ValueError, TypeError, UnsupportedAlgorithm, OSError) as error:
                raise NoKeys(f"{file} is not a readable private key") from error
            if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
                raise NoKeys(f"{file} is not a P-256 key")
            keys[file.stem] = key
        if not keys:
            raise NoKeys(
                f"no *.pem in {folder}: `openssl ecparam -name prime256v1 -genkey -noout -out {folder}/1.pem` makes one"
            )
        return cls(keys, seconds)

    def issue(self, account_id: str) -> tuple[str, int]:
        """A token for an account, and when it expires (Unix seconds)."""
        now = int(self._clock())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": account_id, "iat": now, "exp": now + self._seconds}
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._signing}), now + self._seconds

    def account_of(self, token: str) -> str:
        """The account that a token speaks for. Raises Fault(UNAUTHENTICATED)."""
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
            key = self._public[jwt.get_unverified_header(token)["kid"]]
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _REQUIRED, "strict_aud": True, "verify_exp": False},
            )
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise unauthenticated("The token is not one of this service's.") from error

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set."""
        return {
            "keys": [
                jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True) | {"kid": name, "alg": _ALGORITHM, "use": "sig"}
                for name, key in sorted(self._public.items())
            ]
        }
