"""The fields of an http match that are translated."""

from __future__ import annotations

import re

from localmesh.translate.field_values import FieldError, boolean, integer, text
from localmesh.translate.fields import Rule, at_most_one, listing, mapping, message

_KINDS = ("exact", "prefix", "regex")
_ONE_KIND = at_most_one(*_KINDS)


def _not_empty(*kinds: str) -> Rule:
    def rule(match: dict[str, object]) -> str | None:
        empty = [kind for kind in kinds if match.get(kind) == ""]
        return f"{empty[0]} must not be empty" if empty else None

    return rule


def _regex(value: object, path: str) -> None:
    text(value, path)
    if str(value).startswith("*"):
        raise FieldError(path, "no regular expression begins with *; {} means that any value will do")


STRING_MATCH = message(exact=text, prefix=text, regex=_regex, rules=(_ONE_KIND, _not_empty("prefix", "regex")))
_URI = message(exact=text, prefix=text, regex=_regex, rules=(_ONE_KIND, _not_empty("regex")))
# Here, and only here, istiod lets the regular expression * stand for presence.
_WITHOUT = message(exact=text, prefix=text, regex=text, rules=(_ONE_KIND, _not_empty("prefix", "regex")))


def _header(name: object, path: str) -> None:
    if str(name).startswith("@request.auth."):
        raise FieldError(path, "not supported on the laptop mesh; match a header that the service can check")
    if not re.fullmatch(r"[-_A-Za-z0-9]+|:(method|scheme|authority|path)", str(name)):
        raise FieldError(path, f"{name!r} is no header's name")


HTTP_MATCH = message(
    name=text,
    uri=_URI,
    scheme=STRING_MATCH,
    method=STRING_MATCH,
    authority=STRING_MATCH,
    headers=mapping(STRING_MATCH, _header),
    port=integer(1, 65535),
    sourceLabels=mapping(text),
    gateways=listing(text),
    queryParams=mapping(STRING_MATCH),
    ignoreUriCase=boolean,
    withoutHeaders=mapping(_WITHOUT, _header),
    sourceNamespace=text,
    statPrefix=text,
)
