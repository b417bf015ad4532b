"""An application over fastapi-users becomes one over fastbearer.

Its database and its page stay as they are, and so do its users' open sessions.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from browser import chromium, open_page, screenshot
from fastapi_users_apps import (
    COOKIES,
    EXAMPLE,
    NUMBERS_AFTER,
    NUMBERS_BEFORE,
    Application,
    after,
    ask_sqlite,
    before,
    sqlite_url,
)
from fastbearer.accounts import Database
from servers import ask, own_database

pytestmark = pytest.mark.http

Left = tuple[Path, Application]

EMAIL = "Ada@Example.com"
PASSWORD = "correct horse battery"
NEW = "another horse battery"
SCHEMA = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'user' ORDER BY name"
ROWS = "SELECT * FROM user ORDER BY email"


@pytest.fixture(scope="module")
def left(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, Application]]:
    """A database that fastapi-users has left, and the tokens that it has given."""
    file = tmp_path_factory.mktemp("left") / "users.db"
    with before(sqlite_url(file)) as application:
        body = {"email": EMAIL, "password": PASSWORD, "nickname": "Ada"}
        application.client.post("/auth/register", json=body).raise_for_status()
        token = application.login(EMAIL, PASSWORD).json()["access_token"]
        application.tokens["ada"] = token
        for path in ("forgot-password", "request-verify-token"):
            asked = application.client.post(f"/auth/{path}", json={"email": EMAIL})
            asked.raise_for_status()
        for purpose in ("reset_password", "verify_email"):
            application.tokens[purpose] = application.mailed_token(purpose)
        yield file, application


@pytest.fixture
def database(left: Left, tmp_path: Path) -> Path:
    return shutil.copy(left[0], tmp_path / "users.db")


def test_open_sessions_go_on_and_end(left: Left, database: Path) -> None:
    with after(sqlite_url(database)) as ours:
        ours.tokens = dict(left[1].tokens)
        me = ours.ask("GET", "/users/me", "ada").json()
        assert (me["email"], me["nickname"]) == ("Ada@example.com", "Ada")
        assert me["id"] == ask_sqlite(database, "SELECT id FROM user")[0][0]
        assert ours.ask("GET", "/hello", "ada").status_code == 200
        # Another session, and the end of the first.
        ours.tokens["new"] = ours.login(EMAIL, PASSWORD).json()["access_token"]
        assert ours.ask("POST", "/auth/jwt/logout", "ada").status_code == 204
        assert ours.ask("GET", "/users/me", "ada").status_code == 401
        assert ours.ask("GET", "/users/me", "new").status_code == 200


def test_open_sessions_end_with_the_password(left: Left, database: Path) -> None:
    with after(sqlite_url(database)) as ours:
        ours.tokens = dict(left[1].tokens)
        changed = ours.ask("PATCH", "/users/me", "ada", json={"password": NEW})
        assert changed.status_code == 200
        assert ours.ask("GET", "/users/me", "ada").status_code == 401


def test_tokens_of_messages_are_no_access_tokens_nor_codes(
    left: Left, database: Path
) -> None:
    with after(sqlite_url(database)) as ours:
        ours.tokens = dict(left[1].tokens)
        for purpose in ("reset_password", "verify_email"):
            assert ours.ask("GET", "/users/me", purpose).status_code == 401
        reset = {"token": ours.tokens["reset_password"], "password": NEW}
        refused = ours.client.post("/auth/reset-password", json=reset)
        assert refused.json() == {"detail": "RESET_PASSWORD_BAD_TOKEN"}
        verify = {"token": ours.tokens["verify_email"]}
        refused = ours.client.post("/auth/verify", json=verify)
        assert refused.json() == {"detail": "VERIFY_USER_BAD_TOKEN"}


def test_without_the_audience_open_sessions_end(left: Left, database: Path) -> None:
    with after(sqlite_url(database), settings={"JWT_AUDIENCE": ""}) as ours:
        ours.tokens = dict(left[1].tokens)
        assert ours.ask("GET", "/users/me", "ada").status_code == 401
        ours.tokens["new"] = ours.login(EMAIL, PASSWORD).json()["access_token"]
        assert ours.ask("GET", "/users/me", "new").status_code == 200


def test_a_short_secret_has_a_way_out(tmp_path: Path) -> None:
    """The documentation of fastapi-users has "SECRET"."""
    url, short = sqlite_url(tmp_path / "users.db"), "SECRET"
    with before(url, secret=short) as theirs:
        body = {"email": EMAIL, "password": PASSWORD}
        theirs.client.post("/auth/register", json=body).raise_for_status()
        token = theirs.login(EMAIL, PASSWORD).json()["access_token"]
    with (
        pytest.raises(httpx2.TransportError),  # it does not start
        after(url, settings={"BETTER_AUTH_SECRET": short}),
    ):
        pass
    settings = {"BETTER_AUTH_SECRET": short, "ALLOW_SHORT_SECRET": "1"}
    with after(url, settings=settings) as ours:
        ours.tokens["ada"] = token
        assert ours.ask("GET", "/users/me", "ada").status_code == 200


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "users.db")
    with before(url, NUMBERS_BEFORE) as theirs:
        body = {"email": EMAIL, "password": PASSWORD}
        made = theirs.client.post("/auth/register", json=body).json()
        token = theirs.login(EMAIL, PASSWORD).json()["access_token"]
    assert made["id"] == 1
    with after(url, NUMBERS_AFTER) as ours:
        ours.tokens["ada"] = token
        assert ours.ask("GET", "/users/me", "ada").json() == made
        body = {"email": "bob@example.com", "password": PASSWORD}
        bob = ours.client.post("/auth/register", json=body).json()
        assert bob["id"] == 2
        login = ours.login("bob@example.com", PASSWORD)
        ours.tokens["bob"] = login.json()["access_token"]
        assert ours.ask("GET", "/users/me", "bob").json() == bob
        write = "UPDATE user SET is_superuser = 1 WHERE id = 2"
        ask_sqlite(tmp_path / "users.db", write)
        assert ours.ask("GET", "/users/1", "bob").json() == made
        for other in ("3", "01", "+1", "1.0", "9" * 30):
            assert ours.ask("GET", f"/users/{other}", "bob").status_code == 404


@pytest.mark.postgres
def test_on_postgresql() -> None:
    """UUIDs are of the database's own type there."""
    with own_database() as url:
        url = url.replace("postgresql://", "postgresql+asyncpg://")
        with before(url) as theirs:
            body = {"email": EMAIL, "password": PASSWORD, "nickname": "Ada"}
            made = theirs.client.post("/auth/register", json=body).json()
            token = theirs.login(EMAIL, PASSWORD).json()["access_token"]
        asyncio.run(Database(lambda: url).migrate())
        with after(url) as ours:
            ours.tokens["ada"] = token
            assert ours.ask("GET", "/users/me", "ada").json() == made
            changed = ours.ask("PATCH", "/users/me", "ada", json={"nickname": "A"})
            assert changed.json() == {**made, "nickname": "A"}
            body = {"email": "bob@example.com", "password": PASSWORD}
            bob = ours.client.post("/auth/register", json=body).json()
            ours.tokens["bob"] = ours.login("bob@example.com", PASSWORD).json()[
                "access_token"
            ]
            assert ours.ask("GET", "/users/me", "bob").json() == bob
            write = 'UPDATE "user" SET is_superuser = true WHERE email = ?'
            ask(url.replace("+asyncpg", ""), write, "bob@example.com")
            path = f"/users/{made['id']}"
            assert ours.ask("GET", path, "bob").json() == changed.json()
            assert ours.ask("GET", f"{path}x", "bob").status_code == 404
            assert ours.ask("DELETE", path, "bob").status_code == 204
            assert ours.ask("GET", "/users/me", "ada").status_code == 401


