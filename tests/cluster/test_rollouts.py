"""A new version of a deployment comes and goes under load, and no request fails."""

import pytest

from clusters import ready
from kube import get, kubectl
from traffic import Visitors, statuses


@pytest.mark.parametrize("workload", ["gateway", "payment", "inference-v1"])
def test_a_rolling_update_and_its_rollback_lose_no_request(product, workload):
    """`kubectl set env` makes new pods, `kubectl rollout undo` brings the old template back."""
    service = workload.removesuffix("-v1")
    visitors = Visitors.arrive(product, count=4)
    with visitors.reading(15, 36) as finish:
        before = {replica["name"] for replica in product.replicas(workload)}
        kubectl("set", "env", f"deployment/{workload}", "-c", service, f"{service.upper()}_DRAIN_SECONDS=6")
        ready(workload)
        updated = {replica["name"] for replica in product.replicas(workload)}
        assert not before & updated
        kubectl("rollout", "undo", f"deployment/{workload}")
        ready(workload)
        assert not updated & {replica["name"] for replica in product.replicas(workload)}
        answers = finish()
    (deployment,) = [one for one in get("deployments") if one["metadata"]["name"] == workload]
    (container,) = [one for one in deployment["spec"]["template"]["spec"]["containers"] if one["name"] == service]
    assert "DRAIN" not in str(container.get("env"))
    assert set(statuses(answers)) == {201}
    visitors.books_balance()
