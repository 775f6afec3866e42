"""Processes die under load: each is back within five seconds, and no credit is lost or doubled."""

import contextlib
import os
import signal
import time

import httpx
import pytest

from product import eventually
from traffic import Visitors, statuses

pytestmark = pytest.mark.laptop


@pytest.mark.parametrize("workload", ["gateway", "payment", "frontend", "inference-v1", "inference-v2", "inference-v3"])
def test_a_killed_process_comes_back_under_load(product, workload):
    """kill -9 in the middle of 100 paid readings a second."""
    visitors = Visitors.arrive(product, count=4)
    victim = product.replicas(workload)[0]
    with visitors.reading(100, 6) as finish:
        eventually(lambda: visitors.readings)
        os.kill(victim["pid"], signal.SIGKILL)
        died = time.monotonic()
        eventually(lambda: product.replicas(workload)[0]["pid"] not in (None, victim["pid"]), 5)
        eventually(lambda: product.replicas(workload)[0]["ready"], died + 5 - time.monotonic())
        answers = finish()
    assert product.replicas(workload)[0]["restarts"] == victim["restarts"] + 1
    assert set(statuses(answers)) <= {201, 409, 503}
    if workload in ("frontend", "inference-v2", "inference-v3"):
        assert set(statuses(answers)) == {201}
    visitors.books_balance()


def test_envoy_comes_back(product):
    """The proxy itself is killed: it is back with the same configuration, and the scenario in force stays."""
    (envoy,) = [process for process in product.processes() if process.name() == "envoy"]
    with product.scenario("ab-cohort"):
        envoy.kill()

        def beta():
            with contextlib.suppress(httpx.TransportError, KeyError):  # while it is away
                return product.guest().read(**{"x-cohort": "beta"}).json()["model"]["version"] == "v2"

        eventually(beta, 10)


def test_a_restart_loses_no_request(product):
    """`inkmesh restart` replaces each replica of inference-v1 while readings go on: none fails."""
    visitors = Visitors.arrive(product, count=4)
    before = {replica["pid"] for replica in product.replicas("inference-v1")}
    with visitors.reading(100, 6) as finish:
        product.command("restart", "inference-v1")
        answers = finish()
    assert set(statuses(answers)) == {201}
    assert not before & {replica["pid"] for replica in product.replicas("inference-v1")}
    visitors.books_balance()


def test_scaling_loses_no_request(product):
    """Up to four and back to two under load: none fails, and the new ones serve."""
    visitors = Visitors.arrive(product, count=4)
    with visitors.reading(100, 10) as finish:
        product.command("scale", "inference-v1", "4")
        eventually(lambda: sum(replica["ready"] for replica in product.replicas("inference-v1")) == 4)
        product.command("scale", "inference-v1", "2")
        eventually(lambda: len(product.replicas("inference-v1")) == 2)
        answers = finish()
    assert set(statuses(answers)) == {201}
    visitors.books_balance()
