"""Pictures of the running product for the READMEs: `python tests/browser/screenshots.py [URL]`.

Writes docs/page.png (desktop), docs/page-phone.png, and docs/model-card.png (of what answered last). Several versions
in one picture need a split: `inkmesh scenario apply canary-50` before it.
"""

import base64
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from browser.chromium import chromium  # noqa: E402
from browser.page import Page, recordings  # noqa: E402

DOCS = HERE.parents[1] / "docs"
DRAWN = "0-oval 1-serif 2-swan 3-round 4-open 5-wide 6-curved 8-two-circles 9-hooked 4-closed 2-looped 7-bar"
PICTURES = (("page.png", 1280, 900, 1.5), ("page-phone.png", 390, 844, 2))


def fill(page: Page) -> None:
    """Draws and reads a dozen digits, and corrects what was misread."""
    drawings = recordings()
    for count, name in enumerate(DRAWN.split(), start=1):
        page.draw(drawings[name]["strokes"], every=3)
        page.read()
        page.answered(count)
        digit = drawings[name]["digit"]
        if page.shown_label() != str(digit):
            page.click(f"#latest .picker button:nth-child({digit + 1})")
            page.until(lambda: "Noted" in page.text("#latest .said"))


def picture(page: Page, width: int, height: int) -> bytes:
    """The whole page on a desktop, and the first two screens of a phone, as PNG."""
    tall = page.driver.execute_script("scrollTo(0, 0); return document.documentElement.scrollHeight")
    return captured(page, {"x": 0, "y": 0, "width": width, "height": tall if width > 500 else min(tall, 2 * height)})


def card(page: Page) -> bytes:
    """The dialog with the model card of the latest answer, as PNG."""
    page.click("#latest .model")
    page.until(lambda: page.all("#model-card .accuracy"))
    page.driver.execute_script("document.querySelector('#model-card').style.maxHeight = 'none'")
    return captured(page, page.one("#model-card").rect)


def captured(page: Page, clip: dict[str, float]) -> bytes:
    """A part of the page, as PNG."""
    options = {"captureBeyondViewport": True, "clip": clip | {"scale": 1}}
    return base64.b64decode(page.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"])


def main() -> None:
    """Takes each picture in a browser, and with a guest, of its own."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8080"
    DOCS.mkdir(exist_ok=True)
    for name, width, height, sharpness in PICTURES:
        with chromium("--hide-scrollbars") as driver:
            screen = {"width": width, "height": height, "deviceScaleFactor": sharpness, "mobile": width < 500}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            page = Page(driver, url).open()
            fill(page)
            (DOCS / name).write_bytes(picture(page, width, height))
            if name == "page.png":
                (DOCS / "model-card.png").write_bytes(card(page))
            print(DOCS / name)  # noqa: T201


if __name__ == "__main__":
    main()
