"""The key that signs sessions' tokens."""

from __future__ import annotations

import os

from localmesh.state import StateFolder

SECRET = "token-signing"  # noqa: S105 (a Secret's name)


def make_signing_key(state: StateFolder) -> None:
    """Make an ES256 key as the Secret `token-signing`, unless there is one. Only its user can read it."""
    folder = state.secrets / SECRET
    if any(folder.glob("*.pem")):
        return
    # Slow to import, and needed once in the life of a state folder.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / ".1.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    temporary.replace(folder / "1.pem")
