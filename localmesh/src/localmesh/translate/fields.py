"""What a document may say: small checks that are put together into the shape of a kind.

A check takes a value and its path, and raises FieldError where the value is unknown, not supported or of the wrong
type. What has passed can be translated without asking again. An absent field and `null` are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from localmesh.translate.field_values import Check, FieldError, kind_of, label, text

Rule = Callable[[dict[str, Any]], "str | None"]
"""A condition on several fields of one message: the reason why it does not hold, or None."""


@dataclass(frozen=True, eq=False)
class Message:
    """A mapping with these fields and no others."""

    fields: Mapping[str, Check]
    rules: tuple[Rule, ...] = ()
    required: tuple[str, ...] = ()

    def __call__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise FieldError(path, f"must be a mapping, not {kind_of(value)}")
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
            raise FieldError(path, f"must be a list, not {kind_of(value)}")
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
            raise FieldError(path, f"must be a mapping, not {kind_of(value)}")
        for name, item in value.items():
            if not isinstance(name, str):
                raise FieldError(f"{path}.{name}", "a name must be text: put it in quotes")
            if self.name_of is not None:
                self.name_of(name, f"{path}.{name}")
            self.inner({} if item is None else item, f"{path}.{name}")


def mapping(inner: Check, name_of: Check | None = None) -> Check:
    """A mapping of free names to one shape; `null` is an empty message. `name_of` checks the names."""
    return Names(inner, name_of)


@dataclass(frozen=True, eq=False)
class Refused:
    """A field that Istio has and the laptop mesh has not."""

    instead: str

    def __call__(self, _value: object, path: str) -> None:
        raise FieldError(path, f"not supported on the laptop mesh; {self.instead}")


def refused(instead: str) -> Check:
    """A field that Istio has and the laptop mesh has not: `instead` says what it does have."""
    return Refused(instead)


@dataclass(frozen=True, eq=False)
class Noted:
    """A field that no parity case can show; the table of fields says why."""

    inner: Check
    note: str

    def __call__(self, value: object, path: str) -> None:
        self.inner(value, path)


def meaningless(inner: Check, why: str) -> Check:
    """A field that may be there and changes nothing on a laptop, and why."""
    return Noted(inner, f"meaningless: {why}")


def otherwise(inner: Check, how: str) -> Check:
    """A field that means what it means in Istio by another way, and which."""
    return Noted(inner, f"supported otherwise: {how}")


@dataclass(frozen=True, eq=False)
class Described:
    """A check by hand of what `shape` says to readers."""

    shape: Check
    check: Check

    def __call__(self, value: object, path: str) -> None:
        self.check(value, path)


def described(shape: Check, check: Check) -> Check:
    """A check that is written out, and the shape that the table of fields shows for it."""
    return Described(shape, check)


_UNSET: tuple[object, ...] = (None, "", [])
"""What is as good as absent: in protobuf texts and lists that are empty are not set."""


def at_most_one(*names: str) -> Rule:
    """At most one of these fields may be set."""

    def rule(value: dict[str, Any]) -> str | None:
        found = [name for name in names if value.get(name) not in _UNSET]
        return f"only one of {', '.join(names)} may be set, not {' and '.join(found)}" if len(found) > 1 else None

    return rule


def some_of(*names: str) -> Rule:
    """At least one of these fields must be set."""

    def rule(value: dict[str, Any]) -> str | None:
        found = any(value.get(name) not in _UNSET for name in names)
        return None if found else f"needs {' or '.join(names)}"

    return rule


def unique(field: str, key: str) -> Rule:
    """No two entries of the list `field` may have the same `key`."""

    def rule(value: dict[str, Any]) -> str | None:
        keys = [entry[key] for entry in value.get(field) or []]
        twice = sorted({one for one in keys if keys.count(one) > 1})
        return f"{field} has {', '.join(map(repr, twice))} twice" if twice else None

    return rule


def _export_to(value: object, path: str) -> None:
    listing(text)(value, path)
    names = list(value) if isinstance(value, list) else []
    if len(set(names)) < len(names) or ("*" in names and len(names) > 1):
        raise FieldError(path, "must be * alone, or . and namespaces, each once")
    for name in names:
        if name not in ("*", "."):
            label(name, path)


export_to = described(listing(text), _export_to)
"""`*` alone, or `.` and names of namespaces, each once."""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _nearest(name: str, fields: Mapping[str, Check]) -> str:
    near = get_close_matches(name, fields, n=1, cutoff=0.5)
    return f"the nearest supported one is {near[0]}" if near else f"supported: {', '.join(sorted(fields))}"
