"""The questions that dashboards, recording rules and alerts ask of Prometheus, read from k8s/components/monitoring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml

from product import ROOT

FOLDER = ROOT / "k8s" / "components" / "monitoring"
RULES = sorted(FOLDER.glob("rules/*.yaml"))
DASHBOARDS = sorted(FOLDER.glob("dashboards/*.json"))


@dataclass(frozen=True)
class Question:
    """A query, and where it stands."""

    name: str
    query: str

    def metrics(self) -> set[str]:
        """The metrics that it names."""
        return set(_selected(promql_parser.parse(self.query)))


def rules() -> list[dict[str, Any]]:
    return [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[Question]:
    """One for each query of each panel."""
    return [
        Question(f"{file.stem}: {panel['title']} ({target['refId']})", target["expr"])
        for file in DASHBOARDS
        for panel in json.loads(file.read_text())["panels"]
        for target in panel["targets"]
    ]


def recordings() -> list[Question]:
    """One for each recording rule."""
    return [Question(rule["record"], rule["expr"]) for rule in rules() if "record" in rule]


def alerts() -> list[Question]:
    """One for each alert."""
    return [Question(rule["alert"], rule["expr"]) for rule in rules() if "alert" in rule]


def _selected(node: Any) -> Iterator[str]:
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str):
            yield from _selected(child)
    for child in getattr(node, "args", None) or []:
        yield from _selected(child)
