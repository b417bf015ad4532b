"""Attacks through the fields of a project's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from account_desk import Desk, at_the_desk
from accounts_kit import EMAIL, PASSWORD, make_auth
from fastbearer.accounts import Accounts, SignUp, SQLAlchemyUserStore
from fastbearer.errors import ConfigurationError
from project_models import Engines, async_dependency, engines_on, sync_dependency
from servers import BOTH

USER_NAME = "User name must be 3 to 30"
UNKEPT = "This cannot be kept"
VICTIM = {"email": EMAIL, "username": "bob", "password": PASSWORD}
EVE = "eve@example.com"


class Base(DeclarativeBase):
    """Of the models here."""


class Member(Base):
    """Users with columns that refuse."""

    __tablename__ = "member"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str] = mapped_column(String(255))
    username: Mapped[str | None] = mapped_column(String(60), unique=True)
    phone: Mapped[str | None] = mapped_column(String(60), unique=True)
    age: Mapped[int | None]
    level: Mapped[int] = mapped_column(default=0)
    bio: Mapped[str | None] = mapped_column(String(100))
    slug: Mapped[str | None] = mapped_column(String(50), unique=True)


class MemberSignUp(SignUp):
    """With what the columns may refuse."""

    age: int | None = None
    bio: str | None = None
    slug: str | None = None


class MemberChanges(BaseModel):
    """The same, for a change."""

    name: str | None = None
    age: int | None = None
    level: int | None = None
    bio: str | None = None
    slug: str | None = None


class Named(BaseModel):
    """A user name in the project's own type."""

    username: str | None = None


@pytest.fixture(params=BOTH)
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    with engines_on(request.param, tmp_path, Member) as engines:
        yield engines


@pytest.fixture(params=[sync_dependency, async_dependency])
def store(request: pytest.FixtureRequest, engines: Engines) -> SQLAlchemyUserStore:
    return SQLAlchemyUserStore(Member, request.param(engines))


def at_members(work: Any, folder: Path, engines: Engines, **options: Any) -> None:
    async def tried(desk: Desk) -> None:
        try:
            await work(desk)
        finally:
            await engines.asynchronous.dispose()

    at_the_desk(tried, folder / "own.db", **options)


async def refused(desk: Desk, method: str, path: str, **body: Any) -> str:
    answer = await desk.ask(method, path, **body)
    assert answer.status_code == 400, (body, answer.text)
    return str(answer.json()["detail"])


@pytest.mark.parametrize("is_own", [True, False])
def test_attack_a_user_name_changed_past_its_form(
    tmp_path: Path, engines: Engines, store: SQLAlchemyUserStore, is_own: bool
) -> None:
    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL, username="bob")
        await desk.sign_up(EVE, username="eve")
        for wrong in (EMAIL, "+41441234567", "x" * 50, "\u212aim", "", None, "1234"):
            told = await refused(desk, "PATCH", "me", username=wrong)
            assert told.startswith(USER_NAME)
        for taken in ("BOB", " Bob ", "bob"):
            told = await refused(desk, "PATCH", "me", username=taken)
            assert told == "User name already registered"
        for name in ("eve", "Bob"):
            desk.token = ""
            body = {"username": name, "password": PASSWORD}
            assert await desk.post("signin", **body) == 200
        changed = await desk.ask("PATCH", "me", username=" Robert ")
        assert changed.status_code == 200
        body = {"username": "robert", "password": PASSWORD}
        assert await desk.post("signin", **body) == 200

    given = {"store": store} if is_own else {}
    names = ("email", "username")
    at_members(tried, tmp_path, engines, changes=Named, names=names, **given)


def test_attack_fields_that_the_sign_up_does_not_declare(
    tmp_path: Path, engines: Engines, store: SQLAlchemyUserStore
) -> None:
    class Open(MemberSignUp):
        model_config = ConfigDict(extra="allow")

    async def tried(desk: Desk) -> None:
        await desk.sign_up(username="evil.user", phone="+41441234567")

    at_members(tried, tmp_path, engines, store=store, sign_up=Open)
    assert engines.run("SELECT username, phone FROM member") == [(None, None)]


REFUSED_BY_COLUMNS = [
    {"age": 2**70},
    {"age": 2**63},
    {"slug": "one"},
]
TOO_LONG = {"bio": "x" * 101}


