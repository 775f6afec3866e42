"""What replicas say of themselves at /metrics: the laptop's adapter of custom metrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from localmesh.fetch import Unanswered, fetch
from localmesh.replica import Replica

PORT, PATH = "http", "/metrics"
DEADLINE_SECONDS = 2.0
_MOST_BYTES = 16 * 1024 * 1024
_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{[^}]*\})? (?P<value>[\d.e+-]+)$", re.MULTILINE)


class OwnMetrics:
    """Each named metric is the growth a second of one of the replica's counters, in thousandths."""

    def __init__(self, counters: Mapping[str, str]) -> None:
        """`counters`: the metric's name in a HorizontalPodAutoscaler → the counter's in Prometheus' text format."""
        self.counters = counters
        self._before: dict[tuple[int, str], tuple[float, float]] = {}
        """(pid, metric) → when we looked, the counter then."""

    async def look(self, replicas: Iterable[Replica], names: Iterable[str], now: float) -> dict[str, dict[str, int]]:
        """Replica → metric → its growth since the look before; what does not answer has none. `now` in seconds."""
        wanted = [name for name in names if name in self.counters]
        asked = {one.process.pid: one for one in replicas if wanted and one.process is not None and PORT in one.ports}
        texts = await asyncio.gather(*map(_text, asked.values()))
        seen: dict[tuple[int, str], tuple[float, float]] = {}
        found: dict[str, dict[str, int]] = {}
        for (pid, replica), text in zip(asked.items(), texts, strict=True):
            for name in wanted if text else ():
                count = total(text, self.counters[name])
                before = self._before.get((pid, name))
                seen[pid, name] = (now, count)
                if before and now > before[0]:
                    found.setdefault(replica.name, {})[name] = round(1000 * (count - before[1]) / (now - before[0]))
        self._before = seen
        return found


def total(text: str, counter: str) -> float:
    """The sum of a counter over all of its labels."""
    return sum(float(one["value"]) for one in _SAMPLE.finditer(text) if one["name"] == counter)


async def _text(replica: Replica) -> str:
    """Empty when it does not answer."""
    try:
        answer = await fetch(f"http://{replica.ports[PORT]}{PATH}", within=DEADLINE_SECONDS, most=_MOST_BYTES)
    except (Unanswered, ValueError):
        return ""
    return answer.text if answer.status == HTTPStatus.OK else ""
