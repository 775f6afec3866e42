"""YAML files as kustomize reads them, with the traps of YAML 1.1 refused instead of guessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from localmesh.errors import ManifestError, shown

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_AMBIGUOUS = re.compile(r"^(y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$")


class _Loader(_BASE):  # type: ignore[misc]
    """Scalars as Go's YAML resolves them: no sexagesimal numbers, no dates, exponents without a dot."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own way)


def _ambiguous(_: yaml.SafeLoader, node: yaml.ScalarNode) -> None:
    raise yaml.constructor.ConstructorError(
        None, None, f"a bare `{node.value}` is a boolean in YAML 1.1 and a string in 1.2: quote it", node.start_mark
    )


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    if re.match(r"0[0-7]+$", digits):
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).replace("_", "").lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_implicit_resolver("!ambiguous", _AMBIGUOUS, list("yYnNoO"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"),
    list("-+.0123456789"),
)
_Loader.add_constructor("!ambiguous", _ambiguous)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def parse_all(text: str, origin: Path) -> list[Any]:
    """Every document in `text` that is not empty. Raises ManifestError with the line that is wrong."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ManifestError(shown(origin), "", line, problem) from None


def read_all(path: Path) -> list[Any]:
    """Every document of a file."""
    return parse_all(read_text(path, path), path)


def read_text(path: Path, named_in: Path) -> str:
    """A file's text. Raises ManifestError that names the file it was asked for in."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ManifestError(shown(named_in), "", "", f"{shown(path)}: {reason}") from None
