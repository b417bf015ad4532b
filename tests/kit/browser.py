"""A real browser for the tests: Debian's Chromium, without a window.

    with chromium() as browser:
        page = open_page(browser)
        page.goto(url)
        screenshot(page, "what it shows")

It reaches this machine alone. Tests with it carry the marker ``chromium``, and are
skipped where there is none. Screenshots are kept in ``build/screenshots``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from project import ROOT
from servers import NO_CHROMIUM, has_chromium

SCREENSHOTS = ROOT / "build" / "screenshots"
LOOPBACK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
PATIENCE = 60_000
"""Milliseconds after which what does not come is a failure; machines may be slow."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run it, as long as the browser is needed; it keeps nothing."""
    if not has_chromium():
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[LOOPBACK]
        )
        with browser:
            yield browser


def open_page(browser: Browser) -> Page:
    """Open a page that has no cookies, and shares none with other pages."""
    page = browser.new_context(viewport={"width": 800, "height": 640}).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def screenshot(page: Page, name: str) -> None:
    """Keep what the page shows."""
    file = SCREENSHOTS / f"{name.replace(' ', '-')}.png"
    page.screenshot(path=file)
