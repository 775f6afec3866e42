"""Istio's percentages as Envoy's fractions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_million(percentage: Mapping[str, Any]) -> dict[str, Any]:
    """`{value: 12.5}` → 125,000 of a million; a zero is left out, as in proto3 JSON."""
    return _fraction(int(percentage.get("value", 0) * 10000), "MILLION")


def of_hundred(percent: int) -> dict[str, Any]:
    """A whole percentage; HUNDRED is the denominator's default."""
    return _fraction(percent, None)


def _fraction(numerator: int, denominator: str | None) -> dict[str, Any]:
    out: dict[str, Any] = {"numerator": numerator} if numerator else {}
    return {**out, "denominator": denominator} if denominator else out
