"""Only verified users sign in; nobody learns by a sign-up who is registered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.pool import NullPool
from sqlmodel import Field, Session, SQLModel, create_engine

from account_desk import Desk, at_the_desk
from accounts_kit import CHEAP, EMAIL, PASSWORD, CountingHash, Store, make_auth, rows
from fastbearer.accounts import Accounts, SQLModelUserStore
from fastbearer.accounts.codes import Codes
from fastbearer.accounts.stores.database import DatabaseUserStore
from fastbearer.errors import ConfigurationError
from wide_databases import client_of

ON = {"require_verified_email": True}
EVE = "eve@example.com"
OTHER = "another horse battery"
UNSEEN = (202, {"success": True})
WRONG = (401, {"detail": "Invalid email or password"})
UNVERIFIED = (
    "Email is not verified: use the code that was sent there, or ask for another"
)


async def register(desk: Desk, email: str = EMAIL, **body: Any) -> tuple[int, Any]:
    desk.token = ""
    return await desk.told("signup", **{"email": email, "password": PASSWORD, **body})


async def sign_in(desk: Desk, **body: Any) -> tuple[int, Any]:
    desk.token = ""
    return await desk.told("signin", **{"email": EMAIL, "password": PASSWORD, **body})


def test_from_sign_up_to_sign_in(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        answer = await desk.ask("POST", "signup", email=EMAIL, password=PASSWORD)
        assert (answer.status_code, answer.json()) == UNSEEN
        assert "set-cookie" not in answer.headers
        message = desk.outbox[0]
        assert (message.to, message.purpose) == (EMAIL, "verify_email")
        assert message.user is not None and message.user.email == EMAIL
        # The right password is refused in the same words as a wrong one.
        assert await sign_in(desk, password=OTHER) == WRONG
        assert await sign_in(desk, email=EVE) == WRONG
        assert await sign_in(desk) == WRONG
        assert await desk.post("verify-email", code=message.code) == 200
        assert desk.token == ""
        assert (await sign_in(desk))[0] == 200
        assert (await desk.me())["email_verified"] is True

    at_the_desk(tried, database, settings=ON)


def test_enumeration_by_the_answer(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        free = await desk.ask("POST", "signup", email=EMAIL, password=PASSWORD)
        await desk.post("verify-email", code=desk.outbox[0].code)
        taken = await desk.ask("POST", "signup", email=EMAIL, password=OTHER)
        assert (free.status_code, free.content) == (taken.status_code, taken.content)
        assert free.headers == taken.headers
        notice = desk.outbox[1]
        assert (notice.to, notice.purpose, notice.code) == (
            *(EMAIL, "already_registered"),
            "",
        )
        # Nothing has changed for whoever has the account.
        assert await sign_in(desk, password=OTHER) == WRONG
        assert (await sign_in(desk))[0] == 200

    at_the_desk(tried, database, settings=ON)
    assert len(rows(database, "SELECT id FROM fastbearer_user")) == 1


def test_enumeration_by_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash, one row stored, whether or not the e-mail is taken.

    What differs, hooks and messages, comes after the answer: here, never.
    """
    done: list[str] = []
    make, add = Codes.make, DatabaseUserStore.add

    async def made(self: Codes, *args: Any) -> str:
        done.append("row")
        return await make(self, *args)

    async def added(self: DatabaseUserStore, user: Any) -> None:
        await add(self, user)
        done.append("row")

    hasher = CountingHash()
    waiting: list[list[str]] = []

    async def tried(desk: Desk) -> None:
        monkeypatch.setattr(Codes, "make", made)
        monkeypatch.setattr(DatabaseUserStore, "add", added)
        monkeypatch.setattr(
            "fastbearer.fastapi.strict_routes._set_later",
            lambda response, scope: waiting.append(list(done)),
        )
        for _ in range(2):
            done.clear()
            before = hasher.made
            assert await register(desk) == UNSEEN
            assert hasher.made == before + 1
        assert (desk.names(), desk.outbox) == ([], [])

    at_the_desk(tried, tmp_path / "a.db", settings=ON, hasher=hasher)
    assert waiting == [["row"], ["row"]]


def test_enumeration_by_a_user_name_that_is_taken(tmp_path: Path) -> None:
    """The name is refused before anybody has looked at the e-mail."""

    async def tried(desk: Desk) -> None:
        await register(desk, EVE)
        await asyncio.to_thread(
            rows, tmp_path / "a.db", "UPDATE fastbearer_user SET username = 'eve'"
        )
        answers = [
            await register(desk, email, username="eve") for email in (EVE, EMAIL)
        ]
        assert answers == [(400, {"detail": "User name already registered"})] * 2

    names = ("email", "username")
    at_the_desk(tried, tmp_path / "a.db", settings=ON, names=names)


