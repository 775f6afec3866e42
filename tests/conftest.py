"""The product, started once for all tests that go through the ingress: on this machine, or on a cluster.

INKMESH_TIER=cluster (what `make cluster-test` sets) takes the cluster that KUBECONFIG and INGRESS_URL name.
INKMESH_OVERLAY names what to run: of k8s/overlays on this machine (laptop, or laptop-strict with the mesh's policies),
of tests/cluster on a cluster.
"""

import os

import pytest

import clusters
from product import Product, running

ON_CLUSTER = os.environ.get("INKMESH_TIER") == "cluster"

collect_ignore = [] if ON_CLUSTER else ["cluster"]


def pytest_collection_modifyitems(config, items):
    left = [item for item in items if ON_CLUSTER and item.get_closest_marker("laptop")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def product(tmp_path_factory) -> Product:
    with clusters.running() if ON_CLUSTER else running(tmp_path_factory.mktemp("inkmesh")) as found:
        yield found
