"""Checks of single values: text, numbers, durations and names."""

from __future__ import annotations

import re
from collections.abc import Callable

from localmesh.translate import durations

Check = Callable[[object, str], None]
"""Takes a value and its path; raises FieldError."""


class FieldError(ValueError):
    """A field's path and what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


def text(value: object, path: str) -> None:
    """Text; a bare `y`, `on` or number in YAML 1.1 is none."""
    if not isinstance(value, str):
        raise FieldError(path, f"must be text, not {kind_of(value)}: put it in quotes")


def some_text(value: object, path: str) -> None:
    """Text of one character at least."""
    text(value, path)
    if not value:
        raise FieldError(path, "must not be empty")


def label(value: object, path: str) -> None:
    """A DNS label, as names in Kubernetes are: letters, digits and `-`."""
    text(value, path)
    if not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?", str(value)):
        raise FieldError(path, f"{value!r} is no DNS label")


def boolean(value: object, path: str) -> None:
    """Yes or no."""
    if not isinstance(value, bool):
        raise FieldError(path, f"must be true or false, not {kind_of(value)}")


def integer(low: int = 0, high: int = 2**31 - 1) -> Check:
    """A whole number within bounds."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(path, f"must be a whole number, not {kind_of(value)}")
        if not low <= value <= high:
            raise FieldError(path, f"must be between {low} and {high}")

    return check


def number(low: float, high: float) -> Check:
    """A number within bounds."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise FieldError(path, f"must be a number, not {kind_of(value)}")
        if not low <= value <= high:
            raise FieldError(path, f"must be between {low:g} and {high:g}")

    return check


def duration(at_least: str = "1ms", step: str = "1ms") -> Check:
    """A duration as Go writes it, `500ms` or `1m30s`, in whole steps."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise FieldError(path, f"must be a duration such as 500ms or 5s, not {kind_of(value)}")
        try:
            length = durations.nanoseconds(value)
        except ValueError as error:
            raise FieldError(path, str(error)) from error
        if length < durations.nanoseconds(at_least):
            raise FieldError(path, f"must be at least {at_least}")
        if length % durations.nanoseconds(step):
            raise FieldError(path, f"must be a multiple of {step}")

    return check


def one_of(*names: str) -> Check:
    """One of an enumeration's names."""

    def check(value: object, path: str) -> None:
        text(value, path)
        if value not in names:
            raise FieldError(path, f"{value!r} is not supported; supported: {', '.join(names)}")

    return check


def kind_of(value: object) -> str:
    """What a value is, in words."""
    return {dict: "a mapping", list: "a list", str: "text", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )
