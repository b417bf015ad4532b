"""What tokens say beside who somebody is: claims, scopes and roles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Security
from sqlalchemy.exc import OperationalError

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    Store,
    answer,
    bearer,
    http,
    make_auth,
    post,
    refused,
    rows,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer import Key, Signer
from fastbearer.accounts import Accounts, User
from fastbearer.errors import ConfigurationError
from fastbearer.fastapi import Auth, Issuer, Settings
from project import SECRET

Serve = Callable[[FastAPI], str]
NO_TOKEN = refused(500, "Failed to make a token")


class Project:
    """Accounts with claims, and what they are given for."""

    def __init__(self, database: Store, claims: Any = None, **settings: Any) -> None:
        self.database = database
        self.auth = make_auth(database, **settings)
        self.accounts = Accounts(self.auth, hasher=CHEAP, claims=claims)
        self.app = FastAPI()
        self.app.include_router(self.accounts.router)

    def claims(self, response: Any) -> dict[str, Any]:
        return self.auth.verifier.verify(token_of(response))

    def give_roles(self, roles: str) -> None:
        rows(self.database, f"UPDATE fastbearer_user SET roles = '{roles}'")


async def of_a_tenant(user: User) -> dict[str, Any]:
    return {"tenant": f"of {user.email}", "scope": ["tasks:read", "tasks:write"]}


@pytest.mark.parametrize("is_plain", [False, True])
def test_claims_are_in_every_token_of_a_user(
    serve: Serve, database: Store, *, is_plain: bool
) -> None:
    def plain(user: User) -> dict[str, Any]:
        return {"tenant": f"of {user.email}", "scope": "tasks:read tasks:write"}

    claims: Any = plain if is_plain else of_a_tenant
    project = Project(database, claims, refresh_tokens=True)
    url = serve(project.app)
    made, entered = sign_up(url), sign_in(url)
    refresh = entered.json()["data"]["refresh_token"]
    again = post(url, "refresh", refresh_token=refresh)
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    changed = post(url, "change-password", token_of(again), **body)
    for response in (made, entered, again, changed):
        found = project.claims(response)
        assert found["tenant"] == f"of {EMAIL}"
        assert found["scope"] == "tasks:read tasks:write"
        assert found["email"] == EMAIL


def test_a_change_is_in_the_next_token(serve: Serve, database: Store) -> None:
    project = Project(database, refresh_tokens=True)
    url = serve(project.app)
    made = sign_up(url)
    assert "roles" not in project.claims(made)
    project.give_roles("admin editor")
    refresh = made.json()["data"]["refresh_token"]
    again = post(url, "refresh", refresh_token=refresh)
    assert project.claims(again)["roles"] == ["admin", "editor"]
    assert project.claims(sign_in(url))["roles"] == ["admin", "editor"]
    project.give_roles("")
    assert "roles" not in project.claims(sign_in(url))


def test_attack_roles_of_before_in_a_session_that_begins(
    serve: Serve, database: Store
) -> None:
    """Roles go, and sessions end, while somebody's password is being verified."""
    project = Project(database)
    url = serve(project.app)
    assert sign_up(url).status_code == 201
    project.give_roles("admin")
    sessions: Any = project.accounts._sessions
    generation = sessions.generation

    async def late(user_id: str) -> int:
        await asyncio.to_thread(project.give_roles, "")
        await project.accounts.end_sessions(user_id)
        return int(await generation(user_id))

    sessions.generation = late
    entered = sign_in(url)
    assert "roles" not in project.claims(entered)


