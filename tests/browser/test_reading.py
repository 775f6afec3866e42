"""From ink to answer, before a scripted gateway."""

import pytest
from browser.page import recordings

SEVEN = recordings()["7-plain"]["strokes"]


def test_a_drawn_digit_is_read_and_shown_with_all_that_is_known_of_it(page, gateway):
    """Read sends 64 numbers with a key and a session; label, bars, credits, model, digest and path are shown."""
    gateway.attempts = 2
    page.draw(SEVEN)
    page.read()
    page.answered()
    (call,) = gateway.to("predictions")
    assert len(call.body["pixels"]) == 64
    assert max(call.body["pixels"]) == 16
    assert call.key
    assert call.token == "Bearer token-1"
    assert page.shown_label() == "7"
    assert [bar.text for bar in page.all(".bars .share")][6:8] == ["1.0 %", "91.0 %"]
    assert page.balance() == "19"
    assert page.text(".model").split() == ["digits", "v1", "4be1c27d", "Model", "card"]
    assert [hop.text for hop in page.all(".hops li")] == [
        "gateway v1 gateway-0",
        "payment v1 payment-0",
        "inference v1 inference-v1-1 attempt 2",
    ]


@pytest.mark.parametrize("kind", ["mouse", "touch", "pen"])
def test_every_kind_of_pointer_draws(page, kind):
    """Mouse, finger and pen put ink on the surface, and Undo takes it away again."""
    page.draw(SEVEN, kind)
    assert page.inked()
    page.click("#undo")
    assert not page.inked()


def test_the_next_stroke_after_an_answer_begins_a_new_drawing(page):
    """A drawing that was read stays in sight until the pen comes down again; Undo brings it back."""
    page.draw(SEVEN)
    page.read()
    page.answered()
    assert page.inked()
    strokes = "return document.querySelector('#seen').getContext('2d').getImageData(0, 0, 8, 8).data.join()"
    seven = page.driver.execute_script(strokes)
    page.draw([[[140, 40], [140, 240]]])
    assert page.driver.execute_script(strokes) != seven
    page.click("#undo")
    assert page.driver.execute_script(strokes) == seven


def test_answers_are_counted_and_coloured_by_version(page, gateway):
    """Ten samples make ten tiles; tile and legend name the version, whose colour they share."""
    gateway.versions = ("v1", "v2")
    page.click("#read-ten")
    page.answered(10)
    assert {tile.get_attribute("data-version") for tile in page.all(".tile")} == {"v1", "v2"}
    assert [item.text for item in page.all("#legend li")] == ["v1 5 · 50 %", "v2 5 · 50 %"]
    edges = {tile.text.split()[-1]: tile.value_of_css_property("border-top-color") for tile in page.all(".tile")}
    assert len(set(edges.values())) == 2


def test_answers_outlive_a_reload(page):
    """The grid, the latest answer and the session are the tab's."""
    page.press("3")
    page.read()
    page.answered()
    page.reload()
    page.answered()
    assert page.shown_label() == "7"
    page.until(lambda: page.balance() == "19")


def test_the_cohort_is_sent_with_a_reading(page, gateway):
    """Beta sends x-cohort: beta and says so; normal sends nothing."""
    page.press("1")
    page.read()
    page.answered()
    page.driver.execute_script("document.querySelector('input[value=beta]').click()")
    assert page.one("#cohort-tag").is_displayed()
    page.read()
    page.answered(2)
    assert [call.cohort for call in gateway.to("predictions")] == [None, "beta"]
