"""Attacks where only verified users have sessions."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from sqlalchemy.pool import NullPool
from sqlmodel import Field, Session, SQLModel, create_engine

from account_desk import Desk, at_the_desk, desk_of
from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth, rows
from fastbearer.accounts import Accounts, SignUp, SQLModelUserStore
from fastbearer.accounts.sessions import Sessions
from wide_databases import client_of

ON = {"require_verified_email": True}
EVE = "eve@example.com"
BOB = "bob@example.com"
OTHER = "another horse battery"
UNSEEN = (202, {"success": True})
FORM = {"username": EMAIL, "password": OTHER}


@pytest.mark.parametrize("is_form", [False, True])
def test_attack_who_is_registered_by_signing_in_after_a_sign_up(
    database: Store, *, is_form: bool
) -> None:
    """With a password of one's own: the account has it only where there was none."""

    async def sign_in(desk: Desk) -> httpx2.Response:
        if is_form:
            return await desk.client.post("token", data=FORM)
        return await desk.ask("POST", "signin", email=EMAIL, password=OTHER)

    async def tried(desk: Desk) -> None:
        signed_up = {"email": EMAIL, "password": OTHER}
        assert await desk.told("signup", **signed_up) == UNSEEN
        free = await sign_in(desk)
        await desk.post("verify-email", code=desk.outbox[0].code)
        code = await desk.code()
        await desk.post("reset-password", code=code, password=PASSWORD)
        assert await desk.told("signup", **signed_up) == UNSEEN
        taken = await sign_in(desk)
        assert (free.status_code, free.content) == (taken.status_code, taken.content)
        assert {**free.headers} == {**taken.headers}
        assert free.is_error
        failed = [one for one in desk.events if one.name == "sign_in_failed"]
        assert len(failed) == 2

    at_the_desk(tried, database, settings=ON, password_form=True)


def test_attack_who_is_switched_off_by_the_limit_of_messages(tmp_path: Path) -> None:
    limits = {"throttle": True, "throttle_messages": "3/hour"}

    async def tried(desk: Desk) -> None:
        for email in (EVE, EMAIL, BOB):
            await desk.post("signup", email=email, password=PASSWORD)
        off = "UPDATE fastbearer_user SET is_active = 0 WHERE email = ?"
        await asyncio.to_thread(rows, tmp_path / "a.db", off, EVE)
        for email in (EVE, EMAIL):
            for _ in range(2):
                await desk.post("signup", email=email, password=PASSWORD)
            assert await desk.post("resend-verification", email=email) == 429
        assert await desk.post("resend-verification", email=BOB) == 202

    at_the_desk(tried, tmp_path / "a.db", settings={**ON, **limits})


def test_attack_a_session_from_before_the_setting_changes_the_password(
    database: Store,
) -> None:
    async def tried(desk: Desk) -> None:
        await desk.post("signup", email=EMAIL, password=PASSWORD)
        await desk.post("verify-email", code=desk.outbox[0].code)
        await desk.ask("POST", "signin", email=EMAIL, password=PASSWORD)
        off = "UPDATE fastbearer_user SET email_verified = (1 = 0)"
        await asyncio.to_thread(rows, database, off)
        body = {"current_password": PASSWORD, "new_password": OTHER}
        for further in ({}, {"end_other_sessions": False}):
            status, said = await desk.told("change-password", **body, **further)
            assert status == 403
            assert said["detail"].startswith("Email is not verified")
        on = "UPDATE fastbearer_user SET email_verified = (1 = 1)"
        await asyncio.to_thread(rows, database, on)
        desk.token = ""
        # The password is what it was.
        assert await desk.post("signin", email=EMAIL, password=PASSWORD) == 200

    at_the_desk(tried, database, settings=ON)


def test_who_is_verified_no_more_has_no_session(database: Store) -> None:
    """Without the setting, that is nothing that a session depends on."""

    async def tried(is_on: bool) -> int:
        settings = ON if is_on else {}
        auth = make_auth(database, revocation="database", **settings)
        accounts = Accounts(auth, hasher=CHEAP, send=lambda message: None)
        async with client_of(accounts) as client:
            email = f"{is_on}@example.com"
            named = {"email": email, "password": PASSWORD}
            user = await accounts.create_user(**named, email_verified=True)
            token = (await client.post("signin", json=named)).json()["data"]["token"]
            bearer = {"Authorization": f"Bearer {token}"}
            await accounts.users.set(user.id, email_verified=True)
            assert (await client.get("me", headers=bearer)).status_code == 200
            await accounts.users.set(user.id, email_verified=False)
            return (await client.get("me", headers=bearer)).status_code

    assert asyncio.run(tried(True)) == 401
    assert asyncio.run(tried(False)) == 200


