"""ConfigMaps and Secrets change while the product runs: in force without a restart, and without a failed request."""

import base64
import contextlib
import json
import time

import jwt
import pytest

from gateway.provision.material import signing_key
from kube import get, kubectl
from product import eventually
from traffic import Visitors, statuses

GOOD_CARD = "4242424242424242"


def configure(kind, name, data, workload):
    """Merge into a ConfigMap or Secret; a changed annotation makes kubelet look at the volumes of the pods at once."""
    kubectl("patch", kind, name, "--type=merge", "-p", json.dumps({"data": data}))
    kubectl("annotate", "pods", "-l", f"app={workload}", "--overwrite", f"inkmesh/looked-at={time.time()}")


@pytest.fixture
def unchanged_pods(product):
    """No pod of payment or gateway is another one, or was restarted, in the end."""
    workloads = ("gateway", "payment")
    before = [(one["name"], one["restarts"]) for name in workloads for one in product.replicas(name)]
    yield
    assert [(one["name"], one["restarts"]) for name in workloads for one in product.replicas(name)] == before


@contextlib.contextmanager
def restored(kind, name, workload):
    (before,) = [one for one in get(kind) if one["metadata"]["name"] == name]
    try:
        yield before["data"]
    finally:
        (now,) = [one for one in get(kind) if one["metadata"]["name"] == name]
        configure(kind, name, dict.fromkeys(now["data"]) | before["data"], workload)


def test_a_changed_threshold_is_in_force_without_a_restart(product, unchanged_pods):
    """With fraud_review at 0, what was approved goes to review."""

    def outcomes():
        """Of new guests: the fraud model has its doubts about who tops up again and again."""
        return {product.guest().top_up(1)["status"] for _ in range(6)}

    assert outcomes() == {"approved"}
    with restored("configmap", "payment-live", "payment"):
        configure("configmap", "payment-live", {"fraud_review": "0"}, "payment")
        eventually(lambda: outcomes() == {"review"}, 90, every=1)
    eventually(lambda: outcomes() == {"approved"}, 90, every=1)


def test_a_bad_value_is_refused_and_the_last_good_one_stays(product, unchanged_pods):
    """A metric and a log line say so, and top-ups go on as before."""

    def refused():
        return [product.metric(one, "inkmesh_config_refused") for one in product.replicas("payment")]

    with restored("configmap", "payment-live", "payment"):
        configure("configmap", "payment-live", {"fraud_review": "much"}, "payment")
        eventually(lambda: all(refused()), 90, every=1)
        assert product.guest().top_up(1)["status"] == "approved"
        assert "fraud_review" in product.logs()
    eventually(lambda: not any(refused()), 90, every=1)


def test_the_signing_key_is_rotated_without_a_failed_request(product, unchanged_pods):
    """A new key is published, then signs, then the old one goes: readings go on all the time."""
    visitors = Visitors.arrive(product, count=4)

    def key_of_new_sessions():
        return {jwt.get_unverified_header(product.guest().token)["kid"] for _ in range(5)}

    def published():
        return {key["kid"] for key in product.http.get("/.well-known/jwks.json").json()["keys"]}

    (before,) = get("requestauthentication")
    try:
        with restored("secret", "token-signing", "gateway") as secret, visitors.reading(15, 90) as finish:
            old = min(name for name in secret if name.endswith(".pem")).removesuffix(".pem")
            configure(
                "secret",
                "token-signing",
                {"9.pem": encoded(signing_key().decode()), "signing": encoded(old)},
                "gateway",
            )
            eventually(lambda: published() == {old, "9"}, 90, every=0.5)
            product.fetch_keys()
            eventually(lambda: all(product.knows_keys({old, "9"})), 120, every=0.5)
            assert key_of_new_sessions() == {old}
            configure("secret", "token-signing", {"signing": encoded("9")}, "gateway")
            eventually(lambda: key_of_new_sessions() == {"9"}, 90, every=0.5)
            answer = product.guest().read()
            assert answer.status_code == 201, answer.text
            answers = finish()
            assert set(statuses(answers)) == {201}
    finally:
        product.check_tokens(before["spec"]["jwtRules"])
    # Whoever comes next is to get a token that lasts.
    eventually(lambda: published() == {old}, 90, every=0.5)
    visitors.books_balance()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