def is_sqlite(engines: Engines) -> bool:
    return engines.sync.dialect.name == "sqlite"


def test_attack_what_columns_refuse_at_sign_up(
    tmp_path: Path,
    engines: Engines,
    store: SQLAlchemyUserStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    further = [] if is_sqlite(engines) else [TOO_LONG]  # which cuts nothing

    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL, slug="one")
        desk.token = ""
        for fields in [*REFUSED_BY_COLUMNS, *further]:
            body = {"email": EVE, "password": PASSWORD, **fields}
            assert await refused(desk, "POST", "signup", **body) == UNKEPT

    at_members(tried, tmp_path, engines, store=store, sign_up=MemberSignUp)
    assert engines.run("SELECT email FROM member") == [(EMAIL,)]
    assert not [one for one in caplog.records if one.exc_info]
    assert str(2**70) not in caplog.text


def test_attack_what_columns_refuse_in_a_change(
    tmp_path: Path,
    engines: Engines,
    store: SQLAlchemyUserStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    further = [] if is_sqlite(engines) else [TOO_LONG]

    async def tried(desk: Desk) -> None:
        await desk.sign_up(EMAIL, slug="one")
        await desk.sign_up(EVE)
        for fields in [*REFUSED_BY_COLUMNS, {"level": None}, *further]:
            body = {"name": "Eve", **fields}
            assert await refused(desk, "PATCH", "me", **body) == UNKEPT
        assert (await desk.me())["name"] == ""
        # As at sign-up, for its column takes no NULL.
        assert (await desk.ask("PATCH", "me", name=None)).status_code == 200

    shape = {"sign_up": MemberSignUp, "changes": MemberChanges}
    at_members(tried, tmp_path, engines, store=store, **shape)
    query = "SELECT name, age, level, slug, bio FROM member WHERE email <> 'x'"
    assert sorted(map(str, engines.run(query))) == [
        "('', None, 0, 'one', None)",
        "('', None, 0, None, None)",
    ]
    assert not [one for one in caplog.records if one.exc_info]


@pytest.mark.parametrize("where", ["bio", "unknown", "deep", "key"])
def test_attack_nul_in_a_text_of_the_project(
    tmp_path: Path, engines: Engines, store: SQLAlchemyUserStore, where: str
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "bio": {"bio": "a\0b"},
        "unknown": {"unknown": "a\0b"},
        "deep": {"unknown": [{"a": [{"b": "\0"}]}]},
        "key": {"a\0b": 1},
    }

    async def tried(desk: Desk) -> None:
        body = {"email": EMAIL, "password": PASSWORD}
        told = await refused(desk, "POST", "signup", **body, **bodies[where])
        assert told == ("bio is invalid" if where == "bio" else "Invalid request")
        # Two backslashes: six characters, none of them NUL.
        await desk.sign_up(bio="a\\u0000b")
        told = await refused(desk, "PATCH", "me", **bodies[where])
        assert told == ("bio is invalid" if where == "bio" else "Invalid request")

    shape = {"sign_up": MemberSignUp, "changes": MemberChanges}
    at_members(tried, tmp_path, engines, store=store, **shape)
    assert engines.run("SELECT bio FROM member") == [("a\\u0000b",)]


def test_attack_a_body_of_very_many_errors(tmp_path: Path) -> None:
    """Each would be built, by anybody, before the first is told."""

    async def chunks(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 4096):
            yield body[start : start + 4096]

    async def tried(desk: Desk) -> None:
        head = b'{"email":"a@example.com","password":"x","tags":['
        body = head + b'"a",' * 20_000 + b'"a"]}'
        headers = {"Content-Type": "application/json"}
        for path in ("signup", "signin", "refresh", "forgot-password"):
            answer = await desk.client.post(path, content=body, headers=headers)
            assert answer.status_code == 413, path
            told = "Request body must be at most 65536 bytes"
            assert answer.json() == {"detail": told}

    at_the_desk(tried, tmp_path / "a.db")


def test_attack_a_change_of_what_is_not_a_users_to_say(tmp_path: Path) -> None:
    class Phones(BaseModel):
        phone: str | None = None

    with pytest.raises(ConfigurationError, match=r"^Phones\.phone: "):
        Accounts(make_auth(tmp_path / "a.db"), changes=Phones)
