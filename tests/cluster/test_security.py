"""Who may speak to whom: mTLS, the topology's edges and no others, and tokens."""

import base64
import contextlib
import uuid

import pytest
from tokens import only_good_tokens_are_taken

from kube import get, kubectl
from product import eventually

ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print(type(error).__name__, error)
"""


def asked(pod: str, container: str, url: str, namespace: str = "inkmesh") -> str:
    """What a GET from within a container comes to: a status, or how the connection failed."""
    return kubectl("exec", pod, "-c", container, "--", "python", "-c", ASK, url, namespace=namespace).strip()


@contextlib.contextmanager
def stranger(namespace: str):
    """A pod that is none of the product's, in a namespace with or without sidecars."""
    name = f"stranger-{uuid.uuid4().hex[:6]}"
    (gateway, *_) = get("deployments", "-l", "app=gateway")
    image = gateway["spec"]["template"]["spec"]["containers"][0]["image"]
    kubectl("run", name, f"--image={image}", "--command", "--", "sleep", "600", namespace=namespace)
    try:
        kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=90s", namespace=namespace)
        yield name
    finally:
        kubectl("delete", "pod", name, "--grace-period=1", "--wait=false", namespace=namespace)


def test_plain_text_into_a_pod_is_refused(product):
    """Without a certificate of the mesh, no pod of the product answers: neither by address nor by name."""
    with stranger("default") as pod:
        for workload in ("frontend", "gateway", "payment", "inference-v1"):
            replica = product.replicas(workload)[0]
            for host in (replica["ip"], f"{replica['service']}.inkmesh"):
                outcome = asked(pod, pod, f"http://{host}:8080/metrics", "default")
                assert "Error" in outcome, f"{workload}: {outcome}"


def test_an_edge_that_is_not_in_the_topology_is_refused(product):
    """A pod of the mesh that no policy names gets 403 from each service; the gateway, where it has no business."""
    with stranger("inkmesh") as pod:
        for service in ("frontend", "gateway", "payment", "inference"):
            # Its proxy may need a moment for its configuration.
            eventually(lambda service=service: asked(pod, pod, f"http://{service}:8080/") == "403", 30)
    (gateway, *_) = product.replicas("gateway")
    assert asked(gateway["name"], "gateway", "http://payment:8080/v1/audit") == "403"
    assert asked(gateway["name"], "gateway", "http://inference:8080/predict") == "403"


def test_a_service_has_no_way_out_but_its_edges(product):
    """The frontend's proxy knows nobody: not even a service that would refuse it."""
    (frontend, *_) = product.replicas("frontend")
    assert asked(frontend["name"], "frontend", "http://payment:8080/").startswith("ConnectionReset")


@pytest.fixture(scope="module")
def current_key():
    (secret,) = [one for one in get("secrets") if one["metadata"]["name"] == "token-signing"]
    name = max(name for name in secret["data"] if name.endswith(".pem"))
    return name.removesuffix(".pem"), base64.b64decode(secret["data"][name])


def test_tokens_that_are_not_good_are_refused(product, current_key):
    """Whatever is wrong with them."""
    only_good_tokens_are_taken(product, *current_key)
