from collections.abc import Iterator

import pytest
from browser import chromium as browser_process
from browser.gateway_script import ScriptedGateway
from browser.page import Page
from browser.site import served
from selenium.webdriver.chrome.webdriver import WebDriver


@pytest.fixture(scope="session")
def driver() -> Iterator[WebDriver]:
    """One browser for all tests; skips where there is none."""
    if reason := browser_process.missing():
        pytest.skip(reason)
    with browser_process.chromium("--window-size=1280,1000") as browser:
        yield browser


@pytest.fixture
def gateway() -> ScriptedGateway:
    """What the page's API says in this test."""
    return ScriptedGateway()


@pytest.fixture
def page(driver: WebDriver, gateway: ScriptedGateway) -> Iterator[Page]:
    """The real page before the scripted gateway; afterwards the browser's console must be clean."""
    with served(gateway.app()) as url:
        page = Page(driver, url)
        driver.get_log("browser")
        yield page.open()
        assert page.complaints() == []
        driver.get("about:blank")
