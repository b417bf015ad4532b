"""Swagger UI in a browser, as FastAPI's page of documentation has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from npm import npm_install

SWAGGER_UI = "5.35.0"
CDN = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5"
"""Where FastAPI's own page of documentation takes Swagger UI from."""


def swagger_files() -> Path:
    """Return the folder of Swagger UI's files; npm fetches them once."""
    package = {"private": True, "dependencies": {"swagger-ui-dist": SWAGGER_UI}}
    name = f"swagger-ui-{SWAGGER_UI}"
    folder, problem = npm_install(name, json.dumps(package))
    assert not problem, problem
    return folder / "node_modules" / "swagger-ui-dist"


def open_docs(page: Page, base_url: str) -> Page:
    """Open the documentation of an application; its CDN is answered for here."""
    files = swagger_files()

    def answer(route: Any) -> None:
        route.fulfill(path=files / route.request.url.rpartition("/")[2])

    page.route(f"{CDN}/*", answer)
    page.set_viewport_size({"width": 800, "height": 1100})
    page.goto(f"{base_url}/docs")
    return page


def open_dialog(docs: Page) -> None:
    """Press Authorize."""
    docs.locator(".scheme-container").get_by_role("button").click()


def open_authorizations(docs: Page, scheme: str) -> Locator:
    """Press Authorize; return the part of the dialog that is a scheme's."""
    open_dialog(docs)
    return docs.locator(".auth-container", has_text=f"{scheme}\xa0 (http, Bearer)")


def close_authorizations(docs: Page) -> None:
    docs.locator(".dialog-ux .btn-done").first.click()


def authorize(docs: Page, scheme: str, token: str) -> None:
    form = open_authorizations(docs, scheme)
    form.get_by_label("auth-bearer-value").fill(token)
    form.get_by_role("button", name="Apply credentials").click()
    expect(form).to_contain_text("Authorized")
    close_authorizations(docs)


def log_out(docs: Page, scheme: str) -> None:
    form = open_authorizations(docs, scheme)
    form.get_by_role("button", name="Remove authorization").click()
    expect(form).not_to_contain_text("Authorized")
    close_authorizations(docs)


def execute(docs: Page, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Try an operation out; return the status and the body that are shown."""
    summary = f".opblock-{method}:has([data-path='{path}'])"
    operation = docs.locator(f".opblock{summary}")
    shown = operation.locator(".live-responses-table .response")
    if "is-open" in (operation.get_attribute("class") or ""):
        operation.get_by_role("button", name="Clear").click()
        expect(shown).to_have_count(0)
    else:
        operation.locator(".opblock-summary").click()
        operation.get_by_role("button", name="Try it out").click()
    if body is not None:
        operation.locator("textarea").fill(json.dumps(body))
    operation.get_by_role("button", name="Execute").click()
    status = shown.locator(".response-col_status").inner_text()
    return int(status.split()[0]), json.loads(shown.locator("code").first.inner_text())


def sign_in(docs: Page, scheme: str, username: str, password: str) -> Locator:
    """Fill in the password form of Authorize, and send it; return its part."""
    open_dialog(docs)
    form = docs.locator(".auth-container", has_text=f"{scheme}\xa0(OAuth2, password)")
    form.get_by_label("username").fill(username)
    form.get_by_label("password", exact=False).last.fill(password)
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    return form
