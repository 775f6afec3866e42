"""Rate limits as a visitor meets them."""

import pytest
from pydantic import ValidationError

from gateway.settings import LiveSettings

BODY = {"pixels": [0] * 64}


def limited(answer):
    assert answer.status_code == 429, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/rate-limited"
    return int(answer.headers["retry-after"])


def read_until_limited(client):
    """How many readings passed, and the answer to the first that did not; its key is their number."""
    for number in range(20):
        answer = client("POST", "/api/v1/predictions", key=f"k{number}", json=BODY)
        if answer.status_code != 201:
            return number, answer
    return pytest.fail("never limited")


def test_an_account_that_reads_too_fast_is_told_when_to_come_back(client):
    """429 with Retry-After costs nothing and leaves other accounts alone."""
    client.live.value = LiveSettings(readings_per_second=1, readings_burst=3)
    client.guest()
    passed, refused = read_until_limited(client)
    assert 3 <= passed <= 10
    assert 1 <= limited(refused) <= 10
    assert client("GET", "/api/v1/account").json()["balance"] == 20 - passed
    client.guest()
    assert client("POST", "/api/v1/predictions", key="k", json=BODY).status_code == 201


def test_the_rate_holds_over_ten_seconds(client):
    """However high the burst, ten seconds of the rate are all there is."""
    client.live.value = LiveSettings(readings_per_second=1, readings_burst=100)
    client.guest()
    passed, refused = read_until_limited(client)
    assert passed == 10
    assert 1 <= limited(refused) <= 10


def test_a_429_is_never_stored(client):
    """The same key works as soon as the limit lets it pass, which a new limit does at once."""
    client.live.value = LiveSettings(readings_per_second=1, readings_burst=2)
    client.guest()
    passed, refused = read_until_limited(client)
    limited(refused)
    client.live.value = LiveSettings()
    again = client("POST", "/api/v1/predictions", key=f"k{passed}", json=BODY)
    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers


def test_new_sessions_are_limited_for_all(client):
    """Whoever asks: there is no account yet to count by."""
    client.live.value = LiveSettings(sessions_per_second=1, sessions_burst=100)
    answers = [client("POST", "/api/v1/sessions") for _ in range(11)]
    assert [answer.status_code for answer in answers[:10]] == [201] * 10
    assert 1 <= limited(answers[10]) <= 10


def test_limits_out_of_order_are_refused():
    """A burst below the rate could never let the rate pass."""
    with pytest.raises(ValidationError, match="readings_burst must not be below"):
        LiveSettings(readings_per_second=500)
