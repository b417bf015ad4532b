"""Models and sessions as projects have them: each kind of SQLAlchemy's and SQLModel's.

A model has its fields under names of the project's own, and something that gets in the
way of those who take them for plain ones: a relationship that is loaded with its user,
columns that the database or the class fills.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlmodel
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
)
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    mapped_column,
    registry,
    relationship,
    sessionmaker,
    synonym,
)
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelAsyncSession

from fastbearer.accounts import SQLAlchemyUserStore
from servers import own_database

NAMES = {
    "id": "uid",
    "email": "mail",
    "password_hash": "secret",
    "name": "full_name",
    "username": "login",
    "phone": "mobile",
    "email_verified": "confirmed",
    "is_active": "enabled",
    "roles": "groups",
    "deleted_at": "removed_at",
}
"""What the models here call the fields of a user."""


class Base(DeclarativeBase):
    """Of the declarative model."""


class Declared(Base):
    """A declarative model; its table's columns have yet other names."""

    __tablename__ = "declared"
    uid: Mapped[uuid.UUID] = mapped_column("key", primary_key=True, default=uuid.uuid4)
    mail: Mapped[str | None] = mapped_column("e_mail", String(254), unique=True)
    digest: Mapped[str] = mapped_column("pwd", String(255))
    secret = synonym("digest")
    full_name: Mapped[str | None]
    login: Mapped[str | None] = mapped_column(String(30), unique=True)
    mobile: Mapped[str | None] = mapped_column(String(16), unique=True)
    confirmed: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool] = mapped_column(default=True)
    groups: Mapped[str] = mapped_column(String(100), default="")
    removed_at: Mapped[Any] = mapped_column(DateTime(timezone=True), nullable=True)
    company: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[Any] = mapped_column(DateTime, server_default=func.now())
    notes: Mapped[list[Note]] = relationship(
        lazy="joined", cascade="all, delete-orphan"
    )


class Note(Base):
    """What belongs to a user of the declarative model."""

    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[uuid.UUID] = mapped_column(ForeignKey("declared.key"))


class DataBase(MappedAsDataclass, DeclarativeBase):
    """Of the model that is a dataclass."""


class Data(DataBase):
    """A model whose constructor has its own say."""

    __tablename__ = "data"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012
    uid: Mapped[int] = mapped_column(primary_key=True, init=False)
    mail: Mapped[str] = mapped_column(String(254), unique=True)
    secret: Mapped[str] = mapped_column(String(255), repr=False)
    company: Mapped[str] = mapped_column(String(40))
    full_name: Mapped[str | None] = mapped_column(default=None)
    login: Mapped[str | None] = mapped_column(String(30), unique=True, default=None)
    mobile: Mapped[str | None] = mapped_column(String(16), unique=True, default=None)
    confirmed: Mapped[bool] = mapped_column(default=False, init=False)
    enabled: Mapped[bool] = mapped_column(default=True)
    groups: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    removed_at: Mapped[Any] = mapped_column(
        DateTime(timezone=True), nullable=True, default=None
    )


class Plain:
    """A class that knows nothing of databases."""


IMPERATIVE = MetaData()
registry(metadata=IMPERATIVE).map_imperatively(
    Plain,
    Table(
        "plain",
        IMPERATIVE,
        Column("uid", String(32), primary_key=True, default=lambda: uuid.uuid4().hex),
        Column("mail", String(254), unique=True, nullable=False),
        Column("secret", String(255), nullable=False),
        Column("full_name", String(255), nullable=False),
        Column("login", String(30), unique=True),
        Column("mobile", String(16), unique=True),
        Column("confirmed", Boolean, nullable=False, server_default="0"),
        Column("enabled", Boolean, nullable=False, default=True),
        Column("groups", String(100)),
        Column("removed_at", DateTime(timezone=True)),
        Column("company", String(40), nullable=False),
    ),
)


class OfSQLModel(sqlmodel.SQLModel, registry=registry()):
    """Base of SQLModel's, apart from those of other tests."""


class Modelled(OfSQLModel, table=True):
    """A model of SQLModel's."""

    __table_args__ = {"sqlite_autoincrement": True}
    uid: int | None = sqlmodel.Field(default=None, primary_key=True)
    mail: str = sqlmodel.Field(unique=True, max_length=254)
    secret: str = sqlmodel.Field(max_length=255)
    full_name: str | None = None
    login: str | None = sqlmodel.Field(default=None, unique=True, max_length=30)
    mobile: str | None = sqlmodel.Field(default=None, unique=True, max_length=16)
    confirmed: bool = False
    enabled: bool = True
    groups: list[str] = sqlmodel.Field(default_factory=list, sa_type=JSON)
    removed_at: Any = sqlmodel.Field(
        default=None, sa_type=DateTime(timezone=True), nullable=True
    )
    company: str = sqlmodel.Field(max_length=40)


MODELS: list[Any] = [Declared, Data, Plain, Modelled]

T = TypeVar("T")
Sessions = Callable[[], Any]


