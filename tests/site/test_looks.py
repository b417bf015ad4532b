"""The site in a real browser: light and dark, on a desktop and on a phone.

`make test` looks at a few pages, `make docs-test` at every one. Screenshots are kept in
``build/docs-screenshots``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from browser import chromium
from docs_site import (
    SCHEMES,
    SCREENSHOTS,
    SIZES,
    axe_source,
    broken_rules,
    paths,
    reader,
    served_site,
    wider_than_the_window,
)

pytestmark = [pytest.mark.chromium, pytest.mark.node]

FEW = ["", "reference/errors/", "explain/security/"]
BOTH = [(size, scheme) for size in SIZES for scheme in SCHEMES]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with served_site() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if axe_source()[1]:
        pytest.skip(f"NO AXE-CORE: npm cannot install it: {axe_source()[1]}")
    with chromium() as running:
        yield running


def away(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def looked_at(
    browser: Browser, base_url: str, size: str, scheme: str, some: list[str]
) -> dict[str, list[str]]:
    """Return page -> what is wrong with it, for the pages that have faults.

    What each looks like is kept.
    """
    context = reader(browser, size, scheme)
    page = context.new_page()
    found: list[str] = []
    page.on("console", lambda one: found.append(f"console: {one.text}"))
    page.on("pageerror", lambda one: found.append(f"error: {one}"))
    page.on("request", lambda one: found.append(one.url) if away(one.url) else None)
    wrong = {}
    for path in some:
        found.clear()
        page.goto(f"{base_url}/{path}")
        name = path.strip("/").replace("/", "-") or "home"
        page.screenshot(path=SCREENSHOTS / f"{size}-{scheme}" / f"{name}.png")
        shown = page.locator("body").get_attribute("data-md-color-scheme")
        assert shown == {"light": "default", "dark": "slate"}[scheme]
        faults = [*found, *wider_than_the_window(page), *broken_rules(page)]
        if faults:
            wrong[path or "home"] = faults
    context.close()
    return wrong


@pytest.mark.parametrize(("size", "scheme"), BOTH)
def test_a_few_pages_look_right(
    browser: Browser, base_url: str, size: str, scheme: str
) -> None:
    assert looked_at(browser, base_url, size, scheme, FEW) == {}


@pytest.mark.soak
@pytest.mark.parametrize(("size", "scheme"), BOTH)
def test_every_page_looks_right(
    browser: Browser, base_url: str, size: str, scheme: str
) -> None:
    assert looked_at(browser, base_url, size, scheme, paths()) == {}


def test_planted_faults_are_seen(browser: Browser) -> None:
    context = reader(browser, "desktop", "light")
    page = context.new_page()
    page.set_content(
        """<html lang=en><title>x</title><body><main><article>
        <p style="color:#999;background:#fff">pale</p>
        <p style="width:2000px">wide</p><img src="data:,"></article></main></html>"""
    )
    assert wider_than_the_window(page)[0] == "wider than the window"
    rules = {one.partition(":")[0] for one in broken_rules(page)}
    assert {"color-contrast", "image-alt"} <= rules
    assert away("https://example.org/font.woff2") and not away("http://127.0.0.1:1/x")
    context.close()
