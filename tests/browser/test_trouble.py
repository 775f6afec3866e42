"""What the page says and keeps when a reading fails."""

import pytest
from browser.gateway_script import plain, problem

REFUSALS = [
    (problem(402, "insufficient-credits"), "You have no credits left.", True),
    (problem(503, "inference-unavailable"), "The model is down.", True),
    (problem(422, "invalid-request", "pixels: too few"), "pixels: too few", True),
    (problem(429, "rate-limited", **{"retry-after": "7"}), "Wait 7 seconds", True),
    (plain(429, "local_rate_limited"), "Too many requests.", True),
    (problem(503, "payment-unavailable"), "Payments are down.", False),
    (problem(504, "deadline-exceeded"), "That took too long.", False),
    (plain(504, "upstream request timeout"), "That took too long.", False),
    (problem(409, "in-flight"), "Still being worked on.", False),
    (plain(503, "no healthy upstream"), "The mesh answered 503.", False),
    (plain(503, "overflow", **{"x-envoy-overloaded": "true"}), "too much is waiting", False),
]


@pytest.mark.parametrize(
    ("answer", "words", "settled"), REFUSALS, ids=[f"{a.status_code} {words}" for a, words, _ in REFUSALS]
)
def test_a_failed_reading_is_explained_and_costs_nothing_twice(page, gateway, answer, words, settled):
    """The drawing stays; the next try has a new key after a settled refusal, and the same key after an open one."""
    gateway.script("predictions", answer)
    page.press("7")
    page.read()
    assert words in page.message()
    assert page.inked()
    assert page.all(".tile") == []
    page.read()
    page.answered()
    first, second = gateway.to("predictions")
    assert first.body == second.body
    assert (first.key != second.key) == settled
    assert not page.one("#message").is_displayed()


def test_another_drawing_never_takes_an_open_key(page, gateway):
    """A key is bound to its drawing: after an open outcome, another drawing has another key."""
    gateway.script("predictions", plain(503))
    page.press("7")
    page.read()
    page.message()
    page.press("3")
    page.read()
    page.answered()
    first, second = gateway.to("predictions")
    assert first.key != second.key


def test_a_replayed_failure_is_asked_anew(page, gateway):
    """When a repeat learns that the first try did fail, the page asks again with a new key by itself."""
    failed = problem(504, "deadline-exceeded")
    gateway.script("predictions", failed, problem(504, "deadline-exceeded", **{"idempotent-replayed": "true"}))
    page.press("7")
    page.read()
    page.message()
    page.click("#message button")
    page.answered()
    first, second, third = (call.key for call in gateway.to("predictions"))
    assert first == second
    assert second != third


def test_an_expired_session_is_replaced_and_said_so(page, gateway):
    """401: a new session, the same reading once more, and a word about it."""
    gateway.script("predictions", problem(401, "unauthenticated"))
    page.press("7")
    page.read()
    page.answered()
    assert "Your session had expired." in page.message()
    assert [call.token for call in gateway.to("predictions")] == ["Bearer token-1", "Bearer token-2"]


def test_no_network_is_said_and_survived(page, gateway):
    """Without a connection the drawing stays, and the same key goes out when the connection is back."""
    page.press("7")
    page.read()
    page.answered()
    page.driver.set_network_conditions(offline=True, latency=0, throughput=1000)
    page.read()
    assert "No answer came." in page.message()
    page.driver.delete_network_conditions()
    page.click("#message button")
    page.answered(2)


def test_running_out_of_credits_offers_to_top_up(page, gateway):
    """402 leads to the dialog; once topped up, the same drawing is read."""
    gateway.balance = 0
    gateway.script("predictions", problem(402, "insufficient-credits"))
    page.press("7")
    page.read()
    page.message()
    assert page.balance() == "0"
    page.click("#message button")
    page.click("#pay")
    page.until(lambda: page.balance() == "50")
    page.click("#topup .close")
    page.read()
    page.answered()
    assert page.balance() == "49"
