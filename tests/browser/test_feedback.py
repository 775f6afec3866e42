""" "That was wrong, it is a 7": on the latest answer and on each tile."""

from browser.gateway_script import problem


def test_the_latest_answer_is_corrected(page, gateway):
    """The digit goes to the gateway once; the answer, its tile and the legend show that it was wrong."""
    page.press("1")
    page.read()
    page.answered()
    page.click("#latest .picker button:nth-child(2)")
    page.until(lambda: "that was wrong, it is a 1, not a 7" in page.text("#latest .said"))
    (call,) = gateway.to("predictions/")
    assert call.path == "predictions/prd_00000002/feedback"
    assert call.body == {"label": 1}
    assert "wrong: it is a 1" in page.one(".tile").get_attribute("aria-label")
    assert page.text("#legend li") == "v1 1 · 100 % · 1 wrong"
    page.click("#latest .picker button:nth-child(5)")
    assert len(gateway.to("predictions/")) == 1


def test_an_earlier_answer_is_confirmed_in_its_dialog(page, gateway):
    """A tile opens its answer in full, where it can be judged; the tile then says that it was right."""
    page.click("#read-ten")
    page.answered(10)
    page.click("#tiles li:last-child .tile")
    assert page.text("#detail-title") == "Answer 1"
    page.click("#detail .picker button:nth-child(8)")
    page.until(lambda: "as read" in page.text("#detail .said"))
    assert len(gateway.to("predictions/")) == 1
    page.click("#detail .close")
    tile = page.one("#tiles li:last-child .tile")
    assert ", right" in tile.get_attribute("aria-label")
    page.until(lambda: page.driver.switch_to.active_element == tile)


def test_a_refused_correction_is_explained(page, gateway):
    """409 feedback-differs: the page says that other feedback was given before."""
    gateway.script("feedback", problem(409, "feedback-differs"))
    page.press("7")
    page.read()
    page.answered()
    page.click("#latest .picker button:nth-child(2)")
    page.until(lambda: "You said otherwise before" in page.text("#latest .said"))
