"""The keys that sign sessions' tokens: a folder of PEMs, read as a whole.

All keys verify. The file `signing` names the one that signs (`2` for `2.pem`); without it the first by name does, so
that a key which is added is published and accepted before it signs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from runtime.folder import Files, Refused

ALGORITHM = "ES256"
MARKER = "signing"


@dataclass(frozen=True)
class KeySet:
    """Keys by id (`kid`), and the id of the one that signs."""

    private: Mapping[str, ec.EllipticCurvePrivateKey]
    signing: str

    @cached_property
    def public(self) -> dict[str, ec.EllipticCurvePublicKey]:
        """What verifies."""
        return {kid: key.public_key() for kid, key in sorted(self.private.items())}

    @cached_property
    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set."""
        return {
            "keys": [
                jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True) | {"kid": kid, "alg": ALGORITHM, "use": "sig"}
                for kid, key in self.public.items()
            ]
        }


def parse(files: Files) -> KeySet:
    """The folder's keys; a key's id is its file's name. Raises Refused."""
    keys = {}
    for name, content in files.items():
        if name == MARKER:
            continue
        if not name.endswith(".pem"):
            raise Refused(name, f"is neither a key (*.pem) nor `{MARKER}`")
        keys[name.removesuffix(".pem")] = _key(name, content)
    if not keys:
        raise Refused("1.pem", "is missing: `openssl ecparam -name prime256v1 -genkey -noout -out 1.pem` makes it")
    signing = files[MARKER].decode(errors="replace").strip() if MARKER in files else min(keys)
    if signing not in keys:
        raise Refused(MARKER, "names a key that is not there: it must be a file's name without .pem")
    return KeySet(keys, signing)


def _key(name: str, content: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(name, "is not a readable private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise Refused(name, "is not a P-256 key")
    return key