def test_the_table_stays_as_it_is(database: Path) -> None:
    schema, rows = ask_sqlite(database, SCHEMA), ask_sqlite(database, ROWS)
    with after(sqlite_url(database)) as ours:
        assert ours.login(EMAIL, PASSWORD).status_code == 200
    assert ask_sqlite(database, SCHEMA) == schema
    assert ask_sqlite(database, ROWS) == rows
    tables = ask_sqlite(database, "SELECT name FROM sqlite_master WHERE type = 'table'")
    assert {name.partition("_")[0] for (name,) in tables} >= {"user", "fastbearer"}


def test_there_is_a_way_back(database: Path) -> None:
    """What we have written is read by fastapi-users: hashes, ids, e-mails."""
    with after(sqlite_url(database)) as ours:
        body = {"email": "bob@example.com", "password": PASSWORD}
        made = ours.client.post("/auth/register", json=body).json()
        token = ours.login("bob@example.com", PASSWORD).json()["access_token"]
        ours.client.post("/auth/forgot-password", json={"email": EMAIL})
        reset = {"token": ours.mailed_token("reset_password"), "password": NEW}
        ours.client.post("/auth/reset-password", json=reset).raise_for_status()
    with before(sqlite_url(database)) as theirs:
        assert theirs.login(EMAIL, NEW).status_code == 200
        assert theirs.login("bob@example.com", PASSWORD).status_code == 200
        theirs.tokens["bob"] = token
        assert theirs.ask("GET", "/users/me", "bob").json() == made


def test_old_hashes_are_renewed(database: Path) -> None:
    """Those of passlib's time, which pwdlib verifies as well."""
    from fastbearer import PasswordHash

    old = PasswordHash("bcrypt", rounds=4).hash(PASSWORD)
    ask_sqlite(database, "UPDATE user SET hashed_password = ?", old)
    with after(sqlite_url(database)) as ours:
        assert ours.login(EMAIL, NEW).status_code == 400
        assert ours.login(EMAIL, PASSWORD).status_code == 200
        assert ours.login(EMAIL, PASSWORD).status_code == 200
    [(stored,)] = ask_sqlite(database, "SELECT hashed_password FROM user")
    assert stored.startswith("$argon2id$")


