"""The autoscaler of inference adds replicas under load and takes them away after it, and no request fails."""

import pytest

from autoscalers import deciding, scaled
from product import eventually
from traffic import Visitors, statuses

EAGER = {
    "minReplicas": 2,
    "maxReplicas": 4,
    "metrics": [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 40}},
        }
    ],
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
}
"""A target that a small machine's load passes, and no waiting before it goes down."""


@pytest.fixture
def autoscaler():
    with deciding("inference-v1", EAGER):
        yield


def test_inference_scales_up_under_load_and_down_after_it(product, autoscaler):
    """More replicas, all of them serving; then as few as before; every reading answered."""
    visitors = Visitors.arrive(product, count=8)
    with visitors.reading(60, 80) as finish:
        eventually(lambda: scaled("inference-v1") > 2, 75, every=1)
        eventually(lambda: sum(one["ready"] for one in product.replicas("inference-v1")) > 2, 30, every=1)
        answers = finish()
    assert set(statuses(answers)) == {201}
    eventually(lambda: scaled("inference-v1") == 2, 120, every=1)
    visitors.books_balance()
