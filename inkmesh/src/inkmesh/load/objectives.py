"""What a run must show: objectives from one readable file, each a check with its numbers, judged on the recording."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkmesh.load import drift
from inkmesh.load.knee import overload
from inkmesh.load.scaling import fell_back, rises
from inkmesh.load.series import Series
from localmesh.errors import LocalmeshError


@dataclass(frozen=True)
class Verdict:
    """One objective, whether it holds, and what was found."""

    name: str
    holds: bool
    found: str


Check = Callable[[Series, Mapping[str, Any]], tuple[bool, str]]


def judge(series: Series, file: Path) -> list[Verdict]:
    """Every objective of `file` for the run's shape. Raises LocalmeshError when the file cannot be used."""
    plan = series.recording.plan
    kinds = {plan["shape"], "drift"} if plan.get("drift") else {plan["shape"]}
    verdicts = []
    for one in _objectives(file):
        if kinds & set(one.get("shapes", kinds)):
            holds, found = CHECKS[one["check"]](series, one)
            verdicts.append(Verdict(one["name"], holds, found))
    return verdicts


def p95_objective(file: Path) -> float | None:
    """The milliseconds that the file names first: drawn as a line."""
    return next((float(one["p95_ms"]) for one in _objectives(file) if "p95_ms" in one), None)


def _objectives(file: Path) -> list[dict[str, Any]]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))["objective"]
        for one in found:
            check, name = one["check"], one["name"]
            if check not in CHECKS:
                raise LocalmeshError(f"{file}: {name}: there is no check `{check}`", f"There is: {', '.join(CHECKS)}.")
            if missing := [number for number in NEEDS.get(check, ()) if not isinstance(one.get(number), int | float)]:
                raise LocalmeshError(f"{file}: {name}: {missing[0]} must be a number", "Add it to that objective.")
    except OSError as error:
        raise LocalmeshError(f"{file}: {error.strerror}", "Name the file with --objectives.") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise LocalmeshError(
            f"{file} is not a list of [[objective]] with name and check: {error}", "Mend it."
        ) from None
    return list(found)


def _scaled_up(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    found = rises(series)
    if not found:
        pressure = max((line.highest() for line in series.pressure()), default=0)
        return False, f"nothing was scaled up; the CPU was at {pressure:.0f} % of its target at most"
    in_time = all(rise.took is not None and rise.took < wanted["within_seconds"] for rise in found)
    return in_time, "; ".join(map(str, found))


def _scaled_down(series: Series, _: Mapping[str, Any]) -> tuple[bool, str]:
    found = fell_back(series)
    if not found:
        return False, "nothing was scaled up"
    kept = [name for name, fell in found.items() if not fell]
    return not kept, f"{', '.join(kept)} did not go back by the end" if kept else f"{', '.join(found)} went back"


def _p95(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    found = series.overall(0.95)
    if found is None:
        return False, "no request was answered"
    return found <= wanted["p95_ms"], f"{found:.0f} ms over the whole run"


def _p95_recovers(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    times = [rise.ready for rise in rises(series) if rise.ready is not None]
    if not times:
        return _p95(series, wanted)
    after = [(x - max(times), y) for x, y in series.latency(0.95).known() if x >= max(times)]
    within = next((x for x, y in after if y <= wanted["p95_ms"]), None)
    if within is None:
        return False, f"never at or below {wanted['p95_ms']:g} ms after the last replica was ready"
    return within <= wanted["within_seconds"], f"{within:.0f} s after the last replica was ready"


def _errors(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    errors, requests = series.totals("errors"), series.totals("requests").total()
    share = errors.total() / requests if requests else 1.0
    kinds = ", ".join(f"{count} × {kind}" for kind, count in errors.most_common(3))
    return share <= wanted["at_most"], f"{share:.2%} of {requests}" + (f": {kinds}" if kinds else "")


def _books(series: Series, _: Mapping[str, Any]) -> tuple[bool, str]:
    books, audit = series.recording.books, series.recording.audit
    checked = books.get("right", 0) + books.get("wrong", 0)
    said = (
        f"{books.get('wrong', 0)} of {checked} visitors' books differ; payment audit: {audit.get('said', 'not asked')}"
    )
    if books.get("unknown"):
        said += f"; {books['unknown']} visitors got no definite answer"
    return not books.get("wrong") and checked > 0 and audit.get("code") == 0, said


def _served(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    best = series.steady_good().highest()
    return best >= wanted["at_least"], f"{best:.0f} good answers a second in the best five seconds"


def _drift_seen(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    seen = drift.seen_after(series)
    return seen is not None and seen <= wanted["within_seconds"], drift.finding(series)


def _goodput(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    found = overload(series)
    said = f"{found.during:.0f} good answers a second, {found.share:.0%} of the {found.before:.0f} before"
    return found.share >= wanted["at_least_share"], said


def _refusals(series: Series, wanted: Mapping[str, Any]) -> tuple[bool, str]:
    told, within = series.totals("refused").total(), series.refused(0.95)
    requests = series.totals("requests").total()
    others = series.totals("errors").total() - told
    if within is None:
        return not others and requests > 0, f"none was refused, {others} of {requests} failed in other ways"
    said = f"{told} of {requests} refused with Retry-After, 95 % within {within:.0f} ms; {others} failed in other ways"
    return within <= wanted["refused_p95_ms"] and others <= wanted["others_at_most"] * requests, said


CHECKS: Mapping[str, Check] = {
    "scaled_up": _scaled_up,
    "scaled_down": _scaled_down,
    "p95": _p95,
    "p95_recovers": _p95_recovers,
    "errors": _errors,
    "books": _books,
    "served": _served,
    "goodput": _goodput,
    "refusals": _refusals,
    "drift_seen": _drift_seen,
}
"""By the name that the file uses."""
NEEDS = {
    "scaled_up": ("within_seconds",),
    "p95": ("p95_ms",),
    "p95_recovers": ("p95_ms", "within_seconds"),
    "errors": ("at_most",),
    "served": ("at_least",),
    "goodput": ("at_least_share",),
    "refusals": ("refused_p95_ms", "others_at_most"),
    "drift_seen": ("within_seconds",),
}
"""The numbers that each check reads."""
