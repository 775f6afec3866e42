"""What a document may say: small checks that are put together into the shape of a kind.

A check takes a value and its path, and raises FieldError where the value is unknown, not supported or of the wrong
type. What has passed can be translated without asking again. An absent field and `null` are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from localmesh.translate import durations

Check = Callable[[object, str], None]
Rule = Callable[[dict[str, Any]], "str | None"]
"""A condition on several fields of one message: the reason why it does not hold, or None."""


class FieldError(ValueError):
    """A field's path and what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


@dataclass(frozen=True, eq=False)
class Message:
    """A mapping with these fields and no others."""

    fields: Mapping[str, Check]
    rules: tuple[Rule, ...] = ()
    required: tuple[str, ...] = ()

    def __call__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise FieldError(path, f"must be a mapping, not {_kind(value)}")
        for name, inner in value.items():
            if name not in self.fields:
                raise FieldError(_join(path, str(name)), f"unknown field; {_nearest(str(name), self.fields)}")
            if inner is not None:
                self.fields[name](inner, _join(path, name))
        for name in self.required:
            if value.get(name) is None:
                raise FieldError(_join(path, name), "is missing")
        for rule in self.rules:
            if reason := rule(value):
                raise FieldError(path, reason)


def message(rules: tuple[Rule, ...] = (), required: tuple[str, ...] = (), **fields: Check) -> Check:
    """A mapping with these fields and no others."""
    return Message(fields, rules, required)


def message_of(fields: Mapping[str, Check], rules: tuple[Rule, ...] = (), required: tuple[str, ...] = ()) -> Check:
    """The same for fields that have names of Python's, or `rules`."""
    return Message(fields, rules, required)


@dataclass(frozen=True, eq=False)
class Listing:
    """A list of one shape."""

    inner: Check
    at_least: int

    def __call__(self, value: object, path: str) -> None:
        if not isinstance(value, list):
            raise FieldError(path, f"must be a list, not {_kind(value)}")
        if len(value) < self.at_least:
            raise FieldError(path, "must not be empty")
        for index, item in enumerate(value):
            self.inner(item, f"{path}[{index}]")


def listing(inner: Check, at_least: int = 0) -> Check:
    """A list of one shape."""
    return Listing(inner, at_least)


@dataclass(frozen=True, eq=False)
class Names:
    """A mapping of free names to one shape."""

    inner: Check
    name_of: Check | None

    def __call__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise FieldError(path, f"must be a mapping, not {_kind(value)}")
        for name, item in value.items():
            if not isinstance(name, str):
                raise FieldError(f"{path}.{name}", "a name must be text: put it in quotes")
            if self.name_of is not None:
                self.name_of(name, f"{path}.{name}")
            self.inner({} if item is None else item, f"{path}.{name}")


def mapping(inner: Check, name_of: Check | None = None) -> Check:
    """A mapping of free names to one shape; `null` is an empty message. `name_of` checks the names."""
    return Names(inner, name_of)


def text(value: object, path: str) -> None:
    """Text; a bare `y`, `on` or number in YAML 1.1 is none."""
    if not isinstance(value, str):
        raise FieldError(path, f"must be text, not {_kind(value)}: put it in quotes")


def label(value: object, path: str) -> None:
    """A DNS label, as names in Kubernetes are: letters, digits and `-`."""
    text(value, path)
    if not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?", str(value)):
        raise FieldError(path, f"{value!r} is no DNS label")


def boolean(value: object, path: str) -> None:
    """Yes or no."""
    if not isinstance(value, bool):
        raise FieldError(path, f"must be true or false, not {_kind(value)}")


def integer(low: int = 0, high: int = 2**31 - 1) -> Check:
    """A whole number within bounds."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(path, f"must be a whole number, not {_kind(value)}")
        if not low <= value <= high:
            raise FieldError(path, f"must be between {low} and {high}")

    return check


def number(low: float, high: float) -> Check:
    """A number within bounds."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise FieldError(path, f"must be a number, not {_kind(value)}")
        if not low <= value <= high:
            raise FieldError(path, f"must be between {low:g} and {high:g}")

    return check


def duration(at_least: str = "1ms", step: str = "1ms") -> Check:
    """A duration as Go writes it, `500ms` or `1m30s`, in whole steps."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise FieldError(path, f"must be a duration such as 500ms or 5s, not {_kind(value)}")
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


@dataclass(frozen=True, eq=False)
class Refused:
    """A field that Istio has and the laptop mesh has not."""

    instead: str

    def __call__(self, _value: object, path: str) -> None:
        raise FieldError(path, f"not supported on the laptop mesh; {self.instead}")


def refused(instead: str) -> Check:
    """A field that Istio has and the laptop mesh has not: `instead` says what it does have."""
    return Refused(instead)


def at_most_one(*names: str) -> Rule:
    """At most one of these fields may be set."""

    def rule(value: dict[str, Any]) -> str | None:
        found = [name for name in names if value.get(name) not in (None, [])]
        return f"only one of {', '.join(names)} may be set, not {' and '.join(found)}" if len(found) > 1 else None

    return rule


def some_of(*names: str) -> Rule:
    """At least one of these fields must be set."""

    def rule(value: dict[str, Any]) -> str | None:
        found = any(value.get(name) is not None for name in names)
        return None if found else f"needs {' or '.join(names)}"

    return rule


def unique(field: str, key: str) -> Rule:
    """No two entries of the list `field` may have the same `key`."""

    def rule(value: dict[str, Any]) -> str | None:
        keys = [entry[key] for entry in value.get(field) or []]
        twice = sorted({one for one in keys if keys.count(one) > 1})
        return f"{field} has {', '.join(map(repr, twice))} twice" if twice else None

    return rule


def export_to(value: object, path: str) -> None:
    """`*` alone, or `.` and names of namespaces, each once."""
    listing(text)(value, path)
    names = list(value) if isinstance(value, list) else []
    if len(set(names)) < len(names) or ("*" in names and len(names) > 1):
        raise FieldError(path, "must be * alone, or . and namespaces, each once")
    for name in names:
        if name not in ("*", "."):
            label(name, path)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(value: object) -> str:
    return {dict: "a mapping", list: "a list", str: "text", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def _nearest(name: str, fields: Mapping[str, Check]) -> str:
    near = get_close_matches(name, fields, n=1, cutoff=0.5)
    return f"the nearest supported one is {near[0]}" if near else f"supported: {', '.join(sorted(fields))}"
