"""`kubectl drain` takes pods off the nodes under load: budgets leave one of each to answer, and no reading fails."""

import contextlib
import subprocess

import pytest

from clusters import ready
from kube import kubectl
from product import eventually
from traffic import Visitors, statuses

NODES = "kubernetes.io/os=linux"
WORKLOADS = ("payment", "inference-v1")
PODS = "app in (payment,inference),version=v1"
"""Those of WORKLOADS, by their labels."""


@pytest.fixture
def drain(tmp_path):
    """A drain of these pods that has begun, with its output in a file. In the end every node takes pods again."""
    output = tmp_path / "drain"
    words = ("drain", "-l", NODES, "--pod-selector", PODS, "--ignore-daemonsets", "--delete-emptydir-data")
    with output.open("w") as file, contextlib.ExitStack() as stack:

        def begin():
            stack.callback(kubectl, "uncordon", "-l", NODES, namespace="")
            process = subprocess.Popen(["kubectl", *words, "--timeout=150s"], stdout=file, stderr=subprocess.STDOUT)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process, output

        yield begin


def names(product, workload):
    return {one["name"] for one in product.replicas(workload)}


def test_a_drain_moves_one_pod_at_a_time(product, drain):
    """No node takes new pods: one replica of each workload stays until another one can start; then it goes too."""
    visitors = Visitors.arrive(product, count=4)
    before = {workload: names(product, workload) for workload in WORKLOADS}
    assert all(len(pods) == 2 for pods in before.values())
    with visitors.reading(15, 60) as finish:
        eventually(lambda: len(visitors.readings) > 20)
        draining, output = drain()
        for workload, pods in before.items():
            eventually(lambda workload=workload, pods=pods: len(pods & names(product, workload)) == 1, 40, every=0.5)
        eventually(lambda: output.read_text().count("violate the pod's disruption budget") >= 2, 40, every=0.5)
        for workload, pods in before.items():
            assert len(pods & names(product, workload)) == 1
            assert sum(one["ready"] for one in product.replicas(workload)) == 1
        kubectl("uncordon", "-l", NODES, namespace="")
        assert draining.wait(120) == 0, output.read_text()
        assert not any(pods & names(product, workload) for workload, pods in before.items())
        for workload in WORKLOADS:
            ready(workload)
        answers = finish()
    assert set(statuses(answers)) == {201}
    visitors.books_balance()
