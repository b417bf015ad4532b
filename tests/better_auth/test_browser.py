"""examples/better-auth in a real browser, and the Authorize button of Swagger UI."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page, Request, expect

from accounts_kit import CHEAP
from asgi import ASGIApp
from better_auth_server import NEWEST, BetterAuthServer, better_auth, cookie_header
from browser import chromium, open_page, screenshot
from example_server import Example, better_auth_example
from fastbearer.accounts import Accounts
from fastbearer.better_auth import BetterAuth
from fastbearer.fastapi import Auth, Settings, better_auth_session
from fastbearer.jwks import JWKSClient
from project import SECRET
from swagger import authorize, execute, log_out, open_docs

pytestmark = [pytest.mark.chromium, pytest.mark.node]
Serve = Callable[[ASGIApp], str]

PASSWORD = "correct horse battery"
TOKEN_COOKIE = "better-auth.session_token"
NOBODY = "401: Not authenticated"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp("example")
    with better_auth_example(folder / "accounts.db") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Open any number of pages, each of somebody else."""
    pages: list[Page] = []

    def opened() -> Page:
        pages.append(open_page(browser))
        return pages[-1]

    yield opened
    for page in pages:
        page.context.close()


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


# --- what somebody does on the page of the example -----------------------------------


def new_email() -> str:
    return f"{secrets.token_hex(8)}@example.com"


def sign_up(page: Page, example: Example, name: str) -> str:
    """Open the page, and make an account with its form; return the e-mail."""
    email = new_email()
    page.goto(example.url)
    fill_form(page, email, PASSWORD)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("#user")).to_have_text(f"Signed in as {name} ({email})")
    return email


