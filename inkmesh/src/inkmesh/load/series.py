"""Lines against time, made of a recording: x is seconds since the run began, one point a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from inkmesh.load.recording import Recording

WINDOW = 3
"""Seconds whose requests make one point of a percentile: one second alone jumps about."""
KNEE_SECONDS = 5
"""Seconds that make one point where the best rate is looked for."""


@dataclass(frozen=True)
class Line:
    """Points of one thing; `y` is None where nothing is known."""

    name: str
    x: list[float]
    y: list[float | None]

    @property
    def workload(self) -> str:
        """Whose it is: `WORKLOAD`, or `WORKLOAD: METRIC`."""
        return self.name.partition(":")[0]

    def known(self) -> list[tuple[float, float]]:
        """The points that are."""
        return [(x, y) for x, y in zip(self.x, self.y, strict=True) if y is not None]

    def highest(self) -> float:
        """The largest y, 0 without points."""
        return max((y for _, y in self.known()), default=0.0)

    def last(self) -> float | None:
        """The last known y."""
        points = self.known()
        return points[-1][1] if points else None


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment."""

    x: float
    text: str


def quantile(times: Mapping[str, int] | Counter[str], share: float) -> float | None:
    """The time (milliseconds) that `share` of the requests did not exceed; None without requests."""
    total = sum(times.values())
    if total == 0:
        return None
    passed = 0
    for milliseconds, count in sorted((float(one), count) for one, count in times.items()):
        passed += count
        if passed >= share * total:
            return milliseconds
    return None


