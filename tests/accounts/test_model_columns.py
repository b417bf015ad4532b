"""Columns that a project's own model may have otherwise than ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Uuid
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from fastbearer.accounts import SQLModelUserStore, User
from servers import EACH
from wide_databases import Wide, wide_database

EMAIL = "ada@example.com"


class Own(SQLModel, registry=registry()):
    """Base of the models here, apart from those of other tests."""


class Guest(Own, table=True):
    """A user whose id is a UUID there and a text here, perhaps without a password."""

    id: str = Field(
        default_factory=lambda: str(uuid4()),
        sa_type=Uuid(as_uuid=False),
        primary_key=True,
    )
    email: str = Field(max_length=254)
    password_hash: str | None = Field(default=None, max_length=255)


@pytest.fixture(params=EACH)
def wide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wide]:
    with wide_database(request.param, tmp_path) as database:
        database.make(Guest.__table__)
        yield database


def test_an_id_that_is_no_uuid_is_nobodys(wide: Wide) -> None:
    store = SQLModelUserStore(Guest, wide.get_session)
    user = User(email=EMAIL, password_hash="old")
    asyncio.run(store.add(user))
    for other in ("ada", "", "2", user.id.upper(), user.id.replace("-", "")):
        assert asyncio.run(store.find(other)) is None
    assert asyncio.run(store.find(user.id)) is not None
    assert asyncio.run(store.replace_password_hash(user, "new"))
    user.password_hash = "new"
    asyncio.run(store.remove(user))
    assert asyncio.run(store.find(user.id)) is None


def test_who_has_no_password_gets_their_first_once(wide: Wide) -> None:
    store = SQLModelUserStore(Guest, wide.get_session)
    asyncio.run(store.add(User(email=EMAIL, password_hash="old")))
    wide.run("UPDATE guest SET password_hash = NULL")

    async def raced() -> list[bool]:
        user = await store.find_by_email(EMAIL)
        assert user is not None and user.password_hash == ""
        replaced = (store.replace_password_hash(user, str(one)) for one in range(4))
        return await asyncio.gather(*replaced)

    assert sorted(asyncio.run(raced())) == [False] * 3 + [True]
