"""The page without a pointer."""

from selenium.webdriver import Keys


def test_a_digit_is_drawn_read_and_cleared_by_keys(page, gateway):
    """A digit key draws a sample, Enter reads it, Backspace clears, Z brings it back."""
    page.press("7", Keys.ENTER)
    page.answered()
    page.press(Keys.BACKSPACE)
    assert not page.inked()
    page.press("z")
    assert page.inked()
    assert len(gateway.to("predictions")) == 1


def test_arrows_and_space_draw_on_the_surface(page):
    """Space puts the pen down, arrows draw, Space lifts it: two strokes are two undos."""
    page.driver.execute_script("document.querySelector('#pad').focus()")
    page.press(" ", Keys.ARROW_DOWN, Keys.ARROW_DOWN, " ", Keys.ARROW_RIGHT, " ", Keys.ARROW_DOWN, " ")
    assert page.inked()
    page.click("#undo")
    assert page.inked()
    page.click("#undo")
    assert not page.inked()


FOCUSED = """
    const focused = document.activeElement;
    const shown = focused.matches('.segments input') ? focused.nextSibling : focused;
    const name = focused.ariaLabel || focused.labels?.[0]?.textContent || focused.textContent;
    return [focused.id || name.trim(), getComputedStyle(shown).outlineStyle];
"""


def test_every_control_is_reached_by_tab_and_shows_its_focus(page):
    """Tab goes through all controls in the order they are read in, each with a name and a visible outline."""
    page.press("7")
    reached = []
    while len(reached) < 30 and (not reached or reached[-1][0] != "read-ten"):
        page.press(Keys.TAB)
        reached.append(page.driver.execute_script(FOCUSED))
    samples = [f"Draw a sample {digit}" for digit in range(10)]
    drawing = ["Skip to the drawing surface", "open-topup", "pad", "undo", "clear", "read"]
    assert [name for name, _ in reached] == [*drawing, *samples, "Normal", "read-ten"]
    assert {outline for _, outline in reached} == {"solid"}


def test_keys_in_a_field_are_the_fields(page, gateway):
    """Digits typed as a card number draw nothing."""
    page.click("#open-topup")
    page.one("#card-number").send_keys("123")
    page.press(Keys.ESCAPE)
    assert not page.one("#topup").is_displayed()
    assert not page.inked()
