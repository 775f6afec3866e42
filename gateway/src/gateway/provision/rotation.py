"""The steps of a signing key's rotation, on a Secret's data: publish the next key, sign with it, drop the oldest.

Between the steps everyone who checks tokens must catch up: the gateway's replicas (a minute or two, until kubelet has
renewed the volume) and the mesh, which asks for the published keys every 20 minutes. Before a key is dropped, the
tokens that it signed must have expired. A step that comes too early is refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.keys import MARKER
from gateway.provision.cluster import Secret
from gateway.provision.errors import CannotProvision
from gateway.provision.material import signing_key

CHANGED = "inkmesh/keys-changed-at"
"""Annotation: when the last step was taken, RFC 3339."""


def publish(secret: Secret, now: datetime) -> tuple[Secret, str]:
    """Add the next key; the one that signs goes on signing."""
    numbers, signing = _keys(secret)
    if numbers[-1] != signing:
        raise CannotProvision(
            f"{secret.name} has the key {numbers[-1]}, which does not sign yet: --sign {secret.name} comes first."
        )
    following = numbers[-1] + 1
    data = secret.data | {f"{following}.pem": signing_key(), MARKER: str(signing).encode()}
    return _stamped(secret, data, now), f"the key {following} is published; {signing} goes on signing"


def sign(secret: Secret, now: datetime, settle: timedelta) -> tuple[Secret, str]:
    """Let the newest key sign, once everyone knows it."""
    numbers, signing = _keys(secret)
    if numbers[-1] == signing:
        raise CannotProvision(f"the newest key of {secret.name}, {signing}, signs already: --rotate adds the next.")
    _wait(secret, now, settle, "not everyone knows the new key yet")
    data = secret.data | {MARKER: str(numbers[-1]).encode()}
    return _stamped(secret, data, now), f"the key {numbers[-1]} signs; {signing} is still accepted"


def retire(secret: Secret, now: datetime, tokens: timedelta) -> tuple[Secret, str]:
    """Drop the oldest key, once the tokens that it signed have expired."""
    numbers, signing = _keys(secret)
    oldest = numbers[0]
    if oldest == signing:
        raise CannotProvision(f"the oldest key of {secret.name}, {oldest}, is the one that signs: nothing to retire.")
    _wait(secret, now, tokens, f"tokens that the key {oldest} signed are still good")
    data = {name: value for name, value in secret.data.items() if name != f"{oldest}.pem"}
    return _stamped(secret, data, now), f"the key {oldest} is gone; {signing} signs"


def _keys(secret: Secret) -> tuple[list[int], int]:
    """Numbers of the keys, in order, and the one that signs."""
    try:
        numbers = sorted(int(name.removesuffix(".pem")) for name in secret.data if name.endswith(".pem"))
        signing = int(secret.data.get(MARKER, str(numbers[0]).encode()))
        numbers.index(signing)
    except (ValueError, IndexError):
        raise CannotProvision(
            f"{secret.name} is no signing key that this made: it has 1.pem, 2.pem … and `{MARKER}` with a number."
        ) from None
    return numbers, signing


def _wait(secret: Secret, now: datetime, needed: timedelta, why: str) -> None:
    try:
        since = now - datetime.fromisoformat(secret.annotations[CHANGED])
    except (KeyError, ValueError, TypeError):
        return  # put there by hand: who did it keeps the time
    if since < needed:
        left = int((needed - since).total_seconds()) + 1
        raise CannotProvision(f"too early for {secret.name}: {why}. Run it again in {left} s.")


def _stamped(secret: Secret, data: dict[str, bytes], now: datetime) -> Secret:
    stamp = now.astimezone(UTC).isoformat(timespec="seconds")
    return replace(secret, data=data, annotations=secret.annotations | {CHANGED: stamp})