def fill_form(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#user")).to_have_text("Signed out")


def list_tasks(page: Page, by: str) -> None:
    page.get_by_label(f"the {by}").check()
    page.get_by_role("button", name="List").click()


def add_task(page: Page, by: str, title: str) -> None:
    page.get_by_label(f"the {by}").check()
    page.get_by_label("New task").fill(title)
    page.get_by_role("button", name="Add").click()


def sees(page: Page, answer: str, *titles: str) -> None:
    expect(page.get_by_role("status")).to_have_text(answer)
    expect(page.locator("#tasks li")).to_have_text(list(titles))


def asked(page: Page, example: Example, by: str) -> dict[str, str]:
    """List the tasks; return the headers that the backend has got."""

    def is_listing(request: Request) -> bool:
        return request.method == "GET" and request.url == f"{example.backend}/tasks"

    with page.expect_request(is_listing) as listing:
        list_tasks(page, by)
    return listing.value.all_headers()


# --- the example ---------------------------------------------------------------------


def test_a_user_from_sign_up_to_sign_out(page: Page, example: Example) -> None:
    page.goto(example.url)
    for by in ("cookie", "JWT"):
        list_tasks(page, by)
        sees(page, f"GET /tasks with the {by}: {NOBODY}")
    screenshot(page, "example 1 nobody is signed in")

    sign_up(page, example, "Ada")
    screenshot(page, "example 2 signed up")

    list_tasks(page, "cookie")
    sees(page, "GET /tasks with the cookie: 200")
    add_task(page, "cookie", "Tea")
    sees(page, "POST /tasks with the cookie: 201", "Tea")
    add_task(page, "JWT", "Scones")
    sees(page, "POST /tasks with the JWT: 201", "Tea", "Scones")

    by_cookie = asked(page, example, "cookie")
    sees(page, "GET /tasks with the cookie: 200", "Tea", "Scones")
    screenshot(page, "example 3 tasks by cookie")
    by_token = asked(page, example, "JWT")
    sees(page, "GET /tasks with the JWT: 200", "Tea", "Scones")
    screenshot(page, "example 4 tasks by JWT")
    assert "authorization" not in by_cookie and TOKEN_COOKIE in by_cookie["cookie"]
    assert "cookie" not in by_token and by_token["authorization"].count(".") == 2

    sign_out(page)
    assert page.context.cookies() == []
    for number, by in ((5, "cookie"), (6, "JWT")):
        list_tasks(page, by)
        sees(page, f"GET /tasks with the {by}: {NOBODY}")
        screenshot(page, f"example {number} signed out and refused by {by}")

    kept = {"cookie": by_cookie["cookie"]}
    assert httpx2.get(f"{example.backend}/tasks", headers=kept).status_code == 401
    # Whoever kept it still has minutes, as docs/better-auth/sessions.md says.
    kept = {"authorization": by_token["authorization"]}
    answer = httpx2.get(f"{example.backend}/tasks", headers=kept)
    assert answer.json() == [{"title": "Tea"}, {"title": "Scones"}]


def test_signing_in_again(page: Page, example: Example) -> None:
    email = sign_up(page, example, "Ada")
    add_task(page, "cookie", "Tea")
    sees(page, "POST /tasks with the cookie: 201", "Tea")
    sign_out(page)
    for password, problem in (
        (PASSWORD[:-1], "Invalid email or password"),
        (PASSWORD, ""),
    ):
        fill_form(page, email, password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text(problem)
    expect(page.locator("#user")).to_have_text(f"Signed in as Ada ({email})")
    list_tasks(page, "JWT")
    sees(page, "GET /tasks with the JWT: 200", "Tea")


def test_another_user_does_not_see_them(
    new_page: Callable[[], Page], example: Example
) -> None:
    ada, bob = new_page(), new_page()
    for page, name in ((ada, "Ada"), (bob, "Bob")):
        sign_up(page, example, name)
        add_task(page, "cookie", f"Tea for {name}")
    for by in ("cookie", "JWT"):
        for page, name in ((ada, "Ada"), (bob, "Bob")):
            list_tasks(page, by)
            sees(page, f"GET /tasks with the {by}: 200", f"Tea for {name}")
    screenshot(bob, "example 7 another user")


# --- other sites ---------------------------------------------------------------------


def hostile(backend: str) -> FastAPI:
    """A page whose form would add a task of its own, for whoever opens it."""
    app = FastAPI()

    @app.get("/", response_class=HTMLResponse)
    async def form() -> str:
        field = """name='{"title": "Planted", "and": "' value='"}'"""
        return (
            f"<form method=post enctype=text/plain action={backend}/tasks>"
            f"<input type=hidden {field}><button>Win a prize</button></form>"
        )

    return app


@pytest.mark.parametrize(
    ("host", "status"),
    [
        # The same site, which is all that SameSite=Lax asks: the cookies come along.
        pytest.param("localhost", 403, id="another origin of the site"),
        pytest.param("127.0.0.1", 401, id="another site"),
    ],
)
def test_another_site_cannot_act_for_the_user(
    page: Page, example: Example, serve: Serve, host: str, status: int
) -> None:
    sign_up(page, example, "Ada")
    elsewhere = serve(hostile(example.backend)).replace("127.0.0.1", host)
    page.goto(elsewhere)
    with page.expect_response(f"{example.backend}/tasks") as posted:
        page.get_by_role("button", name="Win a prize").click()
    assert posted.value.status == status
    screenshot(page, f"example 8 {status} for a page of {host}")
    assert (TOKEN_COOKIE in posted.value.request.all_headers().get("cookie", "")) is (
        status == 403
    )

    page.goto(elsewhere)
    assert reads(page, f"{example.backend}/tasks") is False
    page.goto(example.url)
    assert reads(page, f"{example.backend}/tasks") is True
    list_tasks(page, "cookie")
    sees(page, "GET /tasks with the cookie: 200")


def reads(page: Page, url: str) -> bool:
    """Tell whether a script of the page can read what a URL answers to the user."""
    script = """url => fetch(url, {credentials: "include"}).then(
        answer => answer.ok, () => false)"""
    return bool(page.evaluate(script, url))


# --- Swagger UI ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[BetterAuthServer]:
    with better_auth(NEWEST, plugins={"jwt": {}}) as running:
        yield running


@pytest.fixture
def docs(page: Page, server: BetterAuthServer, serve: Serve, tmp_path: Path) -> Page:
    """The documentation of a backend that takes tokens of several kinds."""
    return open_docs(page, serve(documented(server, tmp_path / "accounts.db")))


def documented(server: BetterAuthServer, database: Path) -> FastAPI:
    auth = Auth(
        Settings(
            better_auth_secret=SECRET,
            better_auth_url=server.base_url,
            database_url=f"sqlite+aiosqlite:///{database}",
        )
    )
    app = FastAPI()
    jwks = JWKSClient(f"{server.base_url}/api/auth/jwks")
    ba = BetterAuth.from_environment(server.environment, jwks=jwks)
    user, session = Depends(auth.verify_jwt_token), Depends(better_auth_session(ba))

    @app.get("/user")
    async def of_token(user: Any = user) -> dict[str, str]:
        return {"id": user["user_id"], "email": user["email"]}

    @app.get("/session")
    async def of_session(session: Any = session) -> dict[str, str]:
        return {"id": session.user_id, "email": session.email}

    app.include_router(Accounts(auth, hasher=CHEAP).router)
    return app


@pytest.mark.parametrize(
    ("scheme", "path"), [("Bearer", "/user"), ("BetterAuth", "/session")]
)
def test_swagger_ui_with_a_jwt_of_better_auth(
    docs: Page, server: BetterAuthServer, scheme: str, path: str
) -> None:
    ada = server.sign_up(new_email(), PASSWORD, "Ada")
    token = server.get("/token", cookie=cookie_header(ada.cookies)).json()["token"]
    nobody = (401, {"detail": "Not authenticated"})
    assert execute(docs, "get", path) == nobody
    authorize(docs, scheme, token)
    known = {"id": ada.id, "email": ada.user["email"]}
    assert execute(docs, "get", path) == (200, known)
    screenshot(docs, f"swagger {scheme} 1 authorized")
    log_out(docs, scheme)
    assert execute(docs, "get", path) == nobody
    screenshot(docs, f"swagger {scheme} 2 logged out")
    authorize(docs, scheme, token[:-8])
    assert execute(docs, "get", path) == (401, {"detail": "Invalid token"})


def test_swagger_ui_with_a_token_of_a_sign_up(docs: Page) -> None:
    email = new_email()
    body = {"email": email, "password": PASSWORD, "name": "Ada"}
    status, answer = execute(docs, "post", "/api/auth/signup", body)
    assert status == 201
    authorize(docs, "Bearer", answer["data"]["token"])
    known = {"id": answer["data"]["user"]["id"], "email": email}
    assert execute(docs, "get", "/user") == (200, known)
    screenshot(docs, "swagger accounts authorized")
