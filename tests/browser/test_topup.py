"""The top-up dialog."""

import pytest
from browser.gateway_script import problem


@pytest.mark.parametrize(
    ("status", "decider", "words"),
    [
        ("approved", "model", ["Approved: 50 credits added.", "Decided by the fraud model.", "You have 70 credits."]),
        ("review", "rules", ["Held for review", "Decided by plain rules", "You have 20 credits."]),
        ("declined", "model", ["Declined", "Decided by the fraud model.", "You have 20 credits."]),
    ],
)
def test_the_outcome_and_who_decided_are_shown(page, gateway, status, decider, words):
    """Approved, review and declined are told apart, with the decider and the credits left."""
    gateway.topup_status, gateway.decided_by = status, decider
    page.click("#open-topup")
    page.click("#pay")
    page.until(lambda: page.one("#topup-result").is_displayed())
    shown = page.text("#topup-result")
    assert [word for word in words if word not in shown] == []
    (call,) = gateway.to("topups")
    assert call.body == {"credits": 50, "card": "4242424242424242"}
    assert call.key


def test_amount_and_card_are_chosen(page, gateway):
    """A listed card fills its number in, another number can be typed, and what is refused is explained."""
    page.click("#open-topup")
    page.driver.execute_script("document.querySelector('#topup input[value=\"100\"]').click()")
    page.click(".cards label:nth-child(2)")
    assert page.one("#card-number").get_attribute("value") == "4000 0000 0000 9235"
    assert page.text("#pay") == "Top up 100 credits"
    page.one("#card-number").clear()
    page.one("#card-number").send_keys("1234 5678 9012 3456")
    gateway.script("topups", problem(422, "unknown-card"))
    page.click("#pay")
    page.until(lambda: "That is not a test card." in page.text("#topup-result"))
    assert gateway.to("topups")[0].body == {"credits": 100, "card": "1234567890123456"}


def test_payment_down_keeps_the_key(page, gateway):
    """A top-up whose outcome is open is repeated with its key, so that it is paid once."""
    gateway.script("topups", problem(503, "payment-unavailable"))
    page.click("#open-topup")
    page.click("#pay")
    page.until(lambda: "Payments are down." in page.text("#topup-result"))
    page.click("#pay")
    page.until(lambda: "Approved" in page.text("#topup-result"))
    first, second = gateway.to("topups")
    assert first.key == second.key
