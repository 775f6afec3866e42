"""Paid readings as a visitor sees them."""

from runtime.errors import Code, Fault

SEVEN = [0] * 7 + [16] + [0] * 56


def test_a_reading_costs_one_credit_and_says_who_read_it(client):
    """201 with label, probabilities, model, charge, balance and path."""
    client.guest()
    answer = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["label"] == 7
    assert len(body["probabilities"]) == 10
    assert body["model"] == {"name": "digits", "version": "v1", "digest": "sha256:00"}
    assert body["charge"]["amount"] == 1
    assert body["balance"] == 19
    assert body["id"].removeprefix("prd_") == body["charge"]["id"].removeprefix("chg_")
    assert [hop["service"] for hop in body["path"]] == ["gateway", "inference"]
    assert body["path"][0] == {"service": "gateway", "version": "v1", "replica": "gateway-0", "attempt": 1}
    assert client("GET", "/api/v1/account").json()["balance"] == 19


def test_the_same_key_gives_the_same_answer_for_one_credit(client):
    """A repeat is a replay, marked so."""
    client.guest()
    first = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    again = client("POST", "/api/v1/predictions", key="k1", json={"pixels": [float(p) for p in SEVEN]})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert client("GET", "/api/v1/account").json() | {"account_id": 0} == {"account_id": 0, "balance": 19, "held": 0}


def test_the_same_key_with_another_drawing_is_refused(client):
    """422 key-reused, and nothing is charged for it."""
    client.guest()
    client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    other = client("POST", "/api/v1/predictions", key="k1", json={"pixels": [16, *SEVEN[1:]]})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert client("GET", "/api/v1/account").json()["balance"] == 19


def test_a_reading_that_fails_costs_nothing_and_says_so_again(client):
    """Inference down: 503, the hold is given back, and the key replays that answer."""
    client.guest()
    client.model.fault = Fault(Code.UNAVAILABLE, "inference-unavailable", "inference cannot answer now.")
    failed = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    assert (failed.status_code, failed.json()["type"]) == (503, "/problems/inference-unavailable")
    assert failed.headers["content-type"] == "application/problem+json"
    assert failed.headers["retry-after"] == "1"
    client.model.fault = None
    again = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    assert (again.status_code, again.content) == (503, failed.content)
    assert client("GET", "/api/v1/account").json()["balance"] == 20
    assert client("POST", "/api/v1/predictions", key="k2", json={"pixels": SEVEN}).status_code == 201


def test_when_the_credit_cannot_be_given_back_the_visitor_still_learns_why(client, monkeypatch):
    """Inference and then payment down: the answer is inference's; the hold waits for the sweeper."""
    client.guest()
    client.model.fault = Fault(Code.DEADLINE, "deadline-exceeded", "inference did not answer in time.")

    async def down(*_):
        raise Fault(Code.UNAVAILABLE, "payment-unavailable", "payment cannot answer now.")

    monkeypatch.setattr(client.ledger, "void", down)
    failed = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    assert (failed.status_code, failed.json()["type"]) == (504, "/problems/deadline-exceeded")
    assert client("GET", "/api/v1/account").json()["held"] == 1


def test_without_credits_nothing_is_read(client):
    """402 once the 20 are gone."""
    client.guest()
    for number in range(20):
        assert client("POST", "/api/v1/predictions", key=f"k{number}", json={"pixels": SEVEN}).status_code == 201
    answer = client("POST", "/api/v1/predictions", key="k20", json={"pixels": SEVEN})
    assert (answer.status_code, answer.json()["type"]) == (402, "/problems/insufficient-credits")


def test_feedback_counts_once_for_the_version_that_answered(client):
    """204 each time, one count; another label is 409."""
    client.guest()
    prediction = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN}).json()["id"]
    path = f"/api/v1/predictions/{prediction}/feedback"
    assert [client("POST", path, json={"label": 1}).status_code for _ in range(2)] == [204, 204]
    assert client("POST", path, json={"label": 2}).status_code == 409
    metrics = client("GET", "/metrics").text
    assert 'inkmesh_feedback_total{correct="false",model="digits",version="v1"} 1.0' in metrics


def test_a_version_has_its_feedback_series_from_its_first_answer_on(client):
    """At 0, so that a rate sees the first judgement as well; none of a version that has not answered."""
    client.guest()
    client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN})
    metrics = client("GET", "/metrics").text
    for correct in ("true", "false"):
        assert f'inkmesh_feedback_total{{correct="{correct}",model="digits",version="v1"}} 0.0' in metrics
    assert 'version="v2"' not in metrics


def test_someone_elses_reading_is_not_there(client):
    """404 for another account's prediction, as for none."""
    client.guest()
    prediction = client("POST", "/api/v1/predictions", key="k1", json={"pixels": SEVEN}).json()["id"]
    client.guest()
    for name in (prediction, "prd_none"):
        answer = client("POST", f"/api/v1/predictions/{name}/feedback", json={"label": 1})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_top_ups_are_decided_and_replayed(client):
    """Approved adds credits, declined and review do not; a repeat is a replay."""
    client.guest()
    bought = client("POST", "/api/v1/topups", key="t1", json={"credits": 50, "card": "4242 4242 4242 4242"})
    assert bought.status_code == 201
    assert bought.json() | {"id": 0} == {"id": 0, "status": "approved", "balance": 70, "decided_by": "model"}
    again = client("POST", "/api/v1/topups", key="t1", json={"credits": 50, "card": "4242424242424242"})
    assert (again.content, again.headers["idempotent-replayed"]) == (bought.content, "true")
    for card, status in (("4000000000009235", "review"), ("4000000000000002", "declined")):
        answer = client("POST", "/api/v1/topups", key=card, json={"credits": 50, "card": card}).json()
        assert (answer["status"], answer["balance"]) == (status, 70)
