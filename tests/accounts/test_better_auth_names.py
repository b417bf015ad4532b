"""Names, roles and fields of users that Better Auth's plugins and projects add."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from accounts_kit import ids_in_pages
from better_auth_tables import (
    NOW,
    PHONE_NUMBER,
    USERNAME,
    BetterAuthTables,
    better_auth_tables,
)
from fastbearer.accounts import BetterAuthUserStore, EmailTakenError, User
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.accounts.stores.protocol import InvalidEmailError, NameTakenError
from fastbearer.better_auth.passwords import better_auth_hash
from fastbearer.better_auth.sql import Tables
from fastbearer.errors import ConfigurationError
from servers import BOTH

STORED = better_auth_hash("correct horse battery")
FIELDS = ("email", "password", "name")
PLUGINS = {**USERNAME, **PHONE_NUMBER}


def snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


KINDS = [
    ("sqlite", "text"),
    ("sqlite", "integer"),
    *(
        pytest.param(("postgresql", ids), marks=pytest.mark.postgres)
        for ids in ("text", "uuid", "integer")
    ),
]
"""Databases, and the ids that they have."""


@pytest.fixture(params=KINDS)
def tables(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[BetterAuthTables]:
    kind, ids = request.param
    more = {"naming": snake, "more": PLUGINS}
    with better_auth_tables(kind, tmp_path, ids=ids, **more) as made:
        yield made


@asynccontextmanager
async def store_of(tables: BetterAuthTables) -> AsyncIterator[Any]:
    names = Tables(snake_case=tables.naming is snake)
    store = BetterAuthUserStore(tables.url, tables=names)
    async with store.lifespan(None):
        yield store


def a_user(**fields: Any) -> User:
    return User(**{"email": "ada@example.com", "password_hash": STORED, **fields})


def row_of(tables: BetterAuthTables, email: str) -> dict[str, Any]:
    return next(row for row in tables.rows("user") if row["email"] == email)


def test_a_life(tables: BetterAuthTables) -> None:
    async def lived() -> User:
        async with store_of(tables) as store:
            await store.check_fields((*FIELDS, "username", "phone"))
            await store.check_hash_length(161)
            ada = a_user(name="Ada", username="ada", phone="+41441234567")
            await store.add(ada)
            await refused_twice(store)
            await found(store, ada)
            await changed(store, ada)
            await listed(store)
            return ada

    ada = asyncio.run(lived())
    row = row_of(tables, "countess@example.com")
    assert str(row["id"]) == ada.id
    assert [row["username"], row["display_username"]] == ["countess"] * 2
    assert row["phone_number"] is None and not row["phone_number_verified"]
    assert row["role"] == "admin,staff" and row["name"] == "Countess"
    assert not row["banned"] and row["email_verified"]


async def refused_twice(store: BetterAuthUserStore) -> None:
    with pytest.raises(EmailTakenError):
        await store.add(a_user())
    for fields in ({"username": "ada"}, {"phone": "+41441234567"}):
        with pytest.raises(NameTakenError) as raised:
            await store.add(a_user(email="eve@example.com", **fields))
        assert raised.value.name in fields
    assert await store.find_by_email("eve@example.com") is None


async def found(store: BetterAuthUserStore, ada: User) -> None:
    for name, value in (
        ("email", "ada@example.com"),
        ("username", "ada"),
        ("phone", "+41441234567"),
    ):
        user = await store.find_by(name, value)  # type: ignore[arg-type]
        assert user is not None and user.id == ada.id and user.called(name) == value  # type: ignore[arg-type]
        assert user.password_hash == STORED and user.is_active and user.roles == []
    assert await store.find_by("username", "eve") is None


async def changed(store: BetterAuthUserStore, ada: User) -> None:
    values = {
        "email": "countess@example.com",
        "email_verified": True,
        "username": "countess",
        "name": "Countess",
        "roles": ["admin", "staff"],
        "is_active": False,
        "phone": None,
    }
    assert await store.change(ada, values)
    assert not await store.change(ada, {"name": "late"})  # her e-mail is another now
    user = await store.find(ada.id)
    assert user is not None
    assert {field: getattr(user, field) for field in values} == values
    assert await CheckedUserStore(store).find(ada.id) is None
    assert await CheckedUserStore(store).everybody.find(ada.id) is not None
    assert await store.change(user, {"is_active": True})
    eve = a_user(email="eve@example.com", username="eve")
    await store.add(eve)
    with pytest.raises(EmailTakenError):
        await store.change(eve, {"email": "countess@example.com"})
    with pytest.raises(NameTakenError):
        await store.change(eve, {"username": "countess"})
    with pytest.raises(InvalidEmailError):
        await store.change(eve, {"email": "eve@localhost"})


async def listed(store: BetterAuthUserStore) -> None:
    for number in range(3):
        await store.add(a_user(email=f"{number}@example.com"))
    everybody = [user.id for user in await store.list_users(None, 10)]
    assert len(everybody) == 5
    assert await ids_in_pages(store, 2) == everybody
    assert await store.list_users("\0", 2) == []


def test_who_is_banned_is_signed_out_there(kind: str, tmp_path: Path) -> None:
    with better_auth_tables(kind, tmp_path) as tables:
        tables.sign_in()
        tables.add_user(id="u2")
        tables.add_session(token="other", userId="u2")

        async def changed(is_active: bool) -> None:
            async with store_of(tables) as store:
                user = await store.find("u1")
                assert await store.change(user, {"is_active": is_active})

        asyncio.run(changed(True))
        assert len(tables.rows("session")) == 2
        asyncio.run(changed(False))
        assert [row["userId"] for row in tables.rows("session")] == ["u2"]


def test_who_has_several_passwords_is_listed_once(kind: str, tmp_path: Path) -> None:
    with better_auth_tables(kind, tmp_path) as tables:
        tables.add_user(email="ada@example.com")
        for account in ("a", "b"):
            row = {"userId": "u1", "accountId": "u1", "providerId": "credential"}
            dates = {"createdAt": NOW, "updatedAt": NOW}
            tables.insert("account", id=account, password=STORED, **row, **dates)

        async def listed() -> list[User]:
            async with store_of(tables) as store:
                users: list[User] = await store.list_users(None, 10)
                return users

        (ada,) = asyncio.run(listed())
        assert ada.id == "u1" and ada.password_hash == ""


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"is_active": False}, r"column banned, which its plugin admin\(\) adds"),
        ({"roles": ["admin"]}, r"column role, which its plugin admin\(\) adds"),
        ({"username": "ada"}, r"its plugin username\(\) adds"),
        ({"phone": "+41441234567"}, r"its plugin phoneNumber\(\) adds"),
        ({"company": "none"}, "has no column company: add it"),
    ],
)
def test_plugins_that_are_not_there(
    kind: str, tmp_path: Path, values: dict[str, Any], told: str
) -> None:
    with better_auth_tables(kind, tmp_path, has_admin=False) as tables:
        tables.add_user(email="ada@example.com")

        async def changed() -> None:
            async with store_of(tables) as store:
                user = await store.find("u1")
                assert await store.find_by("username", "ada") is None
                await store.change(user, values)

        with pytest.raises(ConfigurationError, match=told):
            asyncio.run(changed())


def test_d1_fields_of_the_projects_own(kind: str, tmp_path: Path) -> None:
    """``additionalFields`` of the server, one of them required."""
    more = {"companyName": "text not null", "plan": "text"}
    with better_auth_tables(kind, tmp_path, naming=snake, more=more) as tables:

        async def checked(*fields: str) -> None:
            async with store_of(tables) as store:
                await store.check_fields((*FIELDS, *fields))

        async def added() -> None:
            async with store_of(tables) as store:
                user = a_user()
                user.give({"companyName": "Analytical", "plan": "free"})
                await store.add(user)

        told = "'company_name' of the table 'user' must have a value"
        with pytest.raises(ConfigurationError, match=told):
            asyncio.run(checked("plan"))
        with pytest.raises(ConfigurationError, match="has no column colour: add it"):
            asyncio.run(checked("companyName", "colour"))
        with pytest.raises(ConfigurationError, match=r"its plugin username\(\) adds"):
            asyncio.run(checked("companyName", "username"))
        asyncio.run(checked("companyName"))
        asyncio.run(added())
        (row,) = tables.rows("user")
        assert [row["company_name"], row["plan"]] == ["Analytical", "free"]


def test_names_that_need_a_constraint(kind: str, tmp_path: Path) -> None:
    more = {"username": "text"}
    with better_auth_tables(kind, tmp_path, more=more) as tables:

        async def checked() -> None:
            async with store_of(tables) as store:
                await store.check_fields((*FIELDS, "username"))

        with pytest.raises(ConfigurationError, match="two users could have one usern"):
            asyncio.run(checked())
        tables.run('CREATE UNIQUE INDEX one ON "user" (username)')
        asyncio.run(checked())


def test_d10_a_hash_column_that_is_too_short(kind: str, tmp_path: Path) -> None:
    with better_auth_tables(kind, tmp_path) as tables:
        if kind == "sqlite":
            tables.run("ALTER TABLE account DROP COLUMN password")
            tables.run("ALTER TABLE account ADD COLUMN password VARCHAR(100)")
        else:
            tables.run("ALTER TABLE account ALTER COLUMN password TYPE VARCHAR(100)")

        async def checked(length: int) -> None:
            async with store_of(tables) as store:
                await store.check_hash_length(length)

        asyncio.run(checked(97))
        with pytest.raises(ConfigurationError, match="keeps 100 characters, and"):
            asyncio.run(checked(161))


def test_roles_of_the_server(kind: str, tmp_path: Path) -> None:
    with better_auth_tables(kind, tmp_path) as tables:
        tables.add_user(email="ada@example.com", role="admin,editor")

        async def found() -> User:
            async with store_of(tables) as store:
                user: User = await store.find("u1")
                return user

        assert asyncio.run(found()).roles == ["admin", "editor"]
