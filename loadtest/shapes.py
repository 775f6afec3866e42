"""Locust's shapes: users over time, up to --users within --run-time. schedules.py is the arithmetic."""

from __future__ import annotations

from typing import Any

import schedules
from locust import LoadTestShape

DEFAULT_USERS = 20
SPAWN_RATE = 50.0
"""Users that come or go in a second when a shape wants more or fewer."""
DEFAULT_SECONDS = 120.0

Tick = tuple[int, float] | None


class Shape(LoadTestShape):
    """What all have in common: the settings, and that users come and go at once."""

    abstract = True
    use_common_options = True

    @property
    def options(self) -> Any:  # noqa: ANN401 (Locust's namespace)
        assert self.runner is not None
        return self.runner.environment.parsed_options

    @property
    def peak(self) -> int:
        return self.options.num_users or DEFAULT_USERS

    @property
    def seconds(self) -> float:
        return float(self.options.run_time or DEFAULT_SECONDS)

    def tick(self) -> Tick:
        users = self.users(self.get_run_time())
        return None if users is None else (users, SPAWN_RATE)

    def users(self, second: float) -> int | None:
        """How many users at that second; None: the end."""
        raise NotImplementedError


class Steps(Shape):
    """Equal steps up to the peak, then little for --shape-rest: does it scale, and scale back."""

    def users(self, second: float) -> int | None:
        options = self.options
        return schedules.steps(
            second,
            peak=self.peak,
            seconds=self.seconds,
            count=options.shape_steps,
            base=options.shape_base,
            rest=options.shape_rest,
        )


class Spike(Shape):
    """Little, suddenly the peak, little again: what happens until there is more of it."""

    def users(self, second: float) -> int | None:
        options = self.options
        return schedules.spike(
            second, peak=self.peak, seconds=self.seconds, base=options.shape_base, rest=options.shape_rest
        )


class Overload(Shape):
    """A third of the peak, which is as much as it can do, then three times of that: how much is answered still."""

    def users(self, second: float) -> int | None:
        return schedules.overload(second, peak=self.peak, seconds=self.seconds)


class Soak(Shape):
    """The peak all the time: does anything grow, leak or wear out."""

    def users(self, second: float) -> int | None:
        return schedules.soak(second, peak=self.peak, seconds=self.seconds)


class Breakpoint(Shape):
    """More and more, until too much fails or takes too long: where is the knee."""

    def users(self, second: float) -> int | None:
        if second > 10 and self._broken():
            return None
        return schedules.breakpoint_(second, peak=self.peak, seconds=self.seconds)

    def _broken(self) -> bool:
        assert self.runner is not None
        total, options = self.runner.stats.total, self.options
        if total.current_rps < 1:
            return False
        failing = total.current_fail_per_sec / total.current_rps > options.break_failures
        return failing or (total.get_current_response_time_percentile(0.95) or 0) > options.break_p95


BY_NAME = {one.__name__.lower(): one for one in (Steps, Spike, Overload, Soak, Breakpoint)}