def test_attack_a_session_begins_while_the_email_moves(
    database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the password and the token of a sign-in."""

    async def tried(desk: Desk) -> None:
        await desk.post("signup", email=EMAIL, password=PASSWORD)
        await desk.post("verify-email", code=desk.outbox[0].code)
        start = Sessions.start

        async def late(self: Sessions, user: Any) -> Any:
            off = "UPDATE fastbearer_user SET email_verified = (1 = 0)"
            await asyncio.to_thread(rows, database, off)
            return await start(self, user)

        monkeypatch.setattr(Sessions, "start", late)
        assert await desk.post("signin", email=EMAIL, password=PASSWORD) == 401

    at_the_desk(tried, database, settings=ON)


class WithoutEmail(SignUp):
    """What somebody gives who has a user name alone."""

    email: str | None = None  # type: ignore[assignment]


class Player(SQLModel, table=True):
    """Such a user's row."""

    __tablename__ = "player_of_verified_attacks"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, primary_key=True)
    email: str | None = Field(default=None, unique=True)
    username: str = Field(unique=True)
    password_hash: str


async def moved(desk: Desk) -> tuple[Any, int]:
    """Move somebody's e-mail in the routes of fastapi-users, and ask who they are."""
    base = desk.client.base_url.join("/")
    body = {"email": EMAIL, "password": PASSWORD}
    await desk.client.post(base.join("auth/register"), json=body)
    if desk.outbox:
        code = {"token": desk.outbox[0].code}
        await desk.client.post(base.join("auth/verify"), json=code)
    form = {"username": EMAIL, "password": PASSWORD}
    answer = await desk.client.post(base.join("auth/jwt/login"), data=form)
    token = answer.json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    me = base.join("users/me")
    answer = await desk.client.patch(me, json={"email": EVE}, headers=bearer)
    assert (answer.status_code, answer.json()["email"]) == (200, EVE)
    return token, (await desk.client.get(me, headers=bearer)).status_code


def test_attack_an_email_that_was_moved_is_not_verified(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        _, status = await moved(desk)
        assert status == 401
        told = [(one.to, one.purpose) for one in desk.outbox[1:]]
        assert told == [(EMAIL, "email_changed"), (EVE, "verify_email")]
        base = desk.client.base_url.join("/")
        login, form = (
            base.join("auth/jwt/login"),
            {"username": EVE, "password": PASSWORD},
        )
        refused = await desk.client.post(login, data=form)
        assert refused.json() == {"detail": "LOGIN_USER_NOT_VERIFIED"}
        code = {"token": desk.outbox[-1].code}
        await desk.client.post(base.join("auth/verify"), json=code)
        assert (await desk.client.post(login, data=form)).status_code == 200

    at_the_desk(tried, database, settings=ON, layout="fastapi-users")


def test_attack_a_token_names_an_email_that_another_registers(database: Store) -> None:
    """The frontend goes on, with a token that names no e-mail."""

    async def run() -> None:
        async def tried(desk: Desk) -> None:
            token, status = await moved(desk)
            assert status == 200
            said = jwt.decode(token, options={"verify_signature": False})
            assert EMAIL not in str(said)
            base = desk.client.base_url.join("/")
            body = {"email": EMAIL, "password": OTHER}
            made = await desk.client.post(base.join("auth/register"), json=body)
            assert made.status_code == 201
            bearer = {"Authorization": f"Bearer {token}"}
            me = await desk.client.get(base.join("users/me"), headers=bearer)
            assert me.json()["email"] == EVE
            await desk.client.post(base.join("auth/jwt/logout"), headers=bearer)
            out = desk.events[-1]
            assert (out.name, out.email) == ("signed_out", EVE)

        async with desk_of(database, layout="fastapi-users") as desk:
            await tried(desk)

    asyncio.run(run())


def test_attack_those_without_an_email_use_up_each_others_messages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"throttle": True, "throttle_account_messages": "3/hour"}

    async def tried(desk: Desk) -> None:
        def body(name: str) -> dict[str, str]:
            return {"username": name, "password": PASSWORD}

        for name in ("mallory", "victim"):
            desk.token = ""
            assert await desk.post("signup", **body(name)) == 201
            for number in range(3):
                new = {"new_email": f"{name}{number}@example.com"}
                status, _ = await desk.told("change-email", **new, password=PASSWORD)
                assert status == 202, name
            # A code to an address that there is none of is not sent.
            assert await desk.post("request-verification") == 429
        assert {one.purpose for one in desk.outbox} == {"change_email"}

    caplog.set_level(logging.ERROR)
    engine = create_engine(f"sqlite:///{tmp_path}/own.db", poolclass=NullPool)
    SQLModel.metadata.create_all(engine, tables=[Player.__table__])  # type: ignore[attr-defined]

    def get_session() -> Any:
        with Session(engine) as session:
            yield session

    store = SQLModelUserStore(Player, get_session)
    options = {"names": ("username",), "sign_up": WithoutEmail, "store": store}
    at_the_desk(tried, tmp_path / "a.db", settings=settings, **options)
    assert caplog.text == ""
