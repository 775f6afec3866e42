"""What the gateway refuses: every endpoint, every kind of bad input, always a 4xx problem that echoes nothing."""

import orjson
import pytest

GOOD = [0] * 64
ENDPOINTS = {
    "predict": ("POST", "/api/v1/predictions", {"pixels": GOOD}),
    "feedback": ("POST", "/api/v1/predictions/prd_x/feedback", {"label": 7}),
    "topup": ("POST", "/api/v1/topups", {"credits": 50, "card": "4242424242424242"}),
}
BODIES = [
    (b"", 400),
    (b"not json", 400),
    (b'{"pixels": [NaN]}', 400),
    (b'{"pixels": 1e400}', 400),
    (b"null", 422),
    (b"[]", 422),
    (b"{}", 422),
    (b'{"\\ud800": 1}', 400),
    (b'{"INJECTED": "INJECTED"}', 422),
    (b'"' + b"x" * (2 << 20) + b'"', 413),
    (b"[" * 5000, 400),
    (b"\xff", 400),
]
PIXELS = [
    [*GOOD, 0],
    GOOD[1:],
    [*GOOD[1:], -1],
    [*GOOD[1:], 17],
    [*GOOD[1:], "1"],
    [*GOOD[1:], True],
    [*GOOD[1:], None],
    "x",
    {},
    [GOOD],
]
LABELS = [-1, 10, 7.0, "7", True, None, 10**400, [7]]
TOP_UPS = [
    {"credits": credits_, "card": "4242424242424242"} for credits_ in (0, -1, 10_001, 1.5, "50", True, None, 10**30)
] + [
    {"credits": 50, "card": card}
    for card in ("", "4242", "x" * 16, 4242424242424242, None, "4242424242424243", "٤" * 16)
]


def refused(answer, *statuses):
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["instance"] == answer.headers["x-request-id"]
    assert "INJECTED" not in answer.text
    return problem["type"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("body", "status"), BODIES)
def test_bad_bodies(client, endpoint, body, status):
    """Not JSON is 400, JSON of another shape 422, too much 413."""
    client.guest()
    method, path, _ = ENDPOINTS[endpoint]
    refused(client(method, path, key="k", content=body, headers={"content-type": "application/json"}), status)


@pytest.mark.parametrize(
    ("endpoint", "value"),
    [("predict", {"pixels": value}) for value in PIXELS]
    + [("feedback", {"label": value}) for value in LABELS]
    + [("topup", value) for value in TOP_UPS],
)
def test_bad_values(client, endpoint, value):
    """Out of bounds or of another type: 422 (400 where JSON itself has no such number)."""
    client.guest()
    method, path, _ = ENDPOINTS[endpoint]
    body = orjson.dumps(value) if "10000000" not in str(value) else str(value).replace("'", '"').encode()
    refused(client(method, path, key="k", content=body), 400, 422)
    assert client("GET", "/api/v1/account").json()["balance"] == 20


@pytest.mark.parametrize("endpoint", ["predict", "topup"])
@pytest.mark.parametrize(("key", "status"), [("", 400), ("x" * 256, 422), (" ", 400), ("a\tb", 422)])
def test_bad_keys(client, endpoint, key, status):
    """A call that moves credits needs a key of 1 to 255 printable characters."""
    client.guest()
    method, path, body = ENDPOINTS[endpoint]
    refused(client(method, path, key=key, json=body), status, 422)


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "account"])
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer", "é"])
def test_no_session(client, endpoint, token):
    """401 without a token of ours, before anything else is looked at."""
    method, path, body = ENDPOINTS.get(endpoint, ("GET", "/api/v1/account", None))
    headers = {"authorization": f"Bearer {token}".encode()} if token else {}
    answer = client(method, path, key="k", json=body, token="", headers=headers)
    assert refused(answer, 401) == "/problems/unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["x", "prd_" + "a" * 61, "prd_%00", "prd_a%20b"])
def test_bad_prediction_ids(client, name):
    """An id that is not one of ours is 422; one with a slash is no endpoint."""
    client.guest()
    refused(client("POST", f"/api/v1/predictions/{name}/feedback", json={"label": 1}), 422)


def test_the_openapi_document_names_every_call_and_its_errors(client):
    """/api/docs is served without a CDN, and the hot call is documented like the rest."""
    document = client("GET", "/api/openapi.json").json()
    predict = document["paths"]["/api/v1/predictions"]["post"]
    assert {"201", "400", "401", "402", "409", "413", "422", "503", "504"} <= set(predict["responses"])
    assert predict["parameters"][0]["name"] == "Idempotency-Key"
    assert predict["requestBody"]["content"]["application/json"]["schema"]["properties"]["pixels"]["minItems"] == 64
    page = client("GET", "/api/docs").text
    assert "/api/docs/static/swagger-ui-bundle.js" in page
    assert "cdn" not in page
    assert client("GET", "/api/docs/static/swagger-ui-bundle.js").status_code == 200
