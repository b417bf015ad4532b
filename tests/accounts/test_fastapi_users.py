"""The same requests to an application over fastapi-users, and to ours after it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx2
import pytest

from fastapi_users_apps import (
    Application,
    after,
    ask_sqlite,
    before,
    shape,
    sqlite_url,
)

pytestmark = pytest.mark.http

PASSWORD = "correct horse battery"
NEW = "another horse battery"
NOBODY = "5b3c0a6e-56e6-4d8a-9b34-0f7d4dfd1a11"


class Pair(NamedTuple):
    theirs: Application
    ours: Application


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both, each on its copy of a database that fastapi-users has filled."""
    folder = tmp_path_factory.mktemp("takeover")
    first, second = folder / "first.db", folder / "second.db"
    with before(sqlite_url(first)) as theirs:
        for name in ("root", "ada", "bob", "carol", "gone", "off"):
            body = {"email": f"{name}@example.com", "password": PASSWORD}
            theirs.client.post("/auth/register", json=body).raise_for_status()
        write = "UPDATE user SET {} WHERE email = ?"
        ask_sqlite(first, write.format("is_superuser = 1"), "root@example.com")
        ask_sqlite(first, write.format("is_verified = 1"), "carol@example.com")
        ask_sqlite(first, write.format("is_active = 0"), "off@example.com")
        shutil.copy(first, second)
        with after(sqlite_url(second)) as ours:
            both = Pair(theirs, ours)
            for one in both:
                found = ask_sqlite(first, "SELECT email, id FROM user")
                one.ids = {email.partition("@")[0]: key for email, key in found}
                for name in ("root", "ada", "bob", "carol"):
                    email = f"{name}@example.com"
                    one.tokens[name] = one.login(email, PASSWORD).json()["access_token"]
            yield both


Request = Callable[[Application], httpx2.Response]


def json(method: str, path: str, who: str | None = None, **body: Any) -> Request:
    return lambda app: app.ask(method, path, who, json=body)


def get(path: str, who: str | None = None) -> Request:
    return lambda app: app.ask("GET", path, who)


def form(**fields: str) -> Request:
    return lambda app: app.ask("POST", "/auth/jwt/login", data=fields)


def register(email: str, password: str = PASSWORD, **more: Any) -> Request:
    return json("POST", "/auth/register", email=email, password=password, **more)


def of(name: str, method: str, who: str | None, **body: Any) -> Request:
    """Return a request about a user, by their id."""

    def ask(app: Application) -> httpx2.Response:
        more = {"json": body} if method == "PATCH" else {}
        return app.ask(method, f"/users/{app.ids.get(name, name)}", who, **more)

    return ask


def mailed(purpose: str, path: str, **more: str) -> Request:
    """Return a request with the token that was mailed last."""

    def ask(app: Application) -> httpx2.Response:
        body = {"token": app.mailed_token(purpose), **more}
        return app.ask("POST", path, json=body)

    return ask


def again(name: str, step: Request) -> Request:
    """Sign somebody in once more, then take a step."""

    def taken(app: Application) -> httpx2.Response:
        login = app.login(f"{name}@example.com", PASSWORD)
        app.tokens[name] = login.json()["access_token"]
        return step(app)

    return taken