def test_cookies_go_on(tmp_path: Path) -> None:
    file = tmp_path / "users.db"
    body = {"email": EMAIL, "password": PASSWORD}
    with before(sqlite_url(file), COOKIES) as theirs:
        theirs.client.post("/auth/register", json=body).raise_for_status()
        signed_in = theirs.login(EMAIL, PASSWORD)
        assert (signed_in.status_code, signed_in.content) == (204, b"")
        assert theirs.client.get("/users/me").status_code == 200
        old = signed_in.cookies["fastapiusersauth"]
    settings = {
        "AUTH_COOKIE": "1",
        "COOKIE_SECURE": "0",
        "TOKEN_COOKIES": "fastapiusersauth",
    }
    with after(sqlite_url(file), settings=settings) as ours:
        origin = {"Origin": str(ours.client.base_url).rstrip("/")}
        ours.client.cookies.set("fastapiusersauth", old, domain="127.0.0.1")
        assert ours.client.get("/users/me").status_code == 200
        # A page of another site cannot ride on it.
        change = {"nickname": "x"}
        for elsewhere in ({}, {"Origin": "https://evil.example"}):
            refused = ours.client.patch("/users/me", json=change, headers=elsewhere)
            assert refused.status_code == 403
        changed = ours.client.patch("/users/me", json=change, headers=origin)
        assert changed.json()["nickname"] == "x"
        form = {"username": EMAIL, "password": PASSWORD}
        signed_in = ours.client.post("/auth/jwt/login", data=form, headers=origin)
        assert (signed_in.status_code, signed_in.content) == (204, b"")
        assert set(ours.client.cookies) == {"fastbearer"}
        assert ours.client.get("/users/me").status_code == 200
        signed_out = ours.client.post("/auth/jwt/logout", headers=origin)
        assert (signed_out.status_code, signed_out.content) == (204, b"")
        assert set(ours.client.cookies) == set()


def press(page: Page, name: str, said: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status")).to_have_text(said)


def use_page(page: Page, url: str, email: str) -> None:
    """Do with the page what it can do."""
    page.goto(url)
    page.locator("#guest").get_by_label("E-mail").fill(email)
    page.locator("#guest").get_by_label("Password").fill("short")
    press(page, "Register", re.compile("Password (must|should) be .*8"))
    page.locator("#guest").get_by_label("Password").fill(PASSWORD)
    press(page, "Register", "Done: register.")
    expect(page.locator("#hello")).to_contain_text(f"Hello {email}!")
    page.get_by_label("Nickname").fill("Countess")
    press(page, "Save", "Done: save.")
    page.locator("#user").get_by_label("E-mail").fill("taken@example.com")
    press(page, "Save", "Somebody else has this e-mail.")
    page.locator("#user").get_by_label("E-mail").fill(f"new-{email}")
    press(page, "Save", "Done: save.")
    press(page, "Log out", "Done: logout.")
    press(page, "Log in", "The e-mail or the password is wrong.")
    page.locator("#guest").get_by_label("E-mail").fill(f"new-{email}")
    press(page, "Log in", "Done: login.")
    expect(page.get_by_label("Nickname")).to_have_value("Countess")


@pytest.mark.chromium
def test_the_page_is_the_same(tmp_path: Path) -> None:
    """Somebody is signed in, and stays so, when the server is another."""
    file = tmp_path / "users.db"
    with chromium() as browser:
        page = open_page(browser)
        with before(sqlite_url(file)) as theirs:
            taken = {"email": "taken@example.com", "password": PASSWORD}
            theirs.client.post("/auth/register", json=taken).raise_for_status()
            url = str(theirs.client.base_url)
            use_page(page, url, "ada@example.com")
            screenshot(page, "fastapi-users before")
            token = page.evaluate("localStorage.getItem('token')")
        with after(sqlite_url(file)) as ours:
            url = str(ours.client.base_url)
            page.goto(url)
            # The port is another, hence the origin, which has a memory of its own.
            page.evaluate("token => localStorage.setItem('token', token)", token)
            page.reload()
            expect(page.get_by_label("Nickname")).to_have_value("Countess")
            press(page, "Log out", "Done: logout.")
            use_page(page, url, "bob@example.com")
            screenshot(page, "fastapi-users after")


def test_the_example_is_short() -> None:
    """All its lines but the docstring and the empty ones, imports too."""

    def lines(name: str) -> int:
        text = (EXAMPLE / name).read_text()
        code = re.sub(r'\A""".*?"""', "", text, flags=re.DOTALL)
        return sum(1 for line in code.splitlines() if line.strip())

    assert lines("app.py") <= 40
    assert lines("before.py") > 80
