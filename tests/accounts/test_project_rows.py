"""Rows of a project's model: whose they are, what is read of them, and their end."""

from __future__ import annotations

import asyncio
import enum
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    CHAR,
    Boolean,
    Column,
    Enum,
    ForeignKey,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    deferred,
    mapped_column,
    relationship,
)
from sqlalchemy.orm.exc import DetachedInstanceError

from fastbearer.accounts import (
    EmailTakenError,
    SQLAlchemyUserStore,
    User,
    UserInUseError,
)
from fastbearer.accounts.stores.checked import CheckedUserStore
from fastbearer.accounts.stores.protocol import NameTakenError
from fastbearer.errors import ConfigurationError
from project_models import (
    Engines,
    Sessions,
    async_dependency,
    async_rolling_back,
    lasting,
    rolling_back,
    sync_dependency,
)
from servers import BOTH, own_database

EMAIL = "ada@example.com"


@pytest.fixture(params=BOTH)
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    if request.param == "sqlite":
        yield Engines(f"sqlite:///{tmp_path}/own.db")
        return
    with own_database() as url:
        yield Engines(url)


@pytest.fixture(params=[sync_dependency, async_dependency])
def dependency(request: pytest.FixtureRequest) -> Callable[[Engines], Sessions]:
    made: Callable[[Engines], Sessions] = request.param
    return made


def base() -> Any:
    """Return a fresh base of declarative models."""

    class Base(DeclarativeBase):
        pass

    return Base


def member(own: Any = None, **columns: Any) -> Any:
    """Return a declarative model ``Member`` with some columns more, or others."""
    usual = {
        "id": mapped_column(
            String(32), primary_key=True, default=lambda: uuid.uuid4().hex
        ),
        "email": mapped_column(String(254), unique=True, nullable=True),
        "password_hash": mapped_column(String(255), default=""),
    }
    body = {"__tablename__": "member", **usual, **columns}
    kept = {name: value for name, value in body.items() if value is not None}
    return type("Member", (own or base(),), kept)


def a_user(**fields: Any) -> User:
    return User(**{"email": EMAIL, "password_hash": "old", **fields})


# --- whose a row is


def test_a_name_in_another_case_is_the_same_persons(
    engines: Engines, dependency: Callable[[Engines], Sessions]
) -> None:
    model = member(
        username=mapped_column(String(30), unique=True, nullable=True),
        is_active=mapped_column(Boolean, default=True),
    )
    engines.make(model)
    store = SQLAlchemyUserStore(model, dependency(engines))
    true, false = ("1", "0") if engines.is_sqlite else ("true", "false")

    def insert(key: str, username: str, is_active: str) -> None:
        values = f"('{key}', NULL, 'x', '{username}', {is_active})"
        columns = "(id, email, password_hash, username, is_active)"
        engines.run(f"INSERT INTO member {columns} VALUES {values}")

    async def whose() -> str | None:
        user = await store.find_by("username", "ada")
        assert user is None or (user.username == "ada" and user.email == "")
        return None if user is None else user.id

    async def lived() -> None:
        assert await whose() is None
        insert("1", "Ada", false)
        assert await whose() == "1"
        assert await CheckedUserStore(store).find_by("username", "ada") is None
        with pytest.raises(NameTakenError):
            await store.add(a_user(username="ada"))
        insert("2", "ADA", true)
        assert await whose() == "2"  # of the two, the active one
        insert("3", "aDa", true)
        assert await whose() is None

    engines.do(lived())


def test_of_two_sign_ups_at_a_time_one_wins(engines: Engines) -> None:
    model = member(username=mapped_column(String(30), unique=True))
    engines.make(model)
    store = SQLAlchemyUserStore(model, async_dependency(engines))

    async def raced() -> None:
        async def tried(number: int) -> str:
            email = f"{number}@example.com"
            try:
                await store.add(a_user(email=email, username="ada"))
            except NameTakenError as error:
                return error.name
            return "added"

        results = await asyncio.gather(*(tried(number) for number in range(8)))
        assert sorted(results) == ["added"] + ["username"] * 7
        emails = (
            store.add(a_user(username=f"user{n}", email="x@e.org")) for n in range(8)
        )
        errors = await asyncio.gather(*emails, return_exceptions=True)
        assert sum(isinstance(one, EmailTakenError) for one in errors) == 7
        assert len(await store.list_users(None, 99)) == 2

    engines.do(raced())


