"""Replicas share the work: requests, not connections, are balanced, for HTTP and gRPC alike."""

import json
from collections import Counter

import pytest

from clusters import ready
from kube import kubectl
from product import eventually
from traffic import Visitors, hops


@pytest.fixture(scope="module")
def three(product):
    try:
        _replicas(3)
        yield {replica["name"] for replica in product.replicas("inference-v1")}
    finally:
        _replicas(2)


def _replicas(count: int) -> None:
    bounds = json.dumps({"spec": {"minReplicas": count, "maxReplicas": count}})
    kubectl("patch", "hpa", "inference-v1", "--type=merge", "-p", bounds)
    kubectl("scale", "deployment/inference-v1", f"--replicas={count}")
    ready("inference-v1")


def even(served: Counter[str], replicas: set[str]) -> bool:
    """Each of the replicas has between half and double of its fair share."""
    fair = served.total() / len(replicas)
    return set(served) == replicas and all(fair / 2 < count < fair * 2 for count in served.values())


def test_three_replicas_share_grpc_requests(product, three):
    """One gateway with one gRPC channel: without a mesh, one replica would answer all."""
    visitors = Visitors.arrive(product, count=4)

    def shares():
        answers = visitors.read(40, 5)
        return even(Counter(hops(answer)[2]["replica"] for answer in answers), three)

    eventually(shares, 40)


def test_replicas_share_http_requests(product, three):
    """The fraud model at /predict: every version's replicas take their part."""
    everyone = three | {one["name"] for version in ("v2", "v3") for one in product.replicas(f"inference-{version}")}

    def shares():
        served = Counter()
        for _ in range(150):
            answer = product.http.get("/predict?feature_1=0&feature_2=1&feature_3=2")
            served[answer.headers["x-inkmesh-path"].split('replica="')[1].split('"')[0]] += 1
        return even(served, everyone)

    eventually(shares, 40)
