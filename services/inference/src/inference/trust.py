"""Who may make models: a manifest is signed (Ed25519), and the signature stands beside it, in base64.

A digest says that a model is whole; only a signature says who made it. Keys are read anew at each load, so one can be
added or taken away while the process runs.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE = "manifest.sig"


class BadKey(Exception):
    """A key's file cannot be used. The message names it."""


class TrustedKeys:
    """A folder of public keys, each a `*.pem`. One of them must have signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether one of the keys made this signature (base64) of these bytes. Raises BadKey."""
        from cryptography.exceptions import InvalidSignature

        try:
            raw = base64.b64decode(signature.strip(), validate=True)
        except binascii.Error:
            return False
        for key in self._read():
            try:
                key.verify(raw, data)
            except InvalidSignature:
                continue
            return True
        return False

    def _read(self) -> list[Ed25519PublicKey]:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        keys = []
        for path in sorted(self.folder.glob("*.pem")):
            try:
                key = load_pem_public_key(path.read_bytes())
            except (OSError, ValueError) as error:
                raise BadKey(f"{path}: not a public key in PEM") from error
            if not isinstance(key, Ed25519PublicKey):
                raise BadKey(f"{path}: not an Ed25519 key")
            keys.append(key)
        if not keys:
            raise BadKey(f"{self.folder}: no public key (*.pem) is there, so nothing can be trusted")
        return keys


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises BadKey."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise BadKey(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise BadKey(f"{path}: not a private key in PEM, or one with a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path}: not an Ed25519 key; make one by `openssl genpkey -algorithm ed25519 -out {path}`")
    return key


def sign(key: Ed25519PrivateKey, data: bytes) -> bytes:
    """What `TrustedKeys.signed` takes."""
    return base64.b64encode(key.sign(data)) + b"\n"