class Series:
    """Every line that is drawn or judged."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._began = recording.began
        self._all = recording.seconds
        # The last line is of a part of a second: it counts in sums, and is no point.
        self._seconds = [one for one in recording.seconds if "users" in one]
        self._samples = recording.samples
        self.x = [round(one["t"] - self._began, 1) for one in self._seconds]
        self.sampled = [round(one["t"] - self._began, 1) for one in self._samples]

    def users(self) -> Line:
        """Users, or arrivals a second that were meant to be."""
        return Line("users", self.x, [one.get("users") for one in self._seconds])

    def rate(self) -> Line:
        """Requests answered a second, right or wrong."""
        return Line("requests/s", self.x, [float(sum(one["requests"].values())) for one in self._seconds])

    def good(self) -> Line:
        """Requests answered rightly a second."""
        return Line("good", self.x, [float(_good(one)) for one in self._seconds])

    def steady_good(self) -> Line:
        """Requests answered rightly a second, as the mean of five seconds: one second alone is luck."""
        values = [_good(one) for one in self._seconds]
        means = [
            float(sum(values[index - KNEE_SECONDS + 1 : index + 1]) / KNEE_SECONDS)
            if index >= KNEE_SECONDS - 1
            else None
            for index in range(len(values))
        ]
        return Line("good", self.x, means)

    def latency(self, share: float) -> Line:
        """A percentile of the times, milliseconds, over the last seconds."""
        found: list[float | None] = []
        for index in range(len(self._seconds)):
            together: Counter[str] = Counter()
            for one in self._seconds[max(0, index - WINDOW + 1) : index + 1]:
                together.update(one["times"])
            found.append(quantile(together, share))
        return Line(f"p{share * 100:g}", self.x, found)

    def overall(self, share: float) -> float | None:
        """A percentile of the whole run's times, milliseconds."""
        return quantile(self.totals("times"), share)

    def failing(self) -> Line:
        """The share of requests that failed over the last seconds, 0 to 1."""
        found: list[float | None] = []
        for index in range(len(self._seconds)):
            window = self._seconds[max(0, index - WINDOW + 1) : index + 1]
            asked = sum(sum(one["requests"].values()) for one in window)
            failed = sum(sum(one["errors"].values()) for one in window)
            found.append(failed / asked if asked else None)
        return Line("failing", self.x, found)

    def sent_late(self, share: float) -> float | None:
        """A percentile of the time from when a request was due until it was sent, milliseconds; open arrivals only."""
        return quantile(self.totals("late"), share)

    def refused(self, share: float) -> float | None:
        """A percentile of the times of those that were told to come later, milliseconds."""
        return quantile(self.totals("refused"), share)

    def counted(self, field: str) -> list[Line]:
        """The journal's counts by name (`errors`, `versions`, `replicas`), a second, most of all first."""
        return [
            Line(name, self.x, [float(one[field].get(name, 0)) for one in self._seconds])
            for name, _ in self.totals(field).most_common()
        ]

    def totals(self, field: str) -> Counter[str]:
        """Counts of the whole run by name."""
        total: Counter[str] = Counter()
        for one in self._all:
            total.update(one.get(field, {}))
        return total

    def workloads(self) -> list[str]:
        """Names, those first that an autoscaler scales."""
        scaled = [one["workload"] for sample in self._samples[:1] for one in sample["autoscalers"]]
        return list(dict.fromkeys([*scaled, *(self._samples[0]["workloads"] if self._samples else {})]))

    def of_workload(self, name: str, field: str) -> Line:
        """`desired`, `ready` or `restarts` of one workload."""
        values = [_number(one["workloads"].get(name, {}).get(field)) for one in self._samples]
        return Line(name, self.sampled, values)

    def scaled(self) -> list[str]:
        """Workloads whose wanted replicas changed."""
        return [name for name in self.workloads() if len({y for _, y in self.of_workload(name, "desired").known()}) > 1]

    def pressure(self) -> list[Line]:
        """Each metric of each autoscaler as percent of its target: `WORKLOAD` is its CPU, others `WORKLOAD: METRIC`."""
        names = dict.fromkeys(_metric(one) for sample in self._samples for one in sample["autoscalers"])
        return [Line(name, self.sampled, [_pressure(sample, name) for sample in self._samples]) for name in names]

    def served(self, workload: str) -> list[Line]:
        """Requests a second of each of the workload's replicas: as they count them, else as answers name them."""
        if not any(sample["served"] for sample in self._samples):
            return [line for line in self.counted("replicas") if line.name.startswith(f"{workload}-")]
        names = dict.fromkeys(
            name for one in self._samples for name, its in one["served"].items() if its["workload"] == workload
        )
        return [Line(name, self.sampled, self._growth(name)) for name in names]

    def envoy(self, field: str) -> Line:
        """`ejected` as it is; others as they grow from the first second on.

        What falls is no news: Envoy forgets what a policy counted when it ends, and a pod takes its part along.
        """
        values = [float(one["envoy"].get(field, 0)) for one in self._samples]
        if field != "ejected":
            growth = (max(0.0, after - before) for before, after in pairwise(values))
            values = list(accumulate(growth, initial=0.0)) if values else []
        return Line(field, self.sampled, list(values))

    def restarts(self) -> Line:
        """Processes started again since the run began."""
        sums = [float(sum(its["restarts"] for its in one["workloads"].values())) for one in self._samples]
        return Line("restarts", self.sampled, [max(0.0, value - sums[0]) for value in sums])

    def cpu(self, names: Iterable[str] | None = None) -> Line:
        """Cores used by the processes of these names; of all without names."""
        wanted = None if names is None else set(names)
        return Line("cpu", self.sampled, [_cpu(one, wanted) for one in self._samples])

    def own(self, field: str) -> Line:
        """The load generator's `cpu` (cores) or `lag` (seconds)."""
        return Line(field, self.x, [_number(one.get(field)) for one in self._seconds])

    def marks(self) -> list[Mark]:
        """The scenario at the beginning, its changes, and restarts of Envoy."""
        first = self._samples[0]["scenario"] if self._samples else None
        found = [Mark(self.sampled[0], first)] if first else []
        if drift := self.recording.plan.get("drift"):
            found.append(Mark(self.recording.plan["drift_after"], f"bad digits: {drift}"))
        for before, after, x in zip(self._samples, self._samples[1:], self.sampled[1:], strict=False):
            if after["scenario"] != before["scenario"]:
                found.append(Mark(x, after["scenario"] or "no scenario"))
            if after["envoy"]["restarts"] > before["envoy"]["restarts"]:
                found.append(Mark(x, "Envoy restarted"))
        return found

    def _growth(self, replica: str) -> list[float | None]:
        found: list[float | None] = []
        before: tuple[float, float] | None = None
        for sample in self._samples:
            its = sample["served"].get(replica)
            rate = None
            if its is not None:
                if before is not None and its["count"] >= before[1]:
                    rate = (its["count"] - before[1]) / max(sample["t"] - before[0], 1e-3)
                before = (sample["t"], its["count"])
            found.append(rate)
        return found


def _good(second: dict[str, Any]) -> int:
    return int(sum(second["requests"].values())) - int(sum(second["errors"].values()))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _metric(autoscaler: dict[str, Any]) -> str:
    metric = autoscaler.get("metric", "cpu")
    return str(autoscaler["workload"]) + ("" if metric == "cpu" else f": {metric.replace('_', ' ')}")


def _pressure(sample: dict[str, Any], name: str) -> float | None:
    for one in sample["autoscalers"]:
        if _metric(one) == name and one["current"] is not None and one["target"]:
            return float(100 * one["current"] / one["target"])
    return None


def _cpu(sample: dict[str, Any], names: set[str] | None) -> float | None:
    values = [used for name, used in sample["cpu"].items() if names is None or name in names]
    return sum(values) if values else None
