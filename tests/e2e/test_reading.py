"""The product through the ingress: sessions, paid readings, feedback, top-ups, and what is refused."""

import uuid

import httpx
import pytest


def test_a_guest_reads_a_digit_and_pays_one_credit(product):
    """From nothing to a label, with real services all the way."""
    guest = product.guest()
    assert guest.account() == {"account_id": guest.account_id, "balance": 20, "held": 0}
    answer = guest.read()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["label"] == 7
    assert sum(body["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert body["model"]["name"] == "digits"
    assert body["model"]["digest"].startswith("sha256:")
    assert body["charge"]["amount"] == 1
    assert body["balance"] == 19
    assert guest.account()["balance"] == 19


def test_each_hop_says_who_it_was(product):
    """The answer's path and the header name service, version, replica and attempt."""
    answer = product.guest().read()
    path = answer.json()["path"]
    assert [hop["service"] for hop in path] == ["gateway", "payment", "inference"]
    assert all(hop["attempt"] == 1 and hop["version"] and hop["replica"] for hop in path)
    assert path[2]["version"] == answer.json()["model"]["version"]
    assert answer.headers["x-inkmesh-path"].startswith('gateway;version="v1";replica="gateway')
    assert answer.headers["x-request-id"]


def test_a_key_is_one_charge_however_often_it_is_sent(product):
    """Replays have the same status and body, and cost nothing."""
    guest = product.guest()
    key = str(uuid.uuid4())
    answers = [guest.read(key=key) for _ in range(3)]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    other = guest.read([0] * 64, key=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert guest.account()["balance"] == 19


def test_feedback_is_taken_from_the_owner_alone(product):
    """204 for mine, 404 for someone else's."""
    guest, stranger = product.guest(), product.guest()
    path = f"/api/v1/predictions/{guest.read().json()['id']}/feedback"
    assert guest.post(path, {"label": 7}).status_code == 204
    assert stranger.post(path, {"label": 7}).status_code == 404


def test_top_ups_are_decided_by_the_fraud_model(product):
    """Each test card has its outcome, and the model says so."""
    guest = product.guest()
    approved = guest.top_up(50)
    assert (approved["status"], approved["decided_by"], approved["balance"]) == ("approved", "model", 70)
    assert guest.top_up(50, "4000000000009235")["status"] == "review"
    assert guest.top_up(50, "4000000000000002")["status"] == "declined"
    assert guest.account()["balance"] == 70


def test_out_of_credits(product):
    """402 when the 20 are gone, and a top-up helps."""
    guest = product.guest()
    assert {guest.read().status_code for _ in range(20)} == {201}
    refused = guest.read()
    assert (refused.status_code, refused.json()["type"]) == (402, "/problems/insufficient-credits")
    guest.top_up(1)
    assert guest.read().status_code == 201


def test_the_fraud_model_plainly(product):
    """GET /predict with three features; missing or not a number is 422."""
    answer = product.http.get("/predict?feature_1=0&feature_2=1&feature_3=2")
    assert answer.status_code == 200
    assert answer.json()["output"][0] in (0, 1)
    for query in (
        "",
        "feature_1=0&feature_2=1",
        *(f"feature_1={bad}&feature_2=1&feature_3=2" for bad in ("x", "nan", "1e999")),
    ):
        refused = product.http.get(f"/predict?{query}")
        assert refused.status_code == 422, query
        assert refused.headers["content-type"] == "application/problem+json"


def test_the_page_and_the_documents(product):
    """The ingress sends / to the page, /api/docs to the gateway's."""
    page = product.http.get("/")
    assert page.status_code == 200
    assert "Inkmesh" in page.text
    assert product.http.get("/api/docs").status_code == 200
    assert "/api/v1/predictions" in product.http.get("/api/openapi.json").json()["paths"]


BAD = [
    ("not JSON", b"not json"),
    ("NaN", b'{"pixels": [' + b"NaN," * 63 + b"NaN]}"),
    ("63 pixels", b'{"pixels": [' + b"0," * 62 + b"0]}"),
    ("minus one", b'{"pixels": [' + b"0," * 63 + b"-1]}"),
    ("17", b'{"pixels": [' + b"0," * 63 + b"17]}"),
    ("strings", b'{"pixels": [' + b'"0",' * 63 + b'"0"]}'),
    ("2 MiB", b" " * (2 << 20)),
    ("1e400", b'{"label": 1e400, "credits": 1e400, "pixels": 1e400}'),
    ("surrogate", b'{"\\ud800": "\\ud800"}'),
    ("nothing", b""),
]
ENDPOINTS = ["/api/v1/predictions", "/api/v1/predictions/prd_x/feedback", "/api/v1/topups"]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("body", [body for _, body in BAD], ids=[name for name, _ in BAD])
def test_bad_bodies_are_the_callers_fault(product, path, body):
    """4xx problem+json at every endpoint, never 5xx, and nothing is charged."""
    guest = product.guest()
    headers = {"authorization": f"Bearer {guest.token}", "idempotency-key": "k", "content-type": "application/json"}
    answer = product.http.post(path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert guest.account()["balance"] == 20


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_no_session_no_service(product, token):
    """401 at every endpoint that needs one; where the mesh has a policy, it says 403 when there is no token at all."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answers = [product.http.get("/api/v1/account", headers=headers)]
    answers += [product.http.post(path, json={}, headers=headers) for path in ENDPOINTS]
    assert {answer.status_code for answer in answers} <= ({401} if token else {401, 403})
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


def test_headers_from_outside_cannot_forge_a_path(product):
    """A visitor's x-envoy-*, x-request-id and x-inkmesh-path do not get past the edge."""
    forged = {"x-envoy-attempt-count": "7", "x-inkmesh-path": "mallory", "x-request-id": "mallory"}
    answer = product.guest().read(**forged)
    assert answer.headers["x-request-id"] != "mallory"
    assert answer.json()["path"][0]["attempt"] == 1
    assert "mallory" not in answer.headers["x-inkmesh-path"]


def test_a_slow_or_broken_client_does_no_harm(product):
    """A connection that breaks in the middle of a body is forgotten."""
    guest = product.guest()
    with httpx.Client(base_url=product.url) as http:

        def broken():
            yield b'{"pixels": ['
            raise ConnectionAbortedError

        headers = {"authorization": f"Bearer {guest.token}", "idempotency-key": "broken"}
        with pytest.raises(ConnectionAbortedError):
            http.post("/api/v1/predictions", content=broken(), headers=headers)
    assert guest.read().status_code == 201
    assert guest.account()["balance"] == 19
