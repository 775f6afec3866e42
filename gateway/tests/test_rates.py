"""Rate limits as a visitor meets them."""

import time

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


def test_after_a_burst_the_rate_holds(client):
    """What was used up comes back at the rate: not before the time that the refusal names."""
    client.live.value = LiveSettings(readings_per_second=1, readings_burst=10)
    client.guest()
    passed, refused = read_until_limited(client)
    assert passed >= 10
    assert limited(refused) == 1
    deadline = time.monotonic() + 10
    while client("POST", "/api/v1/predictions", key="later", json=BODY).status_code == 429:
        assert time.monotonic() < deadline, "the rate gave nothing back"


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
    client.live.value = LiveSettings(sessions_per_second=1, sessions_burst=10)
    answers = [client("POST", "/api/v1/sessions") for _ in range(20)]
    assert [answer.status_code for answer in answers[:10]] == [201] * 10
    assert {limited(answer) for answer in answers if answer.status_code != 201} == {1}


def test_limits_out_of_order_are_refused():
    """A burst below the rate could never let the rate pass."""
    with pytest.raises(ValidationError, match="readings_burst must not be below"):
        LiveSettings(readings_per_second=500)