STEPS: dict[str, Request] = {
    "login": form(username="ada@example.com", password=PASSWORD),
    "login in capitals": form(username="ADA@Example.com", password=PASSWORD),
    "login as multipart": lambda app: app.ask(
        "POST",
        "/auth/jwt/login",
        files={"username": (None, "ada@example.com"), "password": (None, PASSWORD)},
    ),
    "login with a grant": form(
        username="ada@example.com", password=PASSWORD, grant_type="password"
    ),
    "login with another grant": form(
        username="ada@example.com", password=PASSWORD, grant_type="other"
    ),
    "login with a wrong password": form(username="ada@example.com", password="no"),
    "login of nobody": form(username="nobody@example.com", password=PASSWORD),
    "login without an e-mail": form(username="nobody", password=PASSWORD),
    "login with a long password": form(username="ada@example.com", password="x" * 500),
    "login of who is not active": form(username="off@example.com", password=PASSWORD),
    "login without a password": form(username="ada@example.com"),
    "login with nothing": form(),
    "login with JSON": json("POST", "/auth/jwt/login", username="a", password="b"),
    "register": register("dora@example.com", nickname="Dora"),
    "register again": register("dora@example.com"),
    "register in capitals": register("DORA@example.com"),
    "register with a short password": register("new@example.com", "short"),
    "register what is no e-mail": register("new"),
    "register without a password": json(
        "POST", "/auth/register", email="n@example.com"
    ),
    "register with another type": register("new@example.com", nickname=["a"]),
    "register as a superuser": register(
        "eve@example.com", is_superuser=True, is_verified=True, is_active=False
    ),
    "register no JSON": lambda app: app.ask(
        "POST",
        "/auth/register",
        content=b"{",
        headers={"content-type": "application/json"},
    ),
    "register a list": lambda app: app.ask("POST", "/auth/register", json=[]),
    "me": get("/users/me", "ada"),
    "me of nobody": get("/users/me"),
    "me with a bad token": lambda app: app.ask(
        "GET", "/users/me", headers={"Authorization": "Bearer x.y.z"}
    ),
    "a route of the project": get("/hello", "ada"),
    "a route of the project to nobody": get("/hello"),
    "update": json("PATCH", "/users/me", "ada", nickname="Ada"),
    "update to null": json("PATCH", "/users/me", "ada", nickname=None),
    "update nothing": json("PATCH", "/users/me", "ada"),
    "update with another type": json("PATCH", "/users/me", "ada", nickname=1),
    "update of nobody": json("PATCH", "/users/me", nickname="Ada"),
    "update to a superuser": json(
        "PATCH", "/users/me", "ada", is_superuser=True, is_verified=True
    ),
    "update the id": json("PATCH", "/users/me", "ada", id=NOBODY),
    "update to the same e-mail": json(
        "PATCH", "/users/me", "ada", email="ada@example.com"
    ),
    "update to a taken e-mail": json(
        "PATCH", "/users/me", "ada", email="bob@example.com"
    ),
    "update to no e-mail": json("PATCH", "/users/me", "ada", email="no"),
    "update to a short password": json("PATCH", "/users/me", "ada", password="short"),
    "update the e-mail of who is verified": json(
        "PATCH", "/users/me", "carol", email="caroline@example.com"
    ),
    "me after that": get("/users/me", "carol"),
    "login with the e-mail of before": form(
        username="carol@example.com", password=PASSWORD
    ),
    "login with the new e-mail": form(
        username="caroline@example.com", password=PASSWORD
    ),
    "a user to nobody": of("ada", "GET", None),
    "a user to another": of("bob", "GET", "ada"),
    "a user to themselves": of("ada", "GET", "ada"),
    "a user to a superuser": of("ada", "GET", "root"),
    "who is not active to a superuser": of("off", "GET", "root"),
    "no user to a superuser": of(NOBODY, "GET", "root"),
    "no id to a superuser": of("x", "GET", "root"),
    "no id to another": of("x", "GET", "ada"),
    "update another": of("bob", "PATCH", "ada", is_superuser=True),
    "update another with a bad body": of("bob", "PATCH", "ada", email=1),
    "delete another": of("bob", "DELETE", "ada"),
    "update as a superuser": of(
        "bob", "PATCH", "root", nickname="Bob", is_verified=True
    ),
    "update to a taken e-mail as a superuser": of(
        "bob", "PATCH", "root", email="ada@example.com"
    ),
    "update to a short password as a superuser": of(
        "bob", "PATCH", "root", password="short"
    ),
    "update no user": of(NOBODY, "PATCH", "root", nickname="x"),
    "make a superuser": of("bob", "PATCH", "root", is_superuser=True),
    # What has changed who may do what has ended the session here.
    "a user to the new superuser": again("bob", of("ada", "GET", "bob")),
    "switch off": of("bob", "PATCH", "root", is_active=False),
    "me of who was switched off": get("/users/me", "bob"),
    "login of who was switched off": form(
        username="bob@example.com", password=PASSWORD
    ),
    "forgot password": json("POST", "/auth/forgot-password", email="ada@example.com"),
    "reset password to a short one": mailed(
        "reset_password", "/auth/reset-password", password="short"
    ),
    "forgot password of nobody": json(
        "POST", "/auth/forgot-password", email="nobody@example.com"
    ),
    "forgot password of who is not active": json(
        "POST", "/auth/forgot-password", email="off@example.com"
    ),
    "forgot password of no e-mail": json("POST", "/auth/forgot-password", email="x"),
    "forgot password without an e-mail": json("POST", "/auth/forgot-password"),
    "reset password": mailed("reset_password", "/auth/reset-password", password=NEW),
    "reset password again": mailed(
        "reset_password", "/auth/reset-password", password="a third horse battery"
    ),
    "reset password with a bad token": json(
        "POST", "/auth/reset-password", token="x", password=NEW
    ),
    "reset password without a token": json(
        "POST", "/auth/reset-password", password=NEW
    ),
    "login with the password of before": form(
        username="ada@example.com", password=PASSWORD
    ),
    "login with the new password": form(username="ada@example.com", password=NEW),
    "request a verification": json(
        "POST", "/auth/request-verify-token", email="caroline@example.com"
    ),
    "request a verification of nobody": json(
        "POST", "/auth/request-verify-token", email="nobody@example.com"
    ),
    "verify": mailed("verify_email", "/auth/verify"),
    "verify with a bad token": json("POST", "/auth/verify", token="x"),
    "verify without a token": json("POST", "/auth/verify"),
    "login as carol": form(username="caroline@example.com", password=PASSWORD),
    "delete a user": of("gone", "DELETE", "root"),
    "delete them again": of("gone", "DELETE", "root"),
    "login of who is deleted": form(username="gone@example.com", password=PASSWORD),
    "logout of nobody": json("POST", "/auth/jwt/logout"),
    "logout": json("POST", "/auth/jwt/logout", "root"),
}
"""What is done to both, in this order."""


