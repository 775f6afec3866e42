"""Random documents that Istio's CRDs allow: made from the CRDs' own schemas, a number each, always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
from fuzz import values

from localmesh.translate.documents import SHAPES
from localmesh.translate.table import rows

_SCHEMAS = Path(__file__).parents[1] / "manifests" / "schemas" / "istio.json"
_NUMBERS = (0, 1, 2, 7, 100)
_FRACTIONS = (0, 0.1, 1, 33.3, 100)
_RARE = 0.03
"""How often a field is drawn that the laptop always refuses, or a text that is empty: most documents shall mean
something."""
_EXPORTS = (("inkmesh", "istio-system"),) * 3 + (("inkmesh",), (".",))
"""Always said, and never `*`: thousands of documents shall not see each other in one istiod."""
Schema = Mapping[str, Any]
Document = dict[str, Any]
KINDS = tuple(json.loads(_SCHEMAS.read_text()))
"""`GROUP/VERSION KIND`, all that have a schema."""
_VALIDATORS = {name: jsonschema.Draft7Validator(one) for name, one in json.loads(_SCHEMAS.read_text()).items()}


_RULES = {"host": "inference", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}
_SERVER = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
_EDGE = {"selector": {"istio": "ingressgateway"}, "servers": [_SERVER]}
_BEHIND = {
    "hosts": ["shop.example.com", "inference.inkmesh.svc.cluster.local"],
    "gateways": ["random"],
    "http": [{"route": [{"destination": {"host": "inference", "port": {"number": 8080}}}]}],
}
_COMPANY = {
    "VirtualService": (("DestinationRule", "subsets", _RULES), ("Gateway", "edge", _EDGE)),
    "Gateway": (("VirtualService", "behind", _BEHIND),),
}
"""A kind → the documents that one of it needs beside itself to have an effect: kind, name, spec."""
_CALLERS = {
    "Gateway": ("ingress",),
    "VirtualService": ("gateway", "ingress"),
    "DestinationRule": ("gateway", "ingress"),
    "ServiceEntry": ("gateway",),
    "Sidecar": ("gateway",),
}


def callers(number: int) -> tuple[str, ...]:
    """Whose Envoys document `number` may change, by the names of `parity.registry`."""
    return _CALLERS.get(KINDS[number % len(KINDS)].split()[1], ("gateway", "inference"))


def folder(number: int) -> list[Document]:
    """Document `number` and those beside it."""
    random_one = document(number)
    company = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "inkmesh"},
            "spec": spec if kind == "Gateway" else {"exportTo": list(_EXPORTS[0]), **spec},
        }
        for kind, name, spec in _COMPANY.get(random_one["kind"], ())
    ]
    return [*company, random_one]


def document(number: int) -> Document:
    """Document `number`, the kinds in turns; in the namespace inkmesh."""
    kind = KINDS[number % len(KINDS)]
    version, _, name = kind.partition(" ")
    draw = _Draw(number, name, version.partition("/")[0])
    validator = _VALIDATORS[kind]
    while not validator.is_valid(spec := draw.value(validator.schema, "spec")):
        pass
    if "exportTo" in spec:
        spec["exportTo"] = list(_EXPORTS[number % len(_EXPORTS)])
    return {"apiVersion": version, "kind": name, "metadata": {"name": "random", "namespace": "inkmesh"}, "spec": spec}


class _Draw:
    """One document's chances."""

    def __init__(self, number: int, kind: str, group: str) -> None:
        self._random = random.Random(number)
        found = rows(SHAPES[group, kind], "spec")
        self._kind = kind
        known = [path for path, what in found if not what.startswith("refused")]
        self._known = {path[:end] for path in known for end in _ends(path)}

    def value(self, schema: Schema, path: str) -> Any:
        """Something that `schema` allows, most of the time; `path` as in FIELDS.md."""
        if "enum" in schema:
            known = [one for one in values.strings(path) if one in schema["enum"]]
            return self._random.choice(known or schema["enum"])
        kind = schema.get("type")
        field = path.rpartition(".")[2]
        if kind == "object":
            return self._mapping(schema, path) if "properties" in schema else self._names(schema, path)
        if kind == "array":
            count = self._random.choice((1, 1, 1, 2, 3))
            return [self.value(schema["items"], f"{path}[]") for _ in range(count)]
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind == "integer":
            return self._random.choice(values.INTEGERS.get(field, _NUMBERS))
        if kind == "number":
            return self._random.choice(_FRACTIONS)
        return "" if self._random.random() < _RARE / 3 else self._random.choice(values.strings(path))

    def _mapping(self, schema: Schema, path: str) -> dict[str, Any]:
        properties, wanted, left_out = schema["properties"], set(schema.get("required", ())), set()
        for names, may_be_none in _exclusive(schema):
            options = [name for name in names if self._likely(f"{path}.{name}")]
            needed = {one for fields in values.NEEDED.get(f"{self._kind} {path}", ()) for one in fields.split("|")}
            options = [one for one in options if one in needed] or options
            chosen = self._random.choice([*options, None] if may_be_none or not options else options)
            wanted |= {chosen} - {None}
            left_out |= set(names) - {chosen}
        for needed in values.NEEDED.get(f"{self._kind} {path}", ()):
            options = [one for one in needed.split("|") if one in properties and one not in left_out]
            if options and wanted.isdisjoint(options):
                wanted.add(self._random.choice(options))
            left_out |= set(options) - wanted
        wanted |= {"exportTo"} & properties.keys()
        free = [one for one in properties if one not in wanted | left_out and self._likely(f"{path}.{one}")]
        count = min(len(free), self._random.choice((0, 1, 1, 2, 2, 3)))
        wanted |= set(self._random.sample(free, count))
        return {name: self.value(properties[name], f"{path}.{name}") for name in properties if name in wanted}

    def _likely(self, path: str) -> bool:
        return path in self._known or self._random.random() < _RARE

    def _names(self, schema: Schema, path: str) -> dict[str, Any]:
        field = path.rpartition(".")[2].removesuffix("[]")
        name = self._random.choice(values.KEYS.get(field, ("a", "b")))
        inner = schema.get("additionalProperties")
        if not isinstance(inner, Mapping):
            return {}
        if name in values.MEMBERS and inner.get("type") == "string":
            return {name: self._random.choice(values.MEMBERS[name])}
        return {name: self.value(inner, f"{path}{{}}")}


def _ends(path: str) -> Iterator[int]:
    """Where the path ends, and where each field within it does."""
    yield len(path)
    yield from (index for index, one in enumerate(path) if one in ".[{")


def _exclusive(schema: Schema) -> Iterator[tuple[list[str], bool]]:
    """The fields of which only one may be there, and whether none may be as well."""
    for part in (schema, *schema.get("allOf", ())):
        options = [one for one in part.get("oneOf", ()) if "required" in one]
        names = [name for one in options for name in one["required"]]
        if names:
            yield names, len(options) < len(part["oneOf"])
