"""The fields of an http match that are translated."""

from __future__ import annotations

from localmesh.translate import field_names
from localmesh.translate.field_values import FieldError, boolean, integer, label, text
from localmesh.translate.fields import Rule, at_most_one, listing, mapping, message

_KINDS = ("exact", "prefix", "regex")
_ONE_KIND = at_most_one(*_KINDS)


def _not_empty(*kinds: str) -> Rule:
    def rule(match: dict[str, object]) -> str | None:
        empty = [kind for kind in kinds if match.get(kind) == ""]
        return f"{empty[0]} must not be empty" if empty else None

    return rule


def _regex(value: object, path: str) -> None:
    if value == "*":
        raise FieldError(path, "* is no regular expression; {} means that any value will do")
    field_names.regex(value, path)


def _regex_or_presence(value: object, path: str) -> None:
    if value != "*":
        field_names.regex(value, path)


STRING_MATCH = message(exact=text, prefix=text, regex=_regex, rules=(_ONE_KIND, _not_empty("prefix")))
_URI = message(exact=text, prefix=text, regex=_regex, rules=(_ONE_KIND,))
# Here, and only here, istiod lets the regular expression * stand for presence.
_WITHOUT = message(exact=text, prefix=text, regex=_regex_or_presence, rules=(_ONE_KIND, _not_empty("prefix")))


def _header(name: object, path: str) -> None:
    if str(name).startswith("@request.auth."):
        raise FieldError(path, "not supported on the laptop mesh; match a header that the service can check")
    if name not in (":method", ":scheme", ":authority", ":path", ":status"):
        field_names.header(name, path)


def _namespace(value: object, path: str) -> None:
    if value != "":
        label(value, path)


HTTP_MATCH = message(
    name=text,
    uri=_URI,
    scheme=STRING_MATCH,
    method=STRING_MATCH,
    authority=STRING_MATCH,
    headers=mapping(STRING_MATCH, _header),
    port=integer(1, 65535),
    sourceLabels=field_names.labels,
    gateways=listing(field_names.gateway),
    queryParams=mapping(STRING_MATCH),
    ignoreUriCase=boolean,
    withoutHeaders=mapping(_WITHOUT, _header),
    sourceNamespace=_namespace,
    statPrefix=text,
)
