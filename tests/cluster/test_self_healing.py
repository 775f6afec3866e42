"""Pods die under load: each is replaced, and no credit is lost or doubled."""

import pytest

from clusters import ready
from kube import kubectl
from product import eventually
from traffic import Visitors, statuses


@pytest.mark.parametrize("workload", ["payment", "inference-v1", "gateway"])
def test_a_killed_pod_is_replaced_under_load(product, workload):
    """Deleted without grace in the middle of paid readings."""
    visitors = Visitors.arrive(product, count=4)
    wanted = len(product.replicas(workload))
    victim = product.replicas(workload)[0]["name"]
    with visitors.reading(20, 20) as finish:
        eventually(lambda: len(visitors.readings) > 40)
        kubectl("delete", "pod", victim, "--grace-period=0", "--force", "--wait=false")
        eventually(lambda: victim not in {one["name"] for one in product.replicas(workload)}, 20)
        eventually(lambda: sum(one["ready"] for one in product.replicas(workload)) == wanted, 60)
        answers = finish()
    assert set(statuses(answers)) <= {201, 409, 503, 504}
    ready(workload)
    eventually(lambda: set(statuses(visitors.read(20, 2))) == {201}, 60)
    visitors.books_balance()


def test_a_process_that_dies_is_started_again_in_its_pod(product):
    """The container's own process is killed: the same pod, one restart more, and it serves again."""
    (frontend,) = product.replicas("frontend")
    kubectl("exec", frontend["name"], "-c", "frontend", "--", "python", "-c", "import os; os.kill(1, 15)")

    def back():
        (now,) = product.replicas("frontend")
        assert now["name"] == frontend["name"]
        return now["ready"] and now["restarts"] == frontend["restarts"] + 1

    eventually(back, 60)
    eventually(lambda: product.http.get("/").status_code == 200, 20)
