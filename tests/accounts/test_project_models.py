"""Every method of a store, on every kind of model and of session that projects have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from accounts_kit import ids_in_pages
from fastbearer.accounts import EmailTakenError, SQLAlchemyUserStore, User
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.accounts.stores.protocol import NameTakenError
from project_models import (
    DEPENDENCIES,
    MODELS,
    Engines,
    Sessions,
    engines_on,
    store_of,
)
from servers import BOTH

Dependency = Callable[[Engines], Sessions]


@pytest.fixture(params=BOTH)
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    with engines_on(request.param, tmp_path) as engines:
        yield engines


def a_user(**fields: Any) -> User:
    user = User(**{"email": "ada@example.com", "password_hash": "old", **fields})
    user.give({"company": "Analytical"})
    return user


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_a_life(engines: Engines, dependency: Dependency) -> None:
    engines.make(*(inspect(model).local_table for model in MODELS))
    sessions = dependency(engines)

    async def lived() -> None:
        for model in MODELS:
            await live(store_of(model, sessions))

    engines.do(lived())


async def live(store: SQLAlchemyUserStore) -> None:
    fields = ("email", "password", "name", "username", "phone", "company")
    await store.check_fields(fields)
    await store.check_hash_length(97)
    await rehearsed(store)
    ada = await added(store)
    await refused_twice(store)
    await found(store, ada)
    await changed(store, ada)
    await listed(store)
    await removed(store, ada)


async def rehearsed(store: SQLAlchemyUserStore) -> None:
    """Nobody is kept by it, so that it goes well as often as it is done."""
    for _ in range(2):
        await store.rehearse(a_user(username="ada", phone="+41441234567"))
    assert await store.find_by_email("ada@example.com") is None


async def added(store: SQLAlchemyUserStore) -> User:
    ada = a_user(name="Ada", username="ada", phone="+41441234567")
    await store.add(ada)
    assert ada.row.company == "Analytical" and ada.is_active and ada.roles == []
    return ada


async def refused_twice(store: SQLAlchemyUserStore) -> None:
    with pytest.raises(EmailTakenError):
        await store.add(a_user())
    for fields, name in (
        ({"username": "ada"}, "username"),
        ({"phone": "+41441234567"}, "phone"),
    ):
        with pytest.raises(NameTakenError) as raised:
            await store.add(a_user(email="eve@example.com", **fields))
        assert raised.value.name == name
    assert await store.find_by_email("eve@example.com") is None


async def found(store: SQLAlchemyUserStore, ada: User) -> None:
    ways = (
        store.find(ada.id),
        store.find_by_email("ada@example.com"),
        store.find_by("username", "ada"),
        store.find_by("phone", "+41441234567"),
    )
    for way in ways:
        user = await way
        assert user is not None
        shown = {
            field: getattr(user, field)
            for field in ("id", "email", "name", "username", "phone")
        }
        assert shown == {
            "id": ada.id,
            "email": "ada@example.com",
            "name": "Ada",
            "username": "ada",
            "phone": "+41441234567",
        }
        # The session is gone, and the row can be read.
        assert user.row is not user and user.row.company == "Analytical"
        assert user.row.mail == "ada@example.com"
    for odd in ("", "7", "x", "\0", "9" * 30, ada.id + " ", "\ud800"):
        assert await store.find(odd) is None
    assert await store.find_by("username", "eve") is None


async def changed(store: SQLAlchemyUserStore, ada: User) -> None:
    assert await store.replace_password_hash(ada, "new")
    assert not await store.replace_password_hash(ada, "newer")
    await store.verify_email(ada)
    assert not await store.change(ada, {"name": "late"})  # her password is another now
    ada.password_hash = "new"
    values = {
        "email": "countess@example.com",
        "username": "countess",
        "name": "Countess",
        "roles": ["admin", "staff"],
        "is_active": False,
        "company": "Difference",
    }
    assert await store.change(ada, values)
    assert not await store.change(ada, {"name": "late"})  # her e-mail is another now
    user = await store.find(ada.id)
    assert user is not None
    assert {field: getattr(user, field) for field in values if field != "company"} == {
        field: value for field, value in values.items() if field != "company"
    }
    assert user.email_verified and user.password_hash == "new"
    assert user.row.company == "Difference"
    assert await CheckedUserStore(store).find(ada.id) is None
    assert await CheckedUserStore(store).everybody.find(ada.id) is not None
    assert await store.change(user, {"is_active": True, "phone": None})
    eve = a_user(email="eve@example.com", username="eve", phone="+41441234567")
    await store.add(eve)
    with pytest.raises(EmailTakenError):
        await store.change(eve, {"email": "countess@example.com"})
    with pytest.raises(NameTakenError):
        await store.change(eve, {"username": "countess"})


async def listed(store: SQLAlchemyUserStore) -> None:
    for number in range(3):
        await store.add(a_user(email=f"{number}@example.com"))
    everybody = [user.id for user in await store.list_users(None, 10)]
    assert len(everybody) == 5
    assert await ids_in_pages(store, 2) == everybody
    assert await store.list_users("no id of these \0", 2) == []


async def removed(store: SQLAlchemyUserStore, ada: User) -> None:
    await store.remove(ada)
    await store.remove(ada)
    assert await store.find(ada.id) is None
    assert not await store.change(ada, {"name": "late"})
    assert not await store.replace_password_hash(ada, "late")
