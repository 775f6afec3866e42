"""The bounds of every field, checked once for both transports, cheaply: each reading passes here twice.

Each raises InvalidField or KeyMissing. Types are the transports' duty: strings are strings here, integers integers.
"""

from __future__ import annotations

import re

from payment.errors import InvalidField, KeyMissing
from payment.records import MAX_AMOUNT, MAX_BODY, MAX_TOP_UP, Answer, Key

ID = r"[A-Za-z0-9_-]{1,64}"
PRINTABLE = r"[\x20-\x7e]{1,%d}"
MAX_KEY = 255
MAX_ATTEMPT = 128

_is_id = re.compile(ID).fullmatch
_is_key = re.compile(PRINTABLE % MAX_KEY).fullmatch
_is_attempt = re.compile(PRINTABLE % MAX_ATTEMPT).fullmatch


def account_id(value: str) -> None:
    """1 to 64 characters of [A-Za-z0-9_-]."""
    if not _is_id(value):
        raise InvalidField("account_id", "1 to 64 characters of [A-Za-z0-9_-]")


def charge_id(value: str) -> None:
    """1 to 64 characters of [A-Za-z0-9_-]."""
    if not _is_id(value):
        raise InvalidField("charge_id", "1 to 64 characters of [A-Za-z0-9_-]")


def attempt(value: str) -> None:
    """1 to 128 printable ASCII characters."""
    if not _is_attempt(value):
        raise InvalidField("attempt", f"1 to {MAX_ATTEMPT} printable ASCII characters")


def key(value: Key) -> None:
    """The key is there, 1 to 255 printable ASCII characters, with a SHA-256 and an attempt."""
    if not value.text:
        raise KeyMissing
    if not _is_key(value.text):
        raise InvalidField("Idempotency-Key", f"1 to {MAX_KEY} printable ASCII characters")
    if len(value.fingerprint) != 32:
        raise InvalidField("fingerprint", "32 bytes")
    attempt(value.attempt)


def grant(value: int) -> None:
    """0 to 1,000,000 credits."""
    if not 0 <= value <= MAX_AMOUNT:
        raise InvalidField("credits", f"0 to {MAX_AMOUNT}")


def amount(value: int) -> None:
    """1 to 1,000,000 credits."""
    if not 1 <= value <= MAX_AMOUNT:
        raise InvalidField("amount", f"1 to {MAX_AMOUNT}")


def top_up(value: int) -> None:
    """1 to 10,000 credits."""
    if not 1 <= value <= MAX_TOP_UP:
        raise InvalidField("credits", f"1 to {MAX_TOP_UP}")


def answer(value: Answer) -> None:
    """An HTTP status, and a body of at most 8 KiB."""
    if not 100 <= value.status <= 599:
        raise InvalidField("answer.status", "100 to 599")
    if len(value.body) > MAX_BODY:
        raise InvalidField("answer.body", f"at most {MAX_BODY} bytes")


def label(value: int) -> None:
    """0 to 9."""
    if not 0 <= value <= 9:
        raise InvalidField("label", "0 to 9")
