"""What is said of a project's model before the first user signs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    CHAR,
    VARBINARY,
    DateTime,
    FetchedValue,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    TypeDecorator,
    event,
    func,
    text,
)
from sqlalchemy.dialects.mysql import LONGBLOB
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    column_property,
    mapped_column,
    registry,
    relationship,
)
from sqlmodel import Field, SQLModel

from fastbearer import PasswordHash
from fastbearer.accounts import SQLAlchemyUserStore, User
from fastbearer.errors import ConfigurationError
from servers import EACH
from wide_databases import Wide, wide_database

FIELDS = ("email", "password", "name")


def unreachable() -> Session:
    raise OSError("no database")


def base() -> Any:
    """Return a fresh base of declarative models."""

    class Base(DeclarativeBase):
        pass

    return Base


def member(**columns: Any) -> Any:
    """Return a declarative model ``Member`` with some columns more, or others."""
    usual = {
        "id": mapped_column(String(32), primary_key=True, default="1"),
        "email": mapped_column(String(254), unique=True),
        "password_hash": mapped_column(String(255)),
    }
    body = {"__tablename__": "member", **usual, **columns}
    return type("Member", (base(),), {k: v for k, v in body.items() if v is not None})


def required(length: int = 40, **options: Any) -> Any:
    return mapped_column(String(length), nullable=False, **options)


def check(model: Any, fields: tuple[str, ...] = FIELDS, sessions: Any = None) -> None:
    store = SQLAlchemyUserStore(model, sessions or unreachable)
    asyncio.run(store.check_fields(fields))


@pytest.fixture(params=EACH)
def wide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wide]:
    with wide_database(request.param, tmp_path) as database:
        yield database


# --- the class itself


def test_what_is_no_model() -> None:
    class Schema(SQLModel):
        id: int

    for thing in (Schema, int, "User", None):
        with pytest.raises(ConfigurationError, match="is no mapped class"):
            SQLAlchemyUserStore(thing, unreachable)  # type: ignore[arg-type]


def test_names_that_are_no_columns() -> None:
    class Odd(base()):
        __tablename__ = "odd"
        id: Mapped[int] = mapped_column(primary_key=True)
        mail: Mapped[str]
        password_hash: Mapped[str]
        lowered = column_property(func.lower(text("mail")))
        boss_id: Mapped[int | None] = mapped_column(ForeignKey("odd.id"))
        boss = relationship("Odd", remote_side=id)  # noqa: A003

        @hybrid_property
        def hybrid(self) -> str:
            return self.mail

        def is_enabled(self) -> bool:
            return False

    for name in ("lowered", "boss", "hybrid", "is_enabled"):
        with pytest.raises(
            ConfigurationError, match=rf"Odd\.{name} is no column of Odd's table 'odd'"
        ):
            SQLAlchemyUserStore(Odd, unreachable, email=name)
    with pytest.raises(ConfigurationError, match=r"no field mial: .* email=\.\.\."):
        SQLAlchemyUserStore(Odd, unreachable, email="mial")
    with pytest.raises(ConfigurationError, match="no field email, username or phone"):
        SQLAlchemyUserStore(Odd, unreachable)
    with pytest.raises(ConfigurationError, match="two users could have one id"):
        SQLAlchemyUserStore(Odd, unreachable, email="mail", id="boss_id")
    with pytest.raises(ConfigurationError, match="is_enabled is a method"):
        SQLAlchemyUserStore(Odd, unreachable, email="mail", is_active="is_enabled")


def test_a_relationship_by_a_default_name_is_none_of_ours() -> None:
    class Owner(base()):
        __tablename__ = "owner"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)
        password_hash: Mapped[str]
        roles: Mapped[list[Any]] = relationship("NotThereYet")
        tags: Mapped[list[Any]] = relationship("NotThereYet")
        phone: Mapped[list[Any]] = relationship("NorThis")

        @property
        def username(self) -> str:
            return self.email

    SQLAlchemyUserStore(Owner, unreachable)
    with pytest.raises(ConfigurationError, match=r"Owner\.tags is no column"):
        SQLAlchemyUserStore(Owner, unreachable, roles="tags")


def test_joined_inheritance() -> None:
    own = base()

    class Person(own):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    class Employee(Person):
        __tablename__ = "employee"
        id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
        password_hash: Mapped[str]

    with pytest.raises(ConfigurationError, match="a column of another table"):
        SQLAlchemyUserStore(Employee, unreachable)


@pytest.mark.parametrize(
    ("sessions", "told"),
    [
        (lambda request: None, "takes the argument request"),
        (42, "is no function"),
        (lambda: 42, "gives a int"),
    ],
)
def test_sessions_that_are_none(sessions: Any, told: str) -> None:
    def found() -> None:
        asyncio.run(SQLAlchemyUserStore(member(), sessions).find("1"))

    with pytest.raises(ConfigurationError, match=told):
        found()


def test_a_dependency_of_fastapi_alone() -> None:
    from fastapi import Depends

    def get_session(engine: Any = Depends(unreachable)) -> None: ...  # noqa: B008

    with pytest.raises(
        ConfigurationError, match="get_session takes the argument engin"
    ):
        SQLAlchemyUserStore(member(), get_session)


# --- fields of sign-up


def test_d1_a_field_that_the_model_has_not() -> None:
    with pytest.raises(ConfigurationError, match="Member has no column for it"):
        check(member(), (*FIELDS, "company"))
    check(member(company=required()), (*FIELDS, "company"))
    with pytest.raises(ConfigurationError, match="gives email, and Member has no"):
        check(member(email=None, username=required(30, unique=True)))


@pytest.mark.parametrize("nullable", [True, False])
def test_d1_a_column_that_gets_no_value(nullable: bool) -> None:
    model = member(company=mapped_column("firm", String(40), nullable=nullable))
    if nullable:
        check(model)
        return
    told = (
        r"Member\.company \(the column firm of the table 'member'\) must have a value"
    )
    with pytest.raises(ConfigurationError, match=told) as raised:
        check(model)
    assert "add company to the schema" in str(raised.value)


@pytest.mark.parametrize(
    "company",
    [
        required(default="none"),
        required(insert_default=lambda: "none"),
        required(server_default="none"),
        required(server_default=FetchedValue()),
    ],
)
def test_d1_a_column_that_fills_itself(company: Any) -> None:
    check(member(company=company))


def test_d1_rows_of_the_projects_own(tmp_path: Path) -> None:
    class Store(SQLAlchemyUserStore):
        def new_row(self, user: User) -> Any:
            row = super().new_row(user)
            row.company = user.given["invitation"].partition("-")[0]
            return row

    model = member(company=required())
    with wide_database("sqlite", tmp_path) as wide:
        wide.make(model.__table__)
        store = Store(model, wide.get_session)
        asyncio.run(store.check_fields((*FIELDS, "invitation")))
        user = User(email="ada@example.com", password_hash="x")
        user.give({"invitation": "Analytical-1"})
        asyncio.run(store.add(user))
        assert wide.run("SELECT company FROM member") == [("Analytical",)]


def test_d1_functions_that_fill_it() -> None:
    model = member(company=required())
    event.listen(model, "before_insert", lambda *_: None)
    check(model)


def test_d1_arguments_of_the_class() -> None:
    class Base(MappedAsDataclass, DeclarativeBase):
        pass

    class Member(Base):
        __tablename__ = "member"
        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        email: Mapped[str] = mapped_column(unique=True)
        password_hash: Mapped[str]
        company: Mapped[str | None]
        level: Mapped[int] = mapped_column(default=3)
        tags: Mapped[str] = mapped_column(default_factory=str)

    with pytest.raises(ConfigurationError, match="needs the argument company"):
        check(Member)
    check(Member, (*FIELDS, "company"))


def test_d1_a_model_of_sqlmodel() -> None:
    class Own(SQLModel, registry=registry()):
        pass

    class Member(Own, table=True):
        id: int | None = Field(default=None, primary_key=True)
        email: str = Field(unique=True)
        password_hash: str
        company: str
        level: int = 3
        secret: str = Field(default_factory=str)
        country: str | None = Field(default=None, nullable=False)

    with pytest.raises(ConfigurationError, match=r"Member\.company"):
        check(Member, (*FIELDS, "country"))
    with pytest.raises(ConfigurationError, match=r"Member\.country"):
        check(Member, (*FIELDS, "company"))
    check(Member, (*FIELDS, "company", "country"))


def test_d1_what_the_table_must_have(wide: Wide) -> None:
    """The table is the judge where it is there: the model may be behind it."""
    wide.run(
        "CREATE TABLE member (id VARCHAR(32) PRIMARY KEY, email VARCHAR(254) UNIQUE,"
        " password_hash VARCHAR(255), username VARCHAR(30) UNIQUE,"
        " company VARCHAR(40) NOT NULL, made INTEGER DEFAULT 7 NOT NULL)"
    )
    told = "the column company of the table 'member' must have a value, and Member"
    with pytest.raises(ConfigurationError, match=told):
        check(member(), sessions=wide.get_session)
    nullable = mapped_column(String(40), nullable=True)
    with pytest.raises(ConfigurationError, match=r"Member\.company"):
        check(member(company=nullable), sessions=wide.get_session)
    # Its constraint is there, and the model need not say so.
    fields = (*FIELDS, "company", "username")
    username = mapped_column(String(30))
    model = member(company=required(), username=username)
    check(model, fields, wide.get_session)


def test_a_name_must_be_unique(wide: Wide) -> None:
    wide.run(
        "CREATE TABLE member (id VARCHAR(32) PRIMARY KEY, email VARCHAR(254) UNIQUE,"
        " password_hash VARCHAR(255), username VARCHAR(30))"
    )
    fields = (*FIELDS, "username")
    username = mapped_column(String(30), unique=True)
    told = r"two users could have one username: Member\.username"
    with pytest.raises(ConfigurationError, match=told):
        check(member(username=username), fields, wide.get_session)
    with pytest.raises(ConfigurationError, match=told):
        check(member(username=mapped_column(String(30))), fields)
    wide.run("CREATE UNIQUE INDEX one ON member (username)")
    check(member(username=mapped_column(String(30))), fields, wide.get_session)


@pytest.mark.parametrize("wide", EACH[:2], indirect=True)
def test_a_name_that_is_unique_in_lower_case(wide: Wide) -> None:
    wide.run(
        "CREATE TABLE member (id VARCHAR(32) PRIMARY KEY, email VARCHAR(254) UNIQUE,"
        " password_hash VARCHAR(255), username VARCHAR(30))"
    )
    wide.run("CREATE UNIQUE INDEX one ON member (lower(username))")
    model = member(username=mapped_column(String(30)))
    if wide.kind == "sqlite":  # which does not say what such an index is of
        return
    check(model, (*FIELDS, "username"), wide.get_session)


# --- lengths


class Encoded(TypeDecorator[str]):
    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, _: Any) -> bytes | None:
        return None if value is None else value.encode()


HASHERS = {
    "argon2id": PasswordHash("argon2id"),
    "bcrypt": PasswordHash("bcrypt"),
    "scrypt": PasswordHash("scrypt"),
}


@pytest.mark.parametrize("scheme", HASHERS)
def test_d10_a_hash_column_that_is_too_short(scheme: str) -> None:
    length = len(HASHERS[scheme].hash("correct horse battery"))
    assert len(HASHERS[scheme].decoy()) == length

    def checked(kept: int) -> None:
        store = SQLAlchemyUserStore(
            member(password_hash=mapped_column(String(kept))), unreachable
        )
        asyncio.run(store.check_hash_length(length))

    checked(length)
    told = rf"Member\.password_hash .* keeps {length - 1} characters, and .* {length}"
    with pytest.raises(ConfigurationError, match=told):
        checked(length - 1)


def test_d10_a_hash_column_that_is_too_short_in_the_table(wide: Wide) -> None:
    wide.run("CREATE TABLE member (id INT, email INT, password_hash VARCHAR(60))")
    store = SQLAlchemyUserStore(member(), wide.get_session)
    asyncio.run(store.check_hash_length(60))
    with pytest.raises(ConfigurationError, match="keeps 60 characters"):
        asyncio.run(store.check_hash_length(97))


@pytest.mark.parametrize(
    "kind", [LargeBinary(), LargeBinary(255), VARBINARY(255), BYTEA(), LONGBLOB()]
)
def test_a_hash_column_of_bytes(kind: Any) -> None:
    model = member(password_hash=mapped_column(kind))
    store = SQLAlchemyUserStore(model, unreachable)
    with pytest.raises(
        ConfigurationError, match=r"Member\.password_hash .* keeps bytes"
    ):
        asyncio.run(store.check_hash_length(97))


def test_a_hash_column_that_is_declared_as_bytes() -> None:
    class Hashed(base()):
        __tablename__ = "hashed"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)
        password_hash: Mapped[bytes]

    store = SQLAlchemyUserStore(Hashed, unreachable)
    with pytest.raises(ConfigurationError, match="keeps bytes"):
        asyncio.run(store.check_hash_length(97))


def test_a_hash_column_that_the_table_keeps_as_bytes(wide: Wide) -> None:
    kind = "BYTEA" if wide.kind == "postgresql" else "BLOB"
    wide.run(f"CREATE TABLE member (id INT, email INT, password_hash {kind})")
    store = SQLAlchemyUserStore(member(), wide.get_session)
    encoded = SQLAlchemyUserStore(
        member(password_hash=mapped_column(Encoded())), wide.get_session
    )
    asyncio.run(encoded.check_hash_length(97))
    if wide.kind == "sqlite":  # a column takes what it is given
        asyncio.run(store.check_hash_length(97))
        return
    with pytest.raises(ConfigurationError, match="keeps bytes"):
        asyncio.run(store.check_hash_length(97))


def test_a_type_of_ones_own_may_make_bytes_of_texts() -> None:
    store = SQLAlchemyUserStore(
        member(password_hash=mapped_column(Encoded())), unreachable
    )
    asyncio.run(store.check_hash_length(97))


@pytest.mark.parametrize("kind", [CHAR(128), String(255)])
def test_d10_a_hash_that_comes_back_with_spaces(wide: Wide, kind: Any) -> None:
    wide.run(
        "CREATE TABLE member (id VARCHAR(32) PRIMARY KEY, email VARCHAR(254) UNIQUE,"
        " password_hash CHAR(128))"
    )
    model = member(password_hash=mapped_column(kind))
    store = SQLAlchemyUserStore(model, wide.get_session)
    asyncio.run(store.check_hash_length(97))
    hasher = PasswordHash("argon2id", time_cost=1, memory_cost=8, parallelism=1)
    stored = hasher.hash("correct horse battery")
    asyncio.run(store.add(User(email="ada@example.com", password_hash=stored)))
    user = asyncio.run(store.find_by_email("ada@example.com"))
    assert user is not None and user.password_hash == stored
    assert asyncio.run(store.replace_password_hash(user, "new"))
    assert not asyncio.run(store.replace_password_hash(user, "newer"))


def test_a_space_at_the_end_of_another_column_stays(tmp_path: Path) -> None:
    with wide_database("sqlite", tmp_path) as wide:
        wide.make(member().__table__)
        wide.run("INSERT INTO member VALUES ('1', 'ada@example.com', 'x ')")
        store = SQLAlchemyUserStore(member(), wide.get_session)
        user = asyncio.run(store.find("1"))
        assert user is not None and user.password_hash == "x "


def test_d10_an_email_column_that_is_short(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check(member())
        assert "keeps" not in caplog.text
        check(member(email=mapped_column(String(100), unique=True)))
    assert "keeps 100 characters, and a valid email has up to 254" in caplog.text


def test_an_email_column_that_is_not_unique(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check(member(email=mapped_column(String(254))))
        assert "two users could have one email" in caplog.text
        caplog.clear()
        index = Index("one", "email", unique=True)
        check(member(email=mapped_column(String(254)), __table_args__=(index,)))
    assert "two users" not in caplog.text


def test_a_table_that_cannot_be_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check(member(removed=mapped_column(DateTime, nullable=True)))
    assert "'member' cannot be looked at: StoreUnavailableError" in caplog.text