@pytest.mark.parametrize(
    "name", ["sub", "user_id", "email", "exp", "sid", "gen", "requestType", "auth_time"]
)
def test_attack_a_claim_that_is_not_the_projects(
    serve: Serve, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    project = Project(tmp_path / "a.db", lambda user: {name: "victim"})
    url = serve(project.app)
    assert answer(sign_up(url)) == refused(500, "Failed to create account")
    assert rows(tmp_path / "a.db", "SELECT id FROM fastbearer_user") == []
    assert f"claims= must not give the claim {name!r}" in caplog.text


def test_attack_a_claim_that_names_the_user_elsewhere(
    serve: Serve, tmp_path: Path
) -> None:
    """A project that copies a field of the user's own into what names them."""
    settings = Settings(
        better_auth_secret=SECRET,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/a.db",
        throttle=False,
        jwt_user_claim="uid",
    )
    auth = Auth(settings)
    accounts = Accounts(auth, hasher=CHEAP, claims=lambda user: {"uid": user.name})
    app = FastAPI()
    app.include_router(accounts.router)
    assert sign_up(serve(app), name="victim").status_code == 500


class Lasting:
    """A function whose answer a test may change."""

    def __init__(self) -> None:
        self.answer: Any = {}

    def __call__(self, user: User) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


WRONG = [
    {"joined": datetime.now(UTC)},
    {"roles": {"admin"}},
    {1: "x"},
    {"x": float("nan")},
    {"x": "\ud800"},
    {"x": "long" * 1000},
    {"scope": "tasks:\u00e9"},
    {"scope": 7},
    {"scope": ["two words"]},
    [("roles", "admin")],
    None,
    RuntimeError("no"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_claims_that_cannot_be_in_a_token(
    serve: Serve, tmp_path: Path, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """No session is left behind, and a refresh token is as good as it was."""
    claims = Lasting()
    project = Project(tmp_path / "a.db", claims, refresh_tokens=True)
    url = serve(project.app)
    first = sign_up(url)
    query = "SELECT id FROM fastbearer_refresh_token"
    before = rows(tmp_path / "a.db", query)
    claims.answer = wrong
    assert answer(sign_in(url)) == NO_TOKEN
    assert "claims=" in caplog.text
    assert rows(tmp_path / "a.db", query) == before
    refresh = first.json()["data"]["refresh_token"]
    assert answer(post(url, "refresh", refresh_token=refresh)) == NO_TOKEN
    email = {"email": "eve@example.com"}
    assert answer(sign_up(url, **email))[0] == 500
    assert len(rows(tmp_path / "a.db", "SELECT id FROM fastbearer_user")) == 1
    claims.answer = {}
    again = post(url, "refresh", refresh_token=refresh)
    assert again.status_code == 200
    assert sign_up(url, **email).status_code == 201


def test_a_database_of_the_claims_that_is_away(serve: Serve, tmp_path: Path) -> None:
    claims = Lasting()
    url = serve(Project(tmp_path / "a.db", claims).app)
    assert sign_up(url).status_code == 201
    claims.answer = OperationalError("", {}, Exception(), connection_invalidated=True)
    away = sign_in(url)
    assert (away.status_code, "retry-after" in away.headers) == (503, True)


def test_the_longest_token_fits_into_a_cookie(serve: Serve, tmp_path: Path) -> None:
    claims = Lasting()
    project = Project(tmp_path / "a.db", claims, auth_cookie=True, cookie_secure=False)
    url = serve(project.app)
    claims.answer = {"x": "y" * 2500}
    body = {"email": EMAIL, "password": PASSWORD}
    made = httpx2.post(f"{url}/api/auth/signup", json=body)  # by nobody with cookies
    assert made.status_code == 201
    cookie = made.headers["set-cookie"].partition(";")[0]
    assert 3500 < len(cookie) <= 4096


# --- what routes ask for


def guarded(project: Project) -> None:
    auth, app = project.auth, project.app

    @app.get("/scoped", dependencies=[Security(auth.requires, scopes=["tasks:write"])])
    async def scoped() -> None:
        """For those who have the scope."""

    @app.get("/admins", dependencies=[Depends(auth.requires_role("admin", "owner"))])
    async def admins() -> None:
        """For those who have one of the roles."""


def status(url: str, path: str, token: str | None) -> int:
    headers = {} if token is None else bearer(token)
    return http.get(f"{url}/{path}", headers=headers).status_code


def test_scopes_of_claims_open_what_requires_them(
    serve: Serve, database: Store
) -> None:
    claims = Lasting()
    project = Project(database, claims)
    guarded(project)
    url = serve(project.app)
    claims.answer = {"scope": ["tasks:read"]}
    assert status(url, "scoped", token_of(sign_up(url))) == 403
    claims.answer = {"scope": ["tasks:read", "tasks:write"]}
    assert status(url, "scoped", token_of(sign_in(url))) == 200
    claims.answer = {"scope": {"tasks:write"}}
    assert status(url, "scoped", token_of(sign_in(url))) == 200
    assert status(url, "scoped", None) == 401


def test_roles_open_what_requires_them(serve: Serve, database: Store) -> None:
    project = Project(database)
    guarded(project)
    url = serve(project.app)
    before = token_of(sign_up(url))
    assert status(url, "admins", None) == 401
    assert status(url, "admins", before) == 403
    for roles, expected in (("owner", 200), ("editor", 403), ("x admin", 200)):
        project.give_roles(roles)
        assert status(url, "admins", token_of(sign_in(url))) == expected
    assert status(url, "admins", before) == 403
    schemes = http.get(f"{url}/openapi.json").json()["paths"]["/admins"]["get"]
    assert schemes["security"] == [{"Bearer": []}]


@pytest.mark.parametrize("roles", ["admin", ["x"], {"admin": 1}, [["admin"]], None, 7])
def test_attack_a_claim_that_only_resembles_roles(
    serve: Serve, tmp_path: Path, roles: Any
) -> None:
    project = Project(tmp_path / "a.db", lambda user: {"roles": roles})
    guarded(project)
    url = serve(project.app)
    assert status(url, "admins", token_of(sign_up(url))) == 403


def test_attack_roles_that_another_issuer_gives(serve: Serve, tmp_path: Path) -> None:
    key = Key.generate("ES256")
    issuer = Issuer("https://id.example", keys=key.public(), ignore_audience=True)
    settings = Settings(
        better_auth_secret=SECRET,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/a.db",
        throttle=False,
    )
    project = Project(tmp_path / "a.db")
    project.auth = Auth(settings, issuers=[issuer])
    project.app = FastAPI()
    project.app.include_router(Accounts(project.auth, hasher=CHEAP).router)
    guarded(project)
    url = serve(project.app)
    signer = Signer(key, issuer="https://id.example", lifetime=60)
    token = signer.sign({"sub": "eve", "roles": ["admin"]})
    assert status(url, "admins", token) == 401


def test_one_dependency_for_the_same_roles() -> None:
    auth = make_auth(Path("never.db"))
    one = auth.requires_role("admin", "owner")
    assert one is auth.requires_role("owner", "admin")
    assert one is not auth.requires_role("admin")
    for roles in ((), ("",)):
        with pytest.raises(ConfigurationError, match="requires_role needs"):
            auth.requires_role(*roles)


def test_a_refusal_says_which_roles(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastbearer")
    project = Project(tmp_path / "a.db")
    guarded(project)
    url = serve(project.app)
    headers = bearer(token_of(sign_up(url)))
    response = http.get(f"{url}/admins", headers=headers)
    text = "This needs a role that you do not have"
    assert answer(response) == refused(403, text)
    assert "admin, owner" in caplog.text
