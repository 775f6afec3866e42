"""Digits that go bad: how far the models' inputs are from what they learned from, and when that was seen."""

from __future__ import annotations

import re

from inkmesh.load.series import Line, Series

CHANGED = 0.25
"""The population stability index from which on inputs are others than before; the alert ModelDrifts has the same."""
LEAST_ROWS = 500
"""Rows of a replica's window (a minute) without which the index is chance."""

_PSI = re.compile(r'^inkmesh_model_drift_psi\{[^}]*model="digits"[^}]*\} (?P<psi>[\d.e+-]+)$', re.MULTILINE)
_ROWS = re.compile(r'^inkmesh_model_drift_samples\{[^}]*model="digits"[^}]*\} (?P<rows>[\d.e+-]+)$', re.MULTILINE)


def measured(metrics: str) -> float | None:
    """The largest index of a replica's groups; None where it read too few digits, or is no model's."""
    rows = sum(float(one["rows"]) for one in _ROWS.finditer(metrics))
    if rows < LEAST_ROWS:
        return None
    return max((float(one["psi"]) for one in _PSI.finditer(metrics)), default=None)


def lines(series: Series) -> list[Line]:
    """Each version's index, a second: that of its replica that is furthest off."""
    samples = [one.get("drift", {}) for one in series.recording.samples]
    names = sorted({name for one in samples for name in one})
    return [Line(name, series.sampled, [one.get(name) for one in samples]) for name in names]


def seen_after(series: Series) -> float | None:
    """Seconds from the first bad digit until a version's index said so, that had not said so before; None: none did."""
    found = [_seen(line, series) for line in lines(series)]
    return min((after for after in found if after is not None), default=None)


def finding(series: Series) -> str:
    """What the chart shows."""
    drawn, plan = lines(series), series.recording.plan
    if not drawn:
        return (
            "Nobody measured the digits' drift: they were too few, or a cluster's alert ModelDrifts is to be looked at"
        )
    found = ", ".join(_said(line, series) for line in drawn)
    return f"Digits went bad ({plan['drift']}), and an index above {CHANGED} tells: {found}"


def _said(line: Line, series: Series) -> str:
    before, _ = _parts(line, series)
    seen = _seen(line, series)
    if seen is not None:
        return f"{line.name} in {seen:.0f} s ({max(before, default=0.0):.2f} before, {line.highest():.2f} at most)"
    if max(before, default=0.0) > CHANGED:
        return f"{line.name} was above it with good digits too ({max(before):.2f})"
    return f"{line.name} did not tell ({line.highest():.2f} at most)"


def _seen(line: Line, series: Series) -> float | None:
    before, after = _parts(line, series)
    if max(before, default=0.0) > CHANGED:
        return None
    return next((x for x, y in after if y > CHANGED), None)


def _parts(line: Line, series: Series) -> tuple[list[float], list[tuple[float, float]]]:
    """The index before the digits went bad; seconds since, and the index, from then on."""
    began = series.recording.plan["drift_after"]
    points = line.known()
    return [y for x, y in points if x < began], [(x - began, y) for x, y in points if x >= began]
