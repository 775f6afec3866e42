"""The page in the words of the person who uses it."""

import json
from pathlib import Path

from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

SECONDS = 20
DRAWINGS = Path(__file__).parents[2] / "services/frontend/tests/drawings"


PEOPLE = DRAWINGS / "people.jsonl"


def recordings() -> dict[str, dict]:
    """Every recorded drawing by its file's name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DRAWINGS.glob("*.json"))}


def written_by_people() -> list[dict]:
    """Digits that people wrote, traced."""
    return [json.loads(line) for line in PEOPLE.read_text().splitlines()]


class Page:
    """One open tab. Methods act and wait; what a test asserts stays in the test."""

    def __init__(self, driver: WebDriver, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self) -> "Page":
        """The page as a new visitor gets it."""
        self.driver.get(self.url)
        self.driver.execute_script("sessionStorage.clear()")
        return self.reload()

    def reload(self) -> "Page":
        self.driver.get(self.url)
        self.until(lambda: self.all("#samples button"))
        return self

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.one(selector).text

    def until(self, condition):
        """Waits until condition() is true, and gives what it gave."""
        return WebDriverWait(self.driver, SECONDS, poll_frequency=0.02).until(lambda _: condition())

    def click(self, selector: str) -> None:
        self.one(selector).click()

    def press(self, *keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def draw(self, strokes: list, kind: str = "mouse", every: int = 6) -> None:
        """Draws strokes of a 280 by 280 square on the surface, by real pointer events."""
        surface = self.one("#pad")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", surface)
        side = surface.size["width"]
        pointer = PointerInput(kind, f"{kind}-pointer")
        actions = ActionBuilder(self.driver, mouse=pointer, duration=0)
        for stroke in strokes:
            points = [*stroke[:-1:every], stroke[-1]]
            for index, (x, y, *_) in enumerate(points):
                # Offsets count from the element's middle.
                at = (round((x / 280 - 0.5) * side), round((y / 280 - 0.5) * side))
                actions.pointer_action.move_to(surface, *at)
                if index == 0:
                    actions.pointer_action.pointer_down()
            actions.pointer_action.pointer_up()
        actions.perform()

    def read(self) -> None:
        self.click("#read")

    def answered(self, count: int = 1) -> None:
        """Waits for that many answers in the grid."""
        self.until(lambda: len(self.all(".tile")) >= count)

    def message(self) -> str:
        """Waits for a message beside the drawing, and gives its text."""
        self.until(lambda: self.one("#message").is_displayed())
        return self.text("#message")

    def shown_label(self) -> str:
        return self.text("#latest .label")

    def balance(self) -> str:
        return self.text("#balance")

    def inked(self) -> bool:
        """Whether the surface has a drawing."""
        return self.one("#clear").is_enabled()

    def complaints(self) -> list[str]:
        """What the browser's console holds against the page: script errors and refused content."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]
        ]
