"""Random documents that Istio's CRDs allow: made from the CRDs' own schemas, a number each, always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from fuzz import envoy_filters, mending, values

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
_LEAF = {
    "http": [
        {"match": [{"uri": {"prefix": "/api/v2"}}], "name": "leaf", "route": [{"destination": {"host": "payment"}}]},
        {"route": [{"destination": {"host": "frontend"}}], "timeout": "3s"},
    ]
}
_LEADING = {
    "hosts": ["payment", "inference.inkmesh.svc.cluster.local"],
    "http": [
        {
            "match": [{"uri": {"prefix": "/a"}}],
            "mirror": {"host": "echo.visitors.svc.cluster.local"},
            "route": [{"destination": {"host": "inference", "port": {"number": 8080}}}],
        },
        {"route": [{"destination": {"host": "frontend"}}]},
    ],
}
_OUTSIDE = {
    "hosts": ["bank.example.com", "shop.example.com", "*.example.org"],
    "http": [{"route": [{"destination": {"host": "api.example.com"}}], "mirror": {"host": "bank.example.com"}}],
}
_WITH_TLS = {
    "host": "*.example.com",
    "trafficPolicy": {"tls": {"mode": "SIMPLE"}, "loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}},
    "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
}
_COMPANY = {
    "VirtualService": (
        ("DestinationRule", "subsets", _RULES),
        ("Gateway", "edge", _EDGE),
        ("VirtualService", "leaf", _LEAF),
    ),
    "Gateway": (("VirtualService", "behind", _BEHIND),),
    "EnvoyFilter": (("Gateway", "edge", _EDGE),),
    "ServiceEntry": (("VirtualService", "outside", _OUTSIDE), ("DestinationRule", "with-tls", _WITH_TLS)),
    "Sidecar": (("VirtualService", "leading", _LEADING),),
}
"""A kind → the documents that one of it needs beside itself to have an effect: kind, name, spec."""
_TOGETHER = 0.3
"""How often a second random document is there: those of several documents must be put in order and merged."""
_SHAPED = 0.9
"""How many EnvoyFilters have one of the two shapes that are translated."""
_CALLERS = {
    "Gateway": ("ingress",),
    "VirtualService": ("gateway", "ingress"),
    "DestinationRule": ("gateway", "ingress"),
    "ServiceEntry": ("gateway",),
    "Sidecar": ("gateway",),
    "EnvoyFilter": ("inference", "ingress"),
}


def callers(number: int) -> tuple[str, ...]:
    """Whose Envoys the documents of `number` may change, by the names of `parity.registry`."""
    kinds = {one["kind"] for one in _random_ones(number)}
    return tuple(sorted({caller for kind in kinds for caller in _CALLERS.get(kind, ("gateway", "inference"))}))


def folder(number: int) -> list[Document]:
    """Document `number`, the last, and those beside it."""
    random_ones = _random_ones(number)
    kinds = dict.fromkeys(one["kind"] for one in random_ones)
    beside = {(kind, name): spec for one in kinds for kind, name, spec in _COMPANY.get(one, ())}
    company = [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "inkmesh"},
            "spec": spec if kind == "Gateway" else {"exportTo": list(_EXPORTS[0]), **spec},
        }
        for (kind, name), spec in beside.items()
    ]
    return [*company, *random_ones]


@cache
def _random_ones(number: int) -> list[Document]:
    """One, or a second one beside it whose name comes first or last; of the same kind half of the time."""
    chance = random.Random(f"{number} together")
    if chance.random() >= _TOGETHER:
        return [document(number)]
    other = document(chance.randrange(10**9) * len(KINDS) + chance.choice((number, chance.randrange(len(KINDS)))))
    other["metadata"]["name"] = chance.choice(("another", "second"))
    return [other, document(number)]


def document(number: int) -> Document:
    """Document `number`, the kinds in turns; in the namespace inkmesh."""
    kind = KINDS[number % len(KINDS)]
    version, _, name = kind.partition(" ")
    namespace = "inkmesh"
    chance = random.Random(number)
    draw = _Draw(chance, name, version.partition("/")[0])
    validator = _VALIDATORS[kind]
    while not validator.is_valid(spec := mending.mended(name, draw.value(validator.schema, "spec"), chance)):
        pass
    if "exportTo" in spec:
        spec["exportTo"] = list(_EXPORTS[number // len(KINDS) % len(_EXPORTS)])
    if name == "EnvoyFilter" and chance.random() < _SHAPED:
        # Under other names (`oracle.py`) istio-system is no root namespace: what is there is for the edge.
        namespace = chance.choice(("inkmesh", "istio-system"))
        spec = envoy_filters.spec(chance, edge=namespace == "istio-system")
    return {"apiVersion": version, "kind": name, "metadata": {"name": "random", "namespace": namespace}, "spec": spec}


class _Draw:
    """One document's chances."""

    def __init__(self, chance: random.Random, kind: str, group: str) -> None:
        self._random = chance
        found = rows(SHAPES[group, kind], "spec")
        self._kind = kind
        known = [path for path, what in found if not what.startswith("refused")]
        self._known = {path[:end] for path in known for end in _ends(path)}

    def value(self, schema: Schema, path: str) -> Any:
        """Something that `schema` allows, most of the time; `path` as in FIELDS.md."""
        if "enum" in schema:
            known = [one for one in values.strings(f"{self._kind} {path}") if one in schema["enum"]]
            return self._random.choice(known or schema["enum"])
        kind = schema.get("type")
        field = path.rpartition(".")[2]
        if kind == "object":
            return self._mapping(schema, path) if "properties" in schema else self._names(schema, path)
        if kind == "array":
            count = 1 if f"{self._kind} {path}" in values.SINGLE else self._random.choice((1, 1, 1, 2, 3))
            return [self.value(schema["items"], f"{path}[]") for _ in range(count)]
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind == "integer":
            return self._random.choice(values.INTEGERS.get(field, _NUMBERS))
        if kind == "number":
            return self._random.choice(values.FRACTIONS.get(field, _FRACTIONS))
        return "" if self._random.random() < _RARE / 3 else self._random.choice(values.strings(f"{self._kind} {path}"))

    def _mapping(self, schema: Schema, path: str) -> dict[str, Any]:
        properties, wanted, left_out = schema["properties"], set(schema.get("required", ())), set()
        for names, may_be_none in _exclusive(schema):
            options = [name for name in names if self._likely(f"{path}.{name}")]
            needed = {one for fields in values.needed(f"{self._kind} {path}") for one in fields.split("|")}
            options = [one for one in options if one in needed] or options
            chosen = self._random.choice([*options, None] if may_be_none or not options else options)
            wanted |= {chosen} - {None}
            left_out |= set(names) - {chosen}
        for needed in values.needed(f"{self._kind} {path}"):
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
        name = self._random.choice(values.keys(path, field))
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
