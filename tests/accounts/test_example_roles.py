"""``examples/roles``, run as its users run it: roles, scopes and the password form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from accounts_kit import http
from browser import chromium, open_page, screenshot
from example_service import ExampleService, running_example
from swagger import execute, open_docs, sign_in

pytestmark = pytest.mark.http

PASSWORD = "correct horse battery"
SIGN_UP = "/api/auth/signup"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExampleService]:
    file = tmp_path_factory.mktemp("roles") / "accounts.db"
    url = f"sqlite+aiosqlite:///{file}"
    with running_example("roles", DATABASE_URL=url) as running:
        yield running


def create(service: ExampleService, name: str, roles: str) -> None:
    who = ["--email", f"{name}@example.com", "--username", name]
    command = ["fastbearer", "user", "create", *who, "--password-stdin"]
    service.run(*command, "--roles", roles, stdin=f"{PASSWORD}\n")


def token_of(service: ExampleService, username: str) -> str:
    form = {"username": username, "password": PASSWORD}
    answered = http.post(f"{service.url}/api/auth/token", data=form)
    assert answered.status_code == 200, answered.text
    return str(answered.json()["access_token"])


def test_roles_are_what_a_route_asks_for(service: ExampleService) -> None:
    create(service, "ada", "editor")
    create(service, "bob", "reader")
    path = "/articles?title=Engines"
    assert service.post(path, token_of(service, "ada"))[0] == 201
    reader = token_of(service, "bob@example.com")
    assert service.get("/articles", reader)[0] == 200
    assert service.post(path, reader)[0] == 403
    assert service.get("/articles")[0] == 401


def test_a_change_of_roles_ends_the_sessions(service: ExampleService) -> None:
    create(service, "carl", "reader")
    before = token_of(service, "carl")
    service.run("fastbearer", "user", "set", "carl@example.com", "--roles", "editor")
    path = "/articles?title=Notes"
    assert service.post(path, token_of(service, "carl"))[0] == 201
    status, answer = 200, None
    while status == 200:  # the process hears of it within seconds
        status, answer = service.get("/articles", before)
    assert status == 401 and "revoked" in answer["detail"]


def test_nobody_gets_a_role_by_signing_up(service: ExampleService) -> None:
    body = {"email": "eve@example.com", "username": "eve", "password": PASSWORD}
    asked = {"roles": ["editor"], "scope": "articles:write", "is_active": True}
    status, answer = service.post(SIGN_UP, **body, **asked)
    assert status == 201
    token = answer["data"]["token"]
    assert service.get("/articles", token)[0] == 403
    assert service.get("/articles", token_of(service, "eve"))[0] == 403


@pytest.mark.chromium
@pytest.mark.node
def test_swagger_ui_signs_in_by_user_name(service: ExampleService) -> None:
    create(service, "grace", "editor")
    with chromium() as browser:
        docs = open_docs(open_page(browser), service.url)
        assert execute(docs, "get", "/articles")[0] == 401
        form = sign_in(docs, "OAuth2PasswordBearer", "grace", PASSWORD)
        expect(form).to_contain_text("Authorized")
        docs.locator(".dialog-ux .btn-done").first.click()
        assert execute(docs, "get", "/articles")[0] == 200
        screenshot(docs, "example roles")
