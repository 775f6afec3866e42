"""`locust -f loadtest/locustfile.py`: visitors, model callers, and the shapes Steps, Spike, Overload, Soak, Breakpoint.

With its web page: `--class-picker` chooses among them there. Without: `--headless --shape steps --users 40
--run-time 120`. README.md has the rest.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import books
import options
import users
from journal import Journal
from locust import events
from locust.env import Environment
from shapes import BY_NAME, Breakpoint, Overload, Soak, Spike, Steps
from users import ModelCaller, Visitor

__all__ = ["Breakpoint", "ModelCaller", "Overload", "Soak", "Spike", "Steps", "Visitor"]


PRIORITY = -5
"""Of this process, where the system allows it (root): on one machine with a product that has too much to do, a load
generator that gets its equal share falls behind, and measures itself."""


@events.init.add_listener
def choose(environment: Environment, **_: Any) -> None:  # noqa: ANN401 (Locust's own)
    """Who comes and how many, by the flags: without --shape there is none; gRPC users come when there is a target."""
    found = environment.parsed_options
    if wrong := options.validate(found):
        sys.exit(wrong)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    environment.shape_class = BY_NAME[found.shape]() if found.shape else None
    if environment.shape_class is not None:
        environment.shape_class.runner = environment.runner
    if not found.user_classes:
        environment.user_classes = [ModelCaller if found.grpc_target else Visitor]
    if found.journal:
        journal = Journal(Path(found.journal), environment)
        environment.events.quitting.add_listener(lambda **_: journal.close(books.summary(users.verdicts)))
