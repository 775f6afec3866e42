"""Every setting of a load, as flags of Locust's command line and fields of its web page."""

from __future__ import annotations

import argparse
from typing import Any

from drift import DRIFTS
from locust import events

SHAPES = ("steps", "spike", "overload", "soak", "breakpoint")


@events.init_command_line_parser.add_listener
def add_options(parser: Any, **_: Any) -> None:  # noqa: ANN401 (Locust's own parser)
    """Locust calls this once."""
    add = parser.add_argument
    add("--shape", choices=("", *SHAPES), default="", env_var="LOCUST_SHAPE", include_in_web_ui=False,
        help="Users over time, up to --users in --run-time; none: all at once, as long as --run-time says")  # fmt: skip
    add("--arrivals", choices=("closed", "open"), default="closed", env_var="LOCUST_ARRIVALS",
        help="closed: a visitor waits for an answer, thinks, goes on. open: a user is one arrival a second, whether "
        "or not earlier ones were answered; times count from when a request was due")  # fmt: skip
    add("--think-time", type=float, default=1.0, env_var="LOCUST_THINK_TIME", metavar="SECONDS",
        help="Closed: the mean pause between two things that a visitor does (half to 1.5 times of it)")  # fmt: skip
    add("--correct-share", type=float, default=0.1, env_var="LOCUST_CORRECT_SHARE", metavar="SHARE",
        help="How many of the readings a visitor judges, 0 to 1")  # fmt: skip
    add("--top-up-credits", type=int, default=200, env_var="LOCUST_TOP_UP_CREDITS", metavar="N",
        help="How many credits a visitor buys when there are none left")  # fmt: skip
    add("--shape-steps", type=int, default=4, env_var="LOCUST_SHAPE_STEPS", metavar="N",
        help="steps: how many on the way up")  # fmt: skip
    add("--shape-base", type=float, default=0.1, env_var="LOCUST_SHAPE_BASE", metavar="SHARE",
        help="Little load, as a share of the peak: after the steps, before and after the spike")  # fmt: skip
    add("--shape-rest", type=float, default=0.0, env_var="LOCUST_SHAPE_REST", metavar="SECONDS",
        help="steps, spike: how long little load goes on afterwards, to see it scaled down again")  # fmt: skip
    add("--break-failures", type=float, default=0.05, env_var="LOCUST_BREAK_FAILURES", metavar="SHARE",
        help="breakpoint: ends when this share of the last ten seconds' requests failed")  # fmt: skip
    add("--break-p95", type=float, default=2000.0, env_var="LOCUST_BREAK_P95", metavar="MILLISECONDS",
        help="breakpoint: ends when the p95 of the last ten seconds is above this")  # fmt: skip
    add("--drift", choices=("", *DRIFTS), default="", env_var="LOCUST_DRIFT",
        help="Digits that went bad, in this way: do the models' drift metric and alert tell?")  # fmt: skip
    add("--drift-after", type=float, default=0.0, env_var="LOCUST_DRIFT_AFTER", metavar="SECONDS",
        help="How long digits are still good, to see the difference")  # fmt: skip
    add("--grpc-target", default="", env_var="LOCUST_GRPC_TARGET", metavar="HOST:PORT",
        help="Users call inference there by gRPC, nothing else; several with commas: in turn")  # fmt: skip
    add("--grpc-model", default="digits", env_var="LOCUST_GRPC_MODEL", help="The model that gRPC users ask")
    add("--journal", default="", env_var="LOCUST_JOURNAL", metavar="FILE", include_in_web_ui=False,
        help="Write a line of JSON each second: what happened in it")  # fmt: skip


def validate(options: argparse.Namespace) -> str:
    """What is wrong with the settings; empty: nothing."""
    if not 0 <= options.correct_share <= 1:
        return "--correct-share is from 0 to 1"
    if options.shape_steps < 1 or options.shape_rest < 0 or options.think_time < 0:
        return "--shape-steps is 1 or more; --shape-rest and --think-time are not negative"
    if not 1 <= options.top_up_credits <= 10_000:
        return "--top-up-credits is from 1 to 10000"
    return ""