@pytest.mark.parametrize("sessions", [lasting, rolling_back, async_rolling_back])
def test_a_session_can_be_used_after_an_error(
    engines: Engines, sessions: Callable[[Engines], Sessions]
) -> None:
    """What the database refuses and no name explains stays an error of its own.

    So it does where the project's function keeps errors to itself.
    """
    model = member(company=mapped_column(String(40), unique=True))
    engines.make(model)
    store = SQLAlchemyUserStore(model, sessions(engines))

    async def lived() -> None:
        for email in (EMAIL, "eve@example.com"):
            user = a_user(email=email)
            user.give({"company": "Analytical"})
            if email == EMAIL:
                await store.add(user)
                continue
            with pytest.raises(IntegrityError):
                await store.add(user)
            with pytest.raises(IntegrityError):
                await store.change(
                    await ada(), {"company": None, "password_hash": None, "id": None}
                )
        assert (await ada()).row.company == "Analytical"
        assert await store.find_by_email("eve@example.com") is None

    async def ada() -> User:
        user = await store.find_by_email(EMAIL)
        assert user is not None
        return user

    engines.do(lived())


@pytest.mark.parametrize("has_emails", [True, False])
def test_users_without_an_email(
    engines: Engines, dependency: Callable[[Engines], Sessions], has_emails: bool
) -> None:
    username = mapped_column(String(30), unique=True)
    more = {} if has_emails else {"email": None}
    model = member(username=username, **more)
    engines.make(model)
    store = SQLAlchemyUserStore(model, dependency(engines))

    async def lived() -> None:
        fields = ("username", "password", "name")
        await store.check_fields(fields)
        ada, eve = (a_user(email="", username=name) for name in ("ada", "eve"))
        await store.add(ada)
        await store.add(eve)
        for email in ("", EMAIL):
            assert await store.find_by_email(email) is None
        found = await store.find_by("username", "ada")
        assert found is not None and found.id == ada.id and found.email == ""
        assert await store.change(found, {"username": "countess"})
        assert await store.replace_password_hash(found, "new")
        found.password_hash = "new"
        with pytest.raises(NameTakenError):
            await store.change(eve, {"username": "countess"})
        await store.verify_email(found)
        if has_emails:
            assert await store.change(found, {"email": EMAIL})
            assert not await store.change(found, {"username": "late"})
        else:
            with pytest.raises(ConfigurationError, match="no column for email"):
                await store.change(found, {"email": EMAIL})
            with pytest.raises(ConfigurationError, match="gives email, and Member"):
                await store.check_fields((*fields, "email"))

    engines.do(lived())


def test_a_field_that_the_model_has_not(engines: Engines) -> None:
    model = member()
    engines.make(model)
    store = SQLAlchemyUserStore(model, sync_dependency(engines))
    user = a_user()
    user.give({"company": "Analytical"})

    async def lived() -> None:
        with pytest.raises(
            ConfigurationError, match="Member has no column for company"
        ):
            await store.add(user)
        with pytest.raises(ConfigurationError, match="Member has no column for roles"):
            await store.change(user, {"roles": ["admin"]})

    engines.do(lived())


class Guid(TypeDecorator[uuid.UUID]):
    """Ids as some projects keep them; a text that is none is an error."""

    impl = CHAR(36)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: object) -> str | None:
        return None if value is None else str(uuid.UUID(str(value)))

    def process_result_value(self, value: Any, dialect: object) -> uuid.UUID | None:
        return None if value is None else uuid.UUID(value)


def test_ids_of_a_type_of_ones_own(engines: Engines) -> None:
    model = member(id=mapped_column(Guid, primary_key=True, default=uuid.uuid4))
    engines.make(model)
    store = SQLAlchemyUserStore(model, async_dependency(engines))

    async def lived() -> None:
        ada = a_user()
        await store.add(ada)
        assert (await store.find(ada.id)) is not None
        for odd in ("x", "", "7", ada.id.upper(), ada.id.replace("-", ""), "\0"):
            assert await store.find(odd) is None
        assert await store.replace_password_hash(ada, "new")
        ada.password_hash = "new"
        await store.remove(ada)
        assert await store.find(ada.id) is None

    engines.do(lived())