class Engines:
    """A project's database, and its engines.

    Args:
        url: SQLite's or PostgreSQL's, without a driver.

    Attributes:
        is_sqlite: Whether it is SQLite's.
        sync: For sessions in threads.
        asynchronous: For the others.
    """

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition(":")
        self.is_sqlite = scheme == "sqlite"
        here = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[scheme]
        there = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
        self.sync: Engine = create_engine(f"{here}:{rest}")
        self.asynchronous = create_async_engine(f"{there[scheme]}:{rest}")
        if self.is_sqlite:
            for engine in (self.sync, self.asynchronous.sync_engine):
                event.listen(engine, "connect", _with_foreign_keys)

    def make(self, *tables: Any) -> None:
        """Make tables, of models or as they are, with what they refer to."""
        for one in tables:
            table = one if isinstance(one, Table) else one.__table__
            table.metadata.create_all(self.sync)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work in an event loop; no connection outlives it."""

        async def done() -> T:
            try:
                return await work
            finally:
                await self.asynchronous.dispose()

        try:
            return asyncio.run(done())
        finally:
            self.sync.dispose()

    def run(self, statement: str) -> Any:
        with self.sync.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return result.fetchall() if result.returns_rows else None


@contextmanager
def engines_on(kind: str, folder: Path, *tables: Any) -> Iterator[Engines]:
    """Give a database of a project's own, with its tables.

    Args:
        kind: ``sqlite``, or a server's.
        folder: Where SQLite's file is.
        tables: As in `Engines.make`.
    """
    with ExitStack() as stack:
        if kind == "sqlite":
            engines = Engines(f"sqlite:///{folder}/own.db")
        else:
            engines = Engines(stack.enter_context(own_database()))
        stack.callback(engines.sync.dispose)
        engines.make(*tables)
        yield engines


def _with_foreign_keys(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def sync_dependency(engines: Engines) -> Sessions:
    def get_session() -> Iterator[Session]:
        with Session(engines.sync) as session:
            yield session

    return get_session


def sqlmodel_dependency(engines: Engines) -> Sessions:
    def get_session() -> Iterator[sqlmodel.Session]:
        with sqlmodel.Session(engines.sync) as session:
            yield session

    return get_session


def async_dependency(engines: Engines) -> Sessions:
    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engines.asynchronous) as session:
            yield session

    return get_session


def sqlmodel_async_dependency(engines: Engines) -> Sessions:
    async def get_session() -> AsyncIterator[SQLModelAsyncSession]:
        async with SQLModelAsyncSession(engines.asynchronous) as session:
            yield session

    return get_session


def maker(engines: Engines) -> Sessions:
    return sessionmaker(engines.sync)


def async_maker(engines: Engines) -> Sessions:
    return async_sessionmaker(engines.asynchronous)


def committing(engines: Engines) -> Sessions:
    """A dependency whose end commits, in a block that has begun."""

    def get_session() -> Iterator[Session]:
        with sessionmaker(engines.sync).begin() as session:
            yield session

    return get_session


def async_committing(engines: Engines) -> Sessions:
    async def get_session() -> AsyncIterator[AsyncSession]:
        async with async_sessionmaker(engines.asynchronous).begin() as session:
            yield session

    return get_session


def committing_late(engines: Engines) -> Sessions:
    """A dependency that commits what its routes have left."""

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engines.asynchronous) as session:
            yield session
            await session.commit()

    return get_session


def rolling_back(engines: Engines) -> Sessions:
    """A dependency that keeps errors to itself, and rolls back in the end."""

    def get_session() -> Iterator[Session]:
        session = Session(engines.sync, autobegin=False)
        try:
            yield session
        except Exception:
            session.rollback()
        finally:
            session.rollback()
            session.close()

    return get_session


def async_rolling_back(engines: Engines) -> Sessions:
    async def get_session() -> AsyncIterator[AsyncSession]:
        session = AsyncSession(engines.asynchronous)
        try:
            yield session
        except Exception:
            await session.rollback()
        finally:
            await session.rollback()
            await session.close()

    return get_session


def mixed(engines: Engines) -> Sessions:
    """An async function that gives a session for threads."""

    async def get_db() -> AsyncIterator[Session]:
        session = Session(engines.sync)
        try:
            yield session
        finally:
            session.close()

    return get_db


def managers(engines: Engines) -> Sessions:
    return contextmanager(sync_dependency(engines))


def async_managers(engines: Engines) -> Sessions:
    return asynccontextmanager(async_dependency(engines))


def plain(engines: Engines) -> Sessions:
    return lambda: Session(engines.sync)


def coroutine(engines: Engines) -> Sessions:
    async def get_session() -> AsyncSession:
        return AsyncSession(engines.asynchronous, expire_on_commit=False)

    return get_session


def lasting(engines: Engines) -> Sessions:
    """A dependency that gives one session again and again."""
    session = Session(engines.sync)

    def get_session() -> Iterator[Session]:
        yield session

    return get_session


DEPENDENCIES = [
    sync_dependency,
    sqlmodel_dependency,
    async_dependency,
    sqlmodel_async_dependency,
    maker,
    async_maker,
    committing,
    async_committing,
    committing_late,
    rolling_back,
    async_rolling_back,
    mixed,
    managers,
    async_managers,
    plain,
    coroutine,
    lasting,
]


def store_of(model: Any, sessions: Sessions) -> SQLAlchemyUserStore:
    return SQLAlchemyUserStore(model, sessions, **NAMES)
