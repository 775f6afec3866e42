"""The whole product through the page: a digit is drawn, paid for, and read by a real model."""

import pytest
from browser.page import Page, recordings


@pytest.fixture
def live(driver, product):
    """The running product's page, as a new visitor sees it."""
    return Page(driver, product.url).open()


def test_a_drawn_digit_is_paid_for_and_read(live):
    """Drawing a 7 and pressing Read shows a 7, ten bars, 19 credits, the model's version and the way it went."""
    live.draw(recordings()["7-plain"]["strokes"], every=3)
    live.read()
    live.answered()
    assert live.shown_label() == "7"
    assert len(live.all(".bars .share")) == 10
    assert live.balance() == "19"
    assert live.text(".model").startswith("digits v")
    assert [hop.text.split()[0] for hop in live.all(".hops li")] == ["gateway", "payment", "inference"]
    assert live.complaints() == []


def test_a_correction_and_a_top_up_reach_the_ledger(live):
    """What the answer really was is noted once, and an approved top-up is added to what is left."""
    live.press("4")
    live.read()
    live.answered()
    live.click("#latest .picker button:nth-child(5)")
    live.until(lambda: "Noted" in live.text("#latest .said"))
    live.click("#open-topup")
    live.click("#pay")
    live.until(lambda: live.one("#topup-result").is_displayed())
    assert "Approved: 50 credits added." in live.text("#topup-result")
    assert live.balance() == "69"