def test_an_id_that_is_not_the_key(engines: Engines) -> None:
    """Numbers for the tables, and an id at random for everybody else."""
    model = type(
        "Numbered",
        (base(),),
        {
            "__tablename__": "numbered",
            "__annotations__": {"id": Mapped[int]},
            "id": mapped_column(primary_key=True),
            "public": mapped_column(
                String(36), unique=True, default=lambda: str(uuid.uuid4())
            ),
            "email": mapped_column(String(254), unique=True),
            "password_hash": mapped_column(String(255)),
        },
    )
    engines.make(model)
    store = SQLAlchemyUserStore(model, sync_dependency(engines), id="public")

    async def lived() -> None:
        async with store.lifespan(None):
            ada = a_user()
            await store.add(ada)
            assert len(ada.id) == 36 and ada.row.id == 1
            assert await store.find("1") is None
            await store.remove(ada)
            assert await store.find(ada.id) is None

    engines.do(lived())


# --- what is read of it


class Rank(enum.Enum):
    """One role a user."""

    USER = "user"
    ADMIN = "admin"


def test_a_role_that_is_an_enum(engines: Engines) -> None:
    model = member(rank=mapped_column(Enum(Rank), default=Rank.USER))
    engines.make(model)
    store = SQLAlchemyUserStore(model, async_dependency(engines), roles="rank")

    async def lived() -> None:
        ada = a_user()
        await store.add(ada)
        assert ada.roles == ["user"]  # the model's default
        assert await store.change(ada, {"roles": ["admin"]})
        found = await store.find(ada.id)
        assert found is not None and found.roles == ["admin"]
        for wrong in ([], ["admin", "user"], ["root"]):
            with pytest.raises(ConfigurationError, match="keeps one role"):
                await store.change(ada, {"roles": wrong})

    engines.do(lived())


def test_a_default_of_the_model_holds(engines: Engines) -> None:
    """Who signs up may have to be let in by somebody."""
    model = member(is_active=mapped_column(Boolean, default=False))
    engines.make(model)
    store = SQLAlchemyUserStore(model, async_dependency(engines))

    async def lived() -> None:
        ada = a_user()
        await store.add(ada)
        assert not ada.is_active
        assert await CheckedUserStore(store).find(ada.id) is None

    engines.do(lived())


def test_a_row_outlives_its_session(
    engines: Engines, dependency: Callable[[Engines], Sessions]
) -> None:
    own = base()

    class Group(own):
        __tablename__ = "own_group"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    model = member(
        own,
        group_id=mapped_column(ForeignKey("own_group.id"), nullable=True),
        group=relationship(Group),
        roles=property(lambda self: [self.group.name] if self.group else []),
        picture=deferred(mapped_column(String(40), nullable=True).column),
        level=mapped_column(String(9), server_default="low"),
    )
    engines.make(Group, model)
    engines.run("INSERT INTO own_group VALUES (1, 'staff')")
    store = SQLAlchemyUserStore(model, dependency(engines))

    async def lived() -> None:
        ada = a_user()
        ada.give({"group_id": 1})
        await store.add(ada)
        assert ada.row.level == "low" and ada.roles == ["staff"]
        found = await store.find(ada.id)
        assert found is not None
        assert found.row.level == "low" and found.row.group_id == 1
        assert found.roles == ["staff"] and found.row.group.name == "staff"
        assert found.row.metadata is model.metadata

    engines.do(lived())


def test_a_relationship_that_nobody_has_loaded(engines: Engines) -> None:
    own = base()

    class Post(own):
        __tablename__ = "post"
        id: Mapped[int] = mapped_column(primary_key=True)
        author: Mapped[str] = mapped_column(ForeignKey("member.id"))

    model = member(own, posts=relationship(Post))
    engines.make(model, Post)
    store = SQLAlchemyUserStore(model, async_dependency(engines))

    async def lived() -> None:
        await store.add(a_user())
        found = await store.find_by_email(EMAIL)
        assert found is not None
        with pytest.raises(DetachedInstanceError):
            _ = found.row.posts

    engines.do(lived())


# --- its end


