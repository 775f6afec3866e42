"""What each chart shows, said in one line: the charts' titles."""

from __future__ import annotations

from inkmesh.load.bottleneck import own_part
from inkmesh.load.knee import knee, overload
from inkmesh.load.scaling import rises
from inkmesh.load.series import Line, Series


def load(series: Series, objective: float | None) -> str:
    """How much was asked for, and how much of it was answered."""
    plan = series.recording.plan
    if plan["shape"] == "breakpoint" and objective is not None:
        return _knee(series, objective)
    if plan["shape"] == "overload":
        return _overload(series)
    asked = series.users().highest()
    unit = "arrivals a second" if plan["arrivals"] == "open" else "users"
    return f"Load went up to {asked:.0f} {unit}; at most {series.rate().highest():.0f} requests were answered a second"


def latency(series: Series, objective: float | None) -> str:
    """The p95, and how long it was above its objective."""
    p95 = series.latency(0.95)
    overall = series.overall(0.95)
    if overall is None:
        return "No request was answered"
    if objective is None:
        return f"95 % of all answers came within {overall:.0f} ms"
    above = sum(y > objective for _, y in p95.known())
    if above:
        return f"p95 was above its objective of {objective:g} ms for {above} s; {overall:.0f} ms over the whole run"
    return f"p95 stayed below its objective of {objective:g} ms: {overall:.0f} ms over the whole run"


def errors(series: Series) -> str:
    """How many failed, and how."""
    total, requests = series.totals("errors"), series.totals("requests").total()
    if not total:
        return f"None of {requests:,} requests failed"
    kind, _ = total.most_common(1)[0]
    told, within = series.totals("refused").total(), series.refused(0.95)
    if within is not None and told >= total.total() / 2:
        return (
            f"{total.total():,} of {requests:,} requests failed; {told:,} of them were told to come again later, "
            f"95 % within {within:.0f} ms"
        )
    return f"{total.total():,} of {requests:,} requests failed ({total.total() / requests:.1%}), mostly: {kind}"


def pressure(series: Series) -> str:
    """How far the busiest autoscaler's metric was from its target."""
    lines = [line for line in series.pressure() if line.known()]
    if not lines:
        return "No autoscaler measured anything"
    busiest = max(lines, key=Line.highest)
    if busiest.highest() <= 110:
        return (
            f"No autoscaler had a reason to act: {busiest.name} was at {busiest.highest():.0f} % of its target at most"
        )
    what = busiest.name.partition(": ")[2] or "CPU"
    return f"{busiest.workload}'s {what} went up to {busiest.highest() / 100:.1f} times its target"


def replicas(series: Series) -> str:
    """What scaling did, and how long it took."""
    found = rises(series)
    if not found:
        return "Nothing was scaled up"
    return "Scaled up: " + "; ".join(map(str, found))


def spread(workload: str, lines: list[Line]) -> str:
    """Whether the replicas share the work, in the busiest second of all of them."""
    at, shares = _busiest(lines)
    if len(shares) < 2:
        return f"{workload}: one replica took all requests"
    each = f"{min(shares):.0%} to {max(shares):.0%} of the requests each"
    return f"{workload}: at {at:.0f} s, {len(shares)} replicas took {each}"


def versions(lines: list[Line]) -> str:
    """Who answered how much of the readings."""
    total = {line.name: sum(y for _, y in line.known()) for line in lines}
    everything = sum(total.values())
    if not everything:
        return "No reading was answered"
    return "Readings were answered by " + ", ".join(
        f"{name} ({count / everything:.0%})" for name, count in total.items()
    )


def events(series: Series) -> str:
    """What the mesh did beside routing, and what died."""
    names = {"ejections": "ejections", "retries": "retries", "refused": "refused by a full pool"}
    said = [f"{series.envoy(name).last() or 0:.0f} {words}" for name, words in names.items()]
    restarts = series.restarts().last() or 0
    return f"{', '.join(said)}, {restarts:.0f} {'restart' if restarts == 1 else 'restarts'}"


def generator(series: Series) -> str:
    """Whether what was measured is the product or the load generator."""
    own = own_part(series)
    if own.starved:
        return f"The machine had too little time for the load generator: {own}. Times are partly its own"
    if own.limited:
        return f"The load generator was the bottleneck: {own}. Times are partly its own"
    return f"The load generator was not the bottleneck: {own}"


def _knee(series: Series, objective: float) -> str:
    """Up to where answers come in time."""
    found = knee(series, objective)
    unit = "arrivals a second" if series.recording.plan["arrivals"] == "open" else "users"
    said = f"{found.load:.0f} {unit}, with {found.good:.0f} good answers a second"
    if not found.passed:
        return f"The knee was not reached: up to {said} the p95 stayed within {objective:g} ms"
    return f"The knee is at about {said}: beyond it the p95 stays above {objective:g} ms, or more than 1 % fail"


def _overload(series: Series) -> str:
    """How much is still done when there is too much to do."""
    found = overload(series)
    return (
        f"With three times as much to do {found.during:.0f} answers a second were good: {found.share:.0%} of the "
        f"{found.before:.0f} before"
    )


def _busiest(lines: list[Line]) -> tuple[float, list[float]]:
    """The moment when most replicas had work, the last one of them, and each one's share then."""
    moments: dict[float, list[float]] = {}
    for line in lines:
        for x, y in line.known():
            if y > 0:
                moments.setdefault(x, []).append(y)
    if not moments:
        return 0.0, []
    at = max(moments, key=lambda x: (len(moments[x]), sum(moments[x])))
    return at, [y / sum(moments[at]) for y in moments[at]]
