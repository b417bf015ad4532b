"""The search of the site finds the page that answers a question."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browser import chromium
from docs_site import reader, served_site

pytestmark = pytest.mark.chromium

QUESTIONS = {
    "protect a route": "start/",
    "sign out everywhere": "guide/accounts/",
    "refresh token": "guide/",
    "JWT_AUDIENCE": "reference/settings/",
    "expired_token": "reference/errors/",
    "Keycloak": "providers/keycloak/",
    "nginx proxy": "guide/operations/",
    "passlib": "migrate/passlib/",
    "pepper": "guide/passwords/",
    "sealed session cookie": "better-auth/",
}
"""What somebody types -> where one of the first results must lead."""

FIRST = 8


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with served_site() as base_url, chromium() as browser:
        context = reader(browser, "desktop", "light")
        page = context.new_page()
        page.goto(base_url, wait_until="networkidle")
        page.keyboard.press("Control+k")
        yield page
        context.close()


@pytest.mark.parametrize(("question", "place"), QUESTIONS.items())
def test_a_question_is_answered(page: Page, question: str, place: str) -> None:
    page.get_by_role("combobox", name="Search").fill(question)
    results = page.get_by_role("listbox", name="Search results").get_by_role("option")
    marked = f"h={question.replace(' ', '+')}"
    expect(results.first).to_have_attribute("href", re.compile(re.escape(marked)))
    found = [one.get_attribute("href") or "" for one in results.all()[:FIRST]]
    assert any(f"/{place}" in one for one in found), found
