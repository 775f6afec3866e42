"""What localmesh makes of random documents, in the form that istiod's answers have."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fuzz.documents import Document
from parity import cases, normalise, registry

from localmesh.translate import Unsupported, translate_for

Answers = dict[str, dict[str, Any]]
"""Caller → the answer of `parity.normalise`."""


@dataclass(frozen=True)
class Translation:
    """Exactly one of: `answers`; `refusal`, the message of an error that names the field; `crash`, a traceback."""

    answers: Answers = field(default_factory=dict)
    refusal: str = ""
    crash: str = ""


def translated(documents: Sequence[Document], callers: Sequence[str]) -> Translation:
    """What the documents mean for these callers."""
    mesh = registry.mesh(documents)
    try:
        made = {caller: translate_for(mesh, registry.callers()[caller]) for caller in callers}
        answers = {
            caller: normalise.answer(one.clusters, one.endpoints, one.routes, one.listeners)
            for caller, one in made.items()
        }
    except Unsupported as error:
        named = bool(error.resource and error.field and error.reason)
        return Translation(refusal=str(error)) if named else Translation(crash=f"nothing is named: {error}")
    except Exception:  # whatever it is, it is what the fuzzing looks for
        return Translation(crash=traceback.format_exc(limit=-3))
    return Translation(answers)


def difference(ours: Answers, theirs: Answers) -> list[str]:
    """One line for each resource that is not the same; none when all are.

    A port that policies name and no service has is no port here: nothing listens there.
    """
    found = []
    for caller in sorted(theirs):
        known = ours[caller].keys() | cases.expected(cases.BASELINE, caller).keys()
        nowhere = {key for key in theirs[caller] if key.startswith("inbound ") and key not in known}
        for key in sorted((ours[caller].keys() | theirs[caller].keys()) - nowhere):
            mine, right = ours[caller].get(key), theirs[caller].get(key)
            if mine != right:
                found.append(f"{caller}: {key}: " + "; ".join(_where(mine, right, "")))
    return found


def _where(mine: Any, right: Any, path: str) -> list[str]:
    """The smallest parts that differ."""
    if isinstance(mine, dict) and isinstance(right, dict):
        keys = [key for key in sorted(mine.keys() | right.keys()) if mine.get(key) != right.get(key)]
        return [one for key in keys for one in _where(mine.get(key), right.get(key), f"{path}.{key}")]
    if isinstance(mine, list) and isinstance(right, list) and len(mine) == len(right):
        pairs = [(index, pair) for index, pair in enumerate(zip(mine, right, strict=True)) if pair[0] != pair[1]]
        return [one for index, pair in pairs for one in _where(*pair, f"{path}[{index}]")]
    return [f"{path}: localmesh {mine!r}, istiod {right!r}"]