def referring(how: dict[str, Any], key: dict[str, Any]) -> tuple[Any, Any]:
    """Return a model, and one whose rows refer to it."""
    own = base()

    class Note(own):
        __tablename__ = "note"
        id: Mapped[int] = mapped_column(primary_key=True)
        owner: Mapped[str | None] = mapped_column(ForeignKey("member.id", **key))

    more = {} if how is None else {"notes": relationship(Note, **how)}
    return member(own, **more), Note


CASCADE = {"ondelete": "CASCADE"}
NULL = {"ondelete": "SET NULL"}
DEFERRED = {"deferrable": True, "initially": "DEFERRED"}
ENDS = {
    "a key alone": (None, {}, "refused"),
    "a deferred key": (None, DEFERRED, "refused"),
    "a key that restricts": (None, {"ondelete": "RESTRICT"}, "refused"),
    "a key that cascades": (None, CASCADE, "gone"),
    "a relationship that says nothing": ({}, {}, "refused"),
    "a relationship that says nothing, deferred": ({}, DEFERRED, "refused"),
    "a relationship to a key that cascades": ({}, CASCADE, "gone"),
    "a relationship to a key that sets NULL": ({}, NULL, "orphaned"),
    "a cascade of the model's": ({"cascade": "all, delete-orphan"}, {}, "gone"),
    "passive deletes": ({"passive_deletes": True}, CASCADE, "gone"),
    "passive deletes, and none": ({"passive_deletes": "all"}, {}, "refused"),
    "to be seen alone": ({"viewonly": True}, {}, "refused"),
}


@pytest.mark.parametrize("end", ENDS)
def test_d10_what_refers_to_a_user(
    engines: Engines, dependency: Callable[[Engines], Sessions], end: str
) -> None:
    how, key, outcome = ENDS[end]
    model, note = referring(how, key)  # type: ignore[arg-type]
    engines.make(model, note)
    store = SQLAlchemyUserStore(model, dependency(engines))

    async def lived() -> None:
        ada, eve = a_user(), a_user(email="eve@example.com")
        await store.add(ada)
        await store.add(eve)
        engines.run(f"INSERT INTO note VALUES (1, '{ada.id}')")
        if outcome == "refused":
            with pytest.raises(UserInUseError):
                await store.remove(ada)
            assert await store.find(ada.id) is not None
            assert engines.run("SELECT owner FROM note") == [(ada.id,)]
        else:
            await store.remove(ada)
            assert await store.find(ada.id) is None
            left = [] if outcome == "gone" else [(None,)]
            assert engines.run("SELECT owner FROM note") == left
        await store.remove(eve)
        assert await store.find(eve.id) is None

    engines.do(lived())


def test_d10_what_is_shared_with_others(engines: Engines) -> None:
    """Rows that only say who belongs where go with the user."""
    own = base()

    class Group(own):
        __tablename__ = "own_group"
        id: Mapped[int] = mapped_column(primary_key=True)

    belongs = Table(
        "belongs",
        own.metadata,
        Column("member_id", ForeignKey("member.id"), primary_key=True),
        Column("group_id", ForeignKey("own_group.id"), primary_key=True),
    )
    model = member(own, groups=relationship(Group, secondary=belongs))
    engines.make(model)
    store = SQLAlchemyUserStore(model, async_dependency(engines))

    async def lived() -> None:
        ada = a_user()
        await store.add(ada)
        engines.run("INSERT INTO own_group VALUES (1)")
        engines.run(f"INSERT INTO belongs VALUES ('{ada.id}', 1)")
        await store.remove(ada)
        assert await store.find(ada.id) is None
        assert engines.run("SELECT * FROM belongs") == []
        assert engines.run("SELECT * FROM own_group") == [(1,)]

    engines.do(lived())


def test_d10_several_remove_one_user(engines: Engines) -> None:
    model = member()
    engines.make(model)
    store = SQLAlchemyUserStore(model, async_dependency(engines))
    if engines.is_sqlite:  # it has no locks of rows, and no two writers
        return

    async def raced() -> None:
        ada = a_user()
        await store.add(ada)
        await asyncio.gather(*(store.remove(ada) for _ in range(8)))
        assert await store.find(ada.id) is None

    engines.do(raced())
