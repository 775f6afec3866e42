"""From bytes to what was meant: strict, bounded, and without repeating the caller's input in what it refuses."""

from __future__ import annotations

import re
from typing import Any

import orjson

from gateway.errors import invalid, key_missing, malformed, unauthenticated

PIXELS = 64
DARKEST = 16
MOST_CREDITS = 10_000

_KEY = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}\Z")
_CARD = re.compile(r"[0-9]{12,19}\Z")
_PREDICTION = re.compile(r"prd_[0-9A-Za-z_-]{1,60}\Z")


def bearer(header: str | None) -> str:
    """The token of an Authorization header."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated("This call needs a session: Authorization: Bearer TOKEN, from POST /api/v1/sessions.")
    return token.strip()


def idempotency_key(header: str | None) -> str:
    """The key, 1 to 255 printable ASCII characters."""
    if not header:
        raise key_missing()
    if not _KEY.match(header):
        raise invalid("The Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return header


def _object(body: bytes, names: set[str]) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed("The body is not JSON.") from error
    if not isinstance(found, dict):
        raise invalid("The body must be a JSON object.")
    if found.keys() != names:
        raise invalid(f"The body must have exactly these members: {', '.join(sorted(names))}.")
    return found


def pixels(body: bytes) -> list[float]:
    """`{"pixels": [64 numbers, 0 to 16]}`."""
    found = _object(body, {"pixels"})["pixels"]
    if not isinstance(found, list) or len(found) != PIXELS:
        raise invalid(f"pixels must be a list of {PIXELS} numbers.")
    for value in found:
        if type(value) not in (int, float) or not 0 <= value <= DARKEST:
            raise invalid(f"pixels must be numbers from 0 to {DARKEST}.")
    return found


def label(body: bytes) -> int:
    """`{"label": 7}`."""
    return _integer(_object(body, {"label"})["label"], "label", 0, 9)


def top_up(body: bytes) -> tuple[int, str]:
    """`{"credits": 50, "card": "4242 4242 4242 4242"}` → credits and the card's digits."""
    found = _object(body, {"credits", "card"})
    card = found["card"].replace(" ", "") if isinstance(found["card"], str) else ""
    if not _CARD.match(card):
        raise invalid("card must be a string of 12 to 19 digits.")
    return _integer(found["credits"], "credits", 1, MOST_CREDITS), card


def prediction(path: str) -> str:
    """A prediction's id, well formed."""
    if not _PREDICTION.match(path):
        raise invalid("The prediction's id is not well formed.")
    return path


def _integer(value: Any, name: str, least: int, most: int) -> int:  # noqa: ANN401 (whatever JSON holds)
    if type(value) is not int or not least <= value <= most:
        raise invalid(f"{name} must be a whole number from {least} to {most}.")
    return value
