"""The page at the widths of phones and desktops."""

import pytest

WIDTHS = (320, 360, 390, 768, 1280)
MEASURE = """
    const pad = document.querySelector('#pad');
    const inside = [...document.querySelectorAll('.card')].every((card) => {
        const edge = card.getBoundingClientRect().right;
        return [...card.querySelectorAll('*')].every((one) => one.getBoundingClientRect().right <= edge);
    });
    return [document.documentElement.scrollWidth, inside, [pad.width, pad.height, pad.clientWidth, pad.clientHeight]];
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_fits_and_the_surface_is_square(page, width):
    """Nothing overflows its card or the window, and a pixel of the surface is one of the screen, both ways."""
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        page.press("7")
        page.read()
        page.answered()
        page.until(lambda: page.driver.execute_script("return document.querySelector('#pad').width") <= width)
        scrolled, inside, sizes = page.driver.execute_script(MEASURE)
        assert scrolled <= width
        assert inside
        assert len(set(sizes)) == 1
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_phone_sees_surface_and_verdict_at_once(page):
    """On a phone's screen an answer is in sight beside the drawing, without scrolling by hand."""
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        page.press("7")
        page.read()
        page.answered()
        bottom = "return document.querySelector('#latest .verdict').getBoundingClientRect().bottom"
        assert page.driver.execute_script(bottom) <= 844
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