def test_the_answers_are_the_same(pair: Pair) -> None:
    differing = {}
    for name, step in STEPS.items():
        theirs, ours = shape(step(pair.theirs)), shape(step(pair.ours))
        if theirs != ours:
            differing[name] = (theirs, ours)
    assert differing == {}


def test_what_differs_on_purpose(pair: Pair) -> None:
    """The guide says each of these, and why."""

    def both(step: Request) -> tuple[int, int]:
        return step(pair.theirs).status_code, step(pair.ours).status_code

    for one in pair:
        for name in ("frank", "grace"):
            register(f"{name}@example.com")(one).raise_for_status()
            login = one.login(f"{name}@example.com", PASSWORD)
            one.tokens[name] = login.json()["access_token"]
    # A session that has ended has ended.
    assert both(json("POST", "/auth/jwt/logout", "frank")) == (204, 204)
    assert both(get("/users/me", "frank")) == (200, 401)
    # Another password ends every session.
    assert both(json("PATCH", "/users/me", "grace", password=NEW)) == (200, 200)
    assert both(get("/users/me", "grace")) == (200, 401)
    assert both(form(username="grace@example.com", password=NEW)) == (200, 200)
    # A token of a message is good once, and was read in the mail of the address.
    request = json("POST", "/auth/request-verify-token", email="grace@example.com")
    assert both(request) == (202, 202)
    verify = mailed("verify_email", "/auth/verify")
    assert both(verify) == (200, 200)
    answers = [verify(one).json()["detail"] for one in pair]
    assert answers == ["VERIFY_USER_ALREADY_VERIFIED", "VERIFY_USER_BAD_TOKEN"]
    request = json("POST", "/auth/forgot-password", email="frank@example.com")
    assert both(request) == (202, 202)
    reset = mailed("reset_password", "/auth/reset-password", password=NEW)
    assert both(reset) == (200, 200)
    for one, is_verified in zip(pair, (False, True), strict=True):
        login = one.login("frank@example.com", NEW)
        one.tokens["frank"] = login.json()["access_token"]
        assert get("/users/me", "frank")(one).json()["is_verified"] is is_verified
    # Common passwords, and those that are made of the e-mail.
    for password in ("password1", "heidi2026"):
        assert both(register("heidi@example.com", password))[1] == 400
    # What was sent is not repeated.
    wrong = register("no e-mail", "a secret of somebody's")
    assert [b"secret" in wrong(one).content for one in pair] == [False, False]
    empty = json("POST", "/auth/register", password="a secret of somebody's")
    assert [b"secret" in empty(one).content for one in pair] == [True, False]
