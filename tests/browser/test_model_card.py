"""The card of the version that answered, in a dialog of the page."""

import pytest
from browser.gateway_script import card, plain, problem
from selenium.webdriver import Keys
from starlette.responses import JSONResponse

CARD_PATH = "/v2/models/digits/versions/v1/card"


def answered(page):
    page.press("7")
    page.read()
    page.answered()


def body(page):
    """The card's text, once it has come."""
    page.until(lambda: page.all("#model-card .accuracy"))
    return page.text("#model-card-body")


def test_the_badge_of_an_answer_opens_its_models_card(page, gateway):
    """Accuracy as a whole and by digit, what is mixed up, limits and data; asked without the visitor's token."""
    answered(page)
    page.click("#latest .model")
    shown = body(page)
    assert page.text("#model-card-title") == "digits v1: model card"
    assert [bar.text for bar in page.all("#model-card .bars .share")] == [*["100.0 %"] * 6, "0.0 %", *["100.0 %"] * 3]
    told = card("v1")
    facts = [
        told["summary"],
        "90.0 % of 100 digits",
        "accuracy its own evaluation claimed: 99.0 %",
        "Most often mixed up: 6 as 1 (10 of 10).",
        *told["limits"],
        "a test's own digits: 900 rows learned from, 100 held out.",
        told["data"]["sha256"],
        told["digest"],
    ]
    assert [fact for fact in facts if fact not in shown] == []
    assert "Its files are others" not in shown
    assert page.one("#model-card a").get_attribute("href").endswith(CARD_PATH)
    (call,) = gateway.to("/v2/")
    assert (call.path, call.token) == (CARD_PATH, None)


def test_each_version_has_its_own_card(page, gateway):
    """A version's name above the grid opens the card of that version, in its colour."""
    gateway.versions = ("v1", "v2")
    page.click("#read-ten")
    page.answered(10)
    for number, version in enumerate(("v1", "v2"), start=1):
        page.click(f"#legend li:nth-child({number}) button")
        body(page)
        assert page.text("#model-card-title") == f"digits {version}: model card"
        assert page.one("#model-card").get_attribute("data-version") == version
        page.press(Keys.ESCAPE)
    assert [call.path.split("/")[-2] for call in gateway.to("/v2/")] == ["v1", "v2"]


def test_the_card_by_keys_alone(page):
    """Enter on a badge opens it, also above an answer's dialog; Escape closes it and gives the focus back."""
    answered(page)
    page.one(".tile").send_keys(Keys.ENTER)
    badge = page.one("#detail .model")
    badge.send_keys(Keys.ENTER)
    body(page)
    page.press(Keys.ESCAPE)
    assert not page.one("#model-card").is_displayed()
    assert page.one("#detail").is_displayed()
    assert page.driver.switch_to.active_element == badge


def test_files_that_changed_since_the_answer_are_told(page, gateway):
    """The digest is another than the answer's: the card is not of what answered."""
    gateway.script("card", JSONResponse(card("v1") | {"digest": "sha256:" + "0" * 64}))
    answered(page)
    page.click("#latest .model")
    assert "Its files are others now" in body(page)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (problem(404, "model-not-found"), "There is no card."),
        (problem(503, "model-not-ready"), "The card did not come."),
        (plain(503, "no healthy upstream"), "The mesh answered 503."),
    ],
)
def test_a_card_that_does_not_come_is_explained(page, gateway, answer, words):
    """What is wrong is said; where it may pass, trying again shows the card."""
    gateway.script("card", answer)
    answered(page)
    page.click("#latest .model")
    page.until(lambda: words in page.text("#model-card-body"))
    if answer.status_code == 503:
        page.click("#model-card .actions button")
        assert "90.0 %" in body(page)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_card_fits_its_window(page, width):
    """Nothing is cut off at the side, on a phone or a desktop."""
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        answered(page)
        page.click("#latest .model")
        body(page)
        measure = "const card = document.querySelector('#model-card'); return [card.scrollWidth, card.clientWidth];"
        wide, seen = page.driver.execute_script(measure)
        assert wide <= seen <= width
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
