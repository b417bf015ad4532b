"""What is left where the project's claims fail, or its schema cannot be shown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from account_desk import Desk, at_the_desk, desk_of
from accounts_kit import EMAIL, PASSWORD, Store, rows
from fastbearer.accounts import Accounts, FastAPIUsersLayout, PublicUser, User, UserRead

NEW = "another horse battery"
EVE = "eve@example.com"
REFRESH = {"refresh_tokens": True, "refresh_grace_seconds": 0}


class Failing:
    """A project's function, which fails while a test says so."""

    def __init__(self) -> None:
        self.fails = False

    def __call__(self, user: Any) -> dict[str, Any]:
        if self.fails:
            raise RuntimeError(f"no claims for {user.password_hash}")
        return {"tenant": "acme"}


def test_an_outage_does_not_look_like_theft(database: Store) -> None:
    """The refresh token that had no answer is as good as it was, for good."""
    claims = Failing()

    async def tried(desk: Desk) -> None:
        signed_up = {"email": EMAIL, "password": PASSWORD}
        answer = await desk.ask("POST", "signup", **signed_up)
        refresh = answer.json()["data"]["refresh_token"]
        claims.fails = True
        for _ in range(2):
            assert await desk.post("refresh", refresh_token=refresh) == 500
        claims.fails = False
        assert await desk.post("refresh", refresh_token=refresh) == 200
        # One that was used is told from it, even while claims fail.
        claims.fails = True
        assert await desk.post("refresh", refresh_token=refresh) == 401
        assert desk.names()[-1] == "token_reused"
        claims.fails = False
        assert (await desk.ask("GET", "me")).status_code == 401

    at_the_desk(tried, database, claims=claims, settings=REFRESH)


def test_attack_roles_of_before_in_a_token_that_is_refreshed(database: Store) -> None:
    """Roles go, and sessions end, while the claims of before are on their way."""
    later: list[Any] = []

    async def claims(user: User) -> dict[str, Any]:
        said = {"level": list(user.roles)}
        for work in later:
            await work(user.id)
        return said

    async def run() -> None:
        settings = {"refresh_tokens": True}
        async with desk_of(database, claims=claims, settings=settings) as desk:
            signed_up = {"email": EMAIL, "password": PASSWORD}
            answer = await desk.ask("POST", "signup", **signed_up)
            refresh = answer.json()["data"]["refresh_token"]
            (accounts,) = kept
            later.append(accounts.end_sessions)
            assert await desk.post("refresh", refresh_token=refresh) == 401
            later.clear()
            assert await desk.post("refresh", refresh_token=refresh) == 401

    kept: list[Accounts] = []
    init = Accounts.__init__

    def keeping(self: Accounts, *given: Any, **named: Any) -> None:
        kept.append(self)
        init(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Accounts, "__init__", keeping)
        asyncio.run(run())


def test_a_password_is_not_changed_where_no_session_can_go_on(database: Store) -> None:
    claims = Failing()

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        claims.fails = True
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert await desk.post("change-password", **body) == 500
        claims.fails = False
        assert (await desk.ask("GET", "me")).status_code == 200
        assert await desk.post("signin", email=EMAIL, password=NEW) == 401
        assert await desk.post("signin", email=EMAIL, password=PASSWORD) == 200

    at_the_desk(tried, database, claims=claims)


def test_an_email_is_not_changed_where_no_session_can_go_on(database: Store) -> None:
    claims = Failing()

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        code = await desk.code_to(EVE)
        claims.fails = True
        assert await desk.post("confirm-email", code=code) == 500
        claims.fails = False
        assert (await desk.me())["email"] == EMAIL
        assert await desk.post("confirm-email", code=code) == 200
        assert (await desk.me())["email"] == EVE

    at_the_desk(tried, database, claims=claims)


def test_attack_a_hash_in_what_the_claims_say_of_a_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    claims = Failing()

    async def tried(desk: Desk) -> None:
        await desk.sign_up()
        claims.fails = True
        assert await desk.post("signin", email=EMAIL, password=PASSWORD) == 500

    at_the_desk(tried, tmp_path / "a.db", claims=claims)
    ((stored,),) = rows(tmp_path / "a.db", "SELECT password_hash FROM fastbearer_user")
    assert "no claims for ***" in caplog.text
    assert stored not in caplog.text
    assert stored[-20:] not in caplog.text


class Named(PublicUser):
    """Shows a name that there must be."""

    username: str


class NamedRead(UserRead):
    """The same, in the routes of fastapi-users."""

    username: str


def test_who_cannot_be_shown_is_not_kept(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        body = {"email": EMAIL, "password": PASSWORD}
        for _ in range(2):
            assert await desk.post("signup", **body) == 500

    at_the_desk(tried, database, public=Named, settings=REFRESH)
    for table in ("fastbearer_user", "fastbearer_refresh_token"):
        assert rows(database, f"SELECT id FROM {table}") == []


def test_who_cannot_be_shown_by_fastapi_users_is_not_kept(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        path = desk.client.base_url.join("/auth/register")
        body = {"email": EMAIL, "password": PASSWORD}
        for _ in range(2):
            assert (await desk.client.post(path, json=body)).status_code == 500

    at_the_desk(tried, database, layout=FastAPIUsersLayout(read=NamedRead))
    assert rows(database, "SELECT id FROM fastbearer_user") == []