def test_a_password_that_breaks_a_rule_is_refused_either_way(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        first = await register(desk, password="short")
        await register(desk)
        assert await register(desk, password="short") == first
        assert first[0] == 400

    at_the_desk(tried, tmp_path / "a.db", settings=ON)


def test_many_at_a_time_make_one_user(database: Store) -> None:
    async def tried(desk: Desk) -> None:
        answers = await asyncio.gather(*(register(desk) for _ in range(6)))
        assert answers == [UNSEEN] * 6
        assert len(desk.sent("verify_email")) == 1
        assert len(desk.sent("already_registered")) == 5

    at_the_desk(tried, database, settings=ON)


def test_another_code_without_a_session(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        await register(desk)
        desk.outbox.clear()
        answers = [
            await desk.ask("POST", "resend-verification", email=email)
            for email in (EMAIL, EVE)
        ]
        assert answers[0].status_code == 202
        assert answers[0].content == answers[1].content
        assert [one.to for one in desk.outbox] == [EMAIL]
        assert await desk.post("verify-email", code=desk.outbox[0].code) == 200
        # Who is verified gets none, and is told none.
        assert await desk.post("resend-verification", email=EMAIL) == 202
        assert len(desk.outbox) == 1

    at_the_desk(tried, tmp_path / "a.db", settings=ON)


def test_nobody_is_flooded(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        for _ in range(5):
            assert await register(desk) == UNSEEN
        assert len(desk.outbox) == 3
        assert await desk.post("resend-verification", email=EMAIL) == 429
        assert await desk.post("resend-verification", email=EVE) == 202

    limits = {"throttle": True, "throttle_messages": "3/hour"}
    at_the_desk(tried, tmp_path / "a.db", settings={**ON, **limits})


def test_guesses_of_an_unverified_password_are_limited(tmp_path: Path) -> None:
    """The right one sets nothing back: it may be a stranger's, for another's e-mail."""

    async def tried(desk: Desk) -> None:
        await register(desk)
        answers = [(await sign_in(desk))[0] for _ in range(11)]
        assert answers == [401] * 10 + [429]

    at_the_desk(tried, tmp_path / "a.db", settings={**ON, "throttle": True})


def test_the_owner_of_an_address_takes_it_back(tmp_path: Path) -> None:
    """Somebody else has signed up with it, with a password of theirs."""

    async def tried(desk: Desk) -> None:
        await register(desk, password=OTHER)
        first = desk.outbox[0].code
        assert await register(desk) == UNSEEN
        code = await desk.code()
        assert await desk.post("reset-password", code=code, password=PASSWORD) == 200
        assert await sign_in(desk, password=OTHER) == WRONG
        assert (await sign_in(desk))[0] == 200
        assert await desk.post("verify-email", code=first) == 400

    at_the_desk(tried, tmp_path / "a.db", settings=ON)


def test_refreshing_is_refused(tmp_path: Path) -> None:
    """A session from before the setting, or of an e-mail that is verified no more."""
    settings = {**ON, "refresh_tokens": True, "refresh_grace_seconds": 0}

    async def tried(desk: Desk) -> None:
        await register(desk)
        await desk.post("verify-email", code=desk.outbox[0].code)
        answer = await desk.ask("POST", "signin", email=EMAIL, password=PASSWORD)
        refresh = answer.json()["data"]["refresh_token"]
        await asyncio.to_thread(
            rows, tmp_path / "a.db", "UPDATE fastbearer_user SET email_verified = 0"
        )
        told = await desk.told("refresh", refresh_token=refresh)
        assert told == (403, {"detail": UNVERIFIED})
        assert (await desk.ask("GET", "me")).status_code == 401
        assert await desk.post("refresh", refresh_token=refresh) == 401

    at_the_desk(tried, tmp_path / "a.db", settings=settings)


def test_a_confirmed_new_email_is_verified(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        await register(desk)
        await desk.post("verify-email", code=desk.outbox[0].code)
        await sign_in(desk)
        code = await desk.code_to(EVE)
        assert await desk.post("confirm-email", code=code) == 200
        assert (await sign_in(desk, email=EVE))[0] == 200

    at_the_desk(tried, tmp_path / "a.db", settings=ON)


# --- the start


class Plain(SQLModel, table=True):
    __tablename__ = "plain_of_verified"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password_hash: str


class Noted(SQLModel, table=True):
    __tablename__ = "noted_of_verified"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password_hash: str
    email_verified: bool = False


def store_of(model: type[SQLModel], folder: Path) -> SQLModelUserStore:
    engine = create_engine(f"sqlite:///{folder}/own.db", poolclass=NullPool)
    SQLModel.metadata.create_all(engine, tables=[model.__table__])  # type: ignore[attr-defined]

    def get_session() -> Any:
        with Session(engine) as session:
            yield session

    return SQLModelUserStore(model, get_session)


def start(folder: Path, **options: Any) -> None:
    settings = {**options.pop("settings", {})}

    async def run() -> None:
        auth = make_auth(folder / "a.db", **settings)
        async with Accounts(auth, hasher=CHEAP, **options).lifespan(None):
            pass

    asyncio.run(run())


@pytest.mark.parametrize("setting", ["email_verification", "require_verified_email"])
def test_the_start_needs_a_way_to_send(tmp_path: Path, setting: str) -> None:
    settings = {setting: True}
    name = f"{setting.upper()}=1, and "
    with pytest.raises(ConfigurationError, match=f"{name}no message can be sent"):
        start(tmp_path, settings=settings)
    start(tmp_path, settings={**settings, "mail_console": True})
    start(tmp_path, settings=settings, send=print)
    own = store_of(Noted, tmp_path)
    by_settings = {"smtp_url": "smtp://h", "mail_from": "a@b.example"}
    for further in ({}, by_settings, {"mail_console": True}):
        with pytest.raises(ConfigurationError, match=rf"{name}.*Accounts\(send=...\)"):
            start(tmp_path, settings={**settings, **further}, store=own)
    start(tmp_path, settings=settings, store=own, send=print)


def test_the_start_says_that_a_mail_server_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    by_settings = {"smtp_url": "smtp://h", "mail_from": "a@b.example"}
    start(tmp_path, settings=by_settings, store=store_of(Noted, tmp_path))
    assert "SMTP_URL is not used" in caplog.text


def test_the_start_needs_a_place_to_note_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not keep email_verified"):
        start(tmp_path, settings=ON, store=store_of(Plain, tmp_path), send=print)


def test_a_store_of_ones_own(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        assert await register(desk) == UNSEEN
        assert await register(desk) == UNSEEN
        assert (await sign_in(desk))[0] == 401
        await desk.post("verify-email", code=desk.outbox[0].code)
        assert (await sign_in(desk))[0] == 200
        assert desk.outbox[1].purpose == "already_registered"

    own = store_of(Noted, tmp_path)
    at_the_desk(tried, tmp_path / "a.db", settings=ON, store=own)


# --- other ways in


def test_the_password_form(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        await register(desk)
        form = {"username": EMAIL, "password": PASSWORD}
        refused = await desk.client.post("token", data=form)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        assert refused.json()["detail"] == "Incorrect username or password"
        await desk.post("verify-email", code=desk.outbox[0].code)
        assert (await desk.client.post("token", data=form)).status_code == 200

    at_the_desk(tried, tmp_path / "a.db", settings=ON, password_form=True)


def test_the_routes_of_fastapi_users(tmp_path: Path) -> None:
    async def tried(desk: Desk) -> None:
        base = desk.client.base_url.join("/")
        body = {"email": EMAIL, "password": PASSWORD}
        made = await desk.client.post(base.join("auth/register"), json=body)
        assert (made.status_code, made.json()["is_verified"]) == (201, False)
        assert desk.outbox[0].purpose == "verify_email"
        form = {"username": EMAIL, "password": PASSWORD}
        login = base.join("auth/jwt/login")
        refused = await desk.client.post(login, data=form)
        assert (refused.status_code, refused.json()["detail"]) == (
            *(400,),
            "LOGIN_USER_NOT_VERIFIED",
        )
        code = {"token": desk.outbox[0].code}
        await desk.client.post(base.join("auth/verify"), json=code)
        assert (await desk.client.post(login, data=form)).status_code in (200, 204)

    at_the_desk(tried, tmp_path / "a.db", settings=ON, layout="fastapi-users")


def test_whoever_was_invited_by_e_mail_is_verified(tmp_path: Path) -> None:
    outbox: list[Any] = []

    async def run() -> None:
        auth = make_auth(tmp_path / "a.db", **ON, sign_up="invitation")
        accounts = Accounts(auth, hasher=CHEAP, send=outbox.append)
        async with client_of(accounts) as client:
            await accounts.invite(email=EMAIL, send=True)
            body = {"email": EMAIL, "password": PASSWORD}
            assert (await client.post("signup", json=body)).status_code == 403
            body["invitation"] = outbox[0].code
            answer = await client.post("signup", json=body)
            assert answer.status_code == 201 and answer.json()["data"]["token"]
            # One that was handed over proves nothing about the e-mail.
            code = await accounts.invite()
            body = {"email": EVE, "password": PASSWORD, "invitation": code}
            answer = await client.post("signup", json=body)
            assert (answer.status_code, answer.json()) == UNSEEN
            assert [one.purpose for one in outbox] == ["invitation", "verify_email"]

    asyncio.run(run())


def test_attack_an_invitation_tells_who_is_registered(tmp_path: Path) -> None:
    """It is used up whether or not somebody has the e-mail."""

    async def run() -> None:
        auth = make_auth(tmp_path / "a.db", **ON, sign_up="invitation")
        accounts = Accounts(auth, hasher=CHEAP, send=lambda message: None)
        async with client_of(accounts) as client:
            await accounts.create_user(email=EMAIL, password=PASSWORD)
            code = await accounts.invite()
            body = {"email": EMAIL, "password": PASSWORD, "invitation": code}
            answer = await client.post("signup", json=body)
            assert (answer.status_code, answer.json()) == UNSEEN
            for email in (EMAIL, EVE):
                again = await client.post("signup", json={**body, "email": email})
                assert again.status_code == 403
            body |= {"email": EVE, "invitation": await accounts.invite()}
            answer = await client.post("signup", json=body)
            assert (answer.status_code, answer.json()) == UNSEEN
            for email in (EMAIL, EVE):
                again = await client.post("signup", json={**body, "email": email})
                assert again.status_code == 403

    asyncio.run(run())
