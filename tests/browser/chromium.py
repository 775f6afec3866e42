"""Debian's Chromium, headless, with an empty profile of its own."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver

CHROMIUM = Path(os.environ.get("INKMESH_CHROMIUM", "/usr/bin/chromium"))
CHROMEDRIVER = Path(os.environ.get("INKMESH_CHROMEDRIVER", "/usr/bin/chromedriver"))
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --force-prefers-reduced-motion"
)
PAGE_SECONDS = 30


def missing() -> str | None:
    """Why there is no browser here, if so."""
    absent = [str(path) for path in (CHROMIUM, CHROMEDRIVER) if not path.exists()]
    return f"not installed: {', '.join(absent)}" if absent else None


@contextlib.contextmanager
def chromium(*flags: str) -> Iterator[webdriver.Chrome]:
    """A browser that ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS.split(), f"--user-data-dir={profile}", *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options, webdriver.ChromeService(str(CHROMEDRIVER)))
        try:
            driver.set_page_load_timeout(PAGE_SECONDS)
            yield driver
        finally:
            driver.quit()
