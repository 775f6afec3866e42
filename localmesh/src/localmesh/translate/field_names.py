"""Checks of names and patterns, with what Istio's own validation asks of them (istio/pkg/config/validation)."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address

import re2

from localmesh.translate.field_values import Check, FieldError, label, text
from localmesh.translate.fields import mapping, message, refused

_LABEL = r"[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_TOP_LABEL = r"(?!\d+\.?$)"
"""The last label of several is no number."""
_NAME = re.compile(rf"(?=.{{1,255}}$)(?:{_LABEL}\.)*{_TOP_LABEL}{_LABEL}\.?")
_WITH_WILDCARD = re.compile(rf"(?=.{{1,255}}$)(?:\*|(?:\*-?)?{_LABEL})(?:\.(?:{_LABEL}\.)*{_TOP_LABEL}{_LABEL})?\.?")
_KEY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~A-Za-z0-9]+")
_VARIABLE = r"%[^%(\x00-\x08\x0a-\x1f\x7f]+(?:\( *[^()\"\\\[\]\x00-\x1f\x7f]+\) *)?%"
_HEADER_VALUE = re.compile(rf"(?:[^%\x00-\x08\x0a-\x1f\x7f]|%%|{_VARIABLE})*")
_LONGEST_REGEX = 1024


def _form(pattern: re.Pattern[str], what: str) -> Check:
    def check(value: object, path: str) -> None:
        text(value, path)
        if not pattern.fullmatch(str(value)):
            raise FieldError(path, f"{value!r} is no {what}")

    return check


name = _form(_NAME, "host's name")
"""A host: labels with dots between them."""
host = _form(_WITH_WILDCARD, "host's name")
"""The same, where the first label may begin with `*`."""
header = _form(_TOKEN, "header's name")
header_value = _form(_HEADER_VALUE, "header's value; a percent sign of its own is %%")
"""Plain text with Envoy's variables, `%NAME%` or `%NAME(ARGUMENT)%`."""
_label_key = _form(_KEY, "label's name")
labels = mapping(_form(_VALUE, "label's value"), _label_key)
"""Labels as Kubernetes allows them."""


def _without_star(value: object, path: str) -> None:
    text(value, path)
    if "*" in str(value):
        raise FieldError(path, "labels are compared as they are: no wildcards")


def _selecting(value: object, path: str) -> None:
    _without_star(value, path)
    if not value:
        raise FieldError(path, "a label's name must not be empty")


selected = mapping(_without_star, _selecting)
"""Labels that a workload must have."""
selector = message(matchLabels=selected)
no_targets = refused("there are no waypoints here; select workloads by `selector`")


def is_address(value: object) -> bool:
    """Whether it is an IP address."""
    try:
        ip_address(str(value))
    except ValueError:
        return False
    return True


def or_address(check: Check) -> Check:
    """The same, or an IP address."""

    def either(value: object, path: str) -> None:
        if not is_address(value):
            check(value, path)

    return either


def destination(value: object, path: str) -> None:
    """A service that requests are sent to."""
    host(value, path)
    if value == "*":
        raise FieldError(path, "* is no service: name one")


def gateway(value: object, path: str) -> None:
    """`mesh`, `NAME`, `NAMESPACE/NAME`, or the older `NAME.NAMESPACE…`."""
    text(value, path)
    namespace, slash, own = str(value).partition("/")
    if not slash:
        name(value, path)
        return
    label(namespace, path)
    label(own, path)


def in_namespace(of_namespace: Callable[[str], bool]) -> Check:
    """`NAMESPACE/HOST`, where the host is `*`, or a name with a dot and perhaps a `*` for its first label."""

    def check(value: object, path: str) -> None:
        text(value, path)
        namespace, _, own = str(value).rpartition("/")
        if not of_namespace(namespace):
            label(namespace, path)
        if own != "*" and "." not in own:
            raise FieldError(path, f"{own!r} is a short name; here hosts are *, or names with a dot")
        host(own, path)
        if own.startswith("*") and own != "*" and not own.startswith("*."):
            raise FieldError(path, f"{own!r} is a part of a label; * stands for whole labels")

    return check


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def regex(value: object, path: str) -> None:
    """A regular expression that RE2 reads, as Envoy does, and Go, which has one escape less."""
    text(value, path)
    if not value:
        raise FieldError(path, "must not be empty")
    if len(str(value)) > _LONGEST_REGEX:
        raise FieldError(path, f"a regular expression has {_LONGEST_REGEX} characters at most")
    try:
        re2.compile(str(value), _OPTIONS)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise FieldError(path, f"{value!r} is no regular expression as RE2 has them: {said}") from None
    if re.search(r"(?<!\\)(?:\\\\)*\\C", str(value)):
        raise FieldError(path, r"\C is not supported: Istio reads regular expressions without it")
