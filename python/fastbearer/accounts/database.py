"""One database: its engine, its tables, and sessions on it."""

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement, exc, inspect, text, update
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts.migrations import ACCOUNTS, Migrations, UnknownStepError
from fastbearer.connections.engine import (
    is_in_memory,
    open_engine,
    parsed_url,
    sql_outages,
)
from fastbearer.connections.libpq import is_pooled
from fastbearer.connections.pooler import MISTAKEN, is_mistaken
from fastbearer.connections.reasons import NO_FILE, refuse_unopened
from fastbearer.errors import ConfigurationError

__all__ = ["Database", "update_row"]

Model = TypeVar("Model")

NAME = "DATABASE_URL"
SUBJECT = f"the database of {NAME}"
NOT_MIGRATED = (
    "the tables in the database of DATABASE_URL are missing, or of another version: "
    "run `fastbearer migrate`"
)
TOO_NEW = (
    "the tables in the database of DATABASE_URL are of another version, a later one: "
    "install the fastbearer that made them, or a newer one"
)

PRIVATE = 0o600
"""The mode of an SQLite file: password hashes are in it."""

SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",  # milliseconds; first, for the next one may wait
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not block each other
    "PRAGMA foreign_keys = ON",
)


_together: ContextVar[tuple["Database", AsyncSession] | None] = ContextVar(
    "together", default=None
)


class Database:
    """A database that is open while the application runs.

    Args:
        url: Gives the SQLAlchemy URL; asked when the database is opened. For
            PostgreSQL, MariaDB and MySQL it need not name a driver.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._migrations = [ACCOUNTS]
        self._sessions: async_sessionmaker[AsyncSession] | None = None

    @property
    def is_pooled(self) -> bool:
        """Whether PgBouncer stands before it: then nobody is notified of anything.

        Raises:
            ConfigurationError: The URL is unfit.
        """
        return is_pooled(parsed_url(self._url(), NAME))

    def add(self, migrations: Migrations) -> None:
        """Let the database have more tables than those of the accounts."""
        if migrations not in self._migrations:
            self._migrations.append(migrations)

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date.

        Raises:
            ConfigurationError: As in ``lifespan``.
        """
        engine = _engine(self._url())
        try:
            await self._upgrade(engine)
        finally:
            await engine.dispose()

    async def check(self) -> None:
        """Judge whether it answers with tables that are up to date; change nothing.

        Raises:
            ConfigurationError: As in ``lifespan``.
        """
        engine = open_engine(parsed_url(self._url(), NAME), NAME, ())
        try:
            await self._check(engine)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Open the database, and close it.

        In SQLite, which is embedded, the tables are created or brought up to
        date. Elsewhere ``fastbearer migrate`` does that.

        Several routers may share a database: the outermost lifespan opens and
        closes it, those within find it open.

        Raises:
            ConfigurationError: The URL is unfit, nothing answers there, or the
                tables are not up to date. The message shows no part of the
                URL.
        """
        if self._sessions is not None:
            yield
            return
        engine = _engine(self._url())
        try:
            if engine.dialect.name == "sqlite":
                await self._upgrade(engine)
            else:
                await self._check(engine)
            self._sessions = async_sessionmaker(
                engine, class_=AsyncSession, expire_on_commit=False
            )
            yield
        finally:
            self._sessions = None
            await engine.dispose()

    @property
    def backend(self) -> str:
        """What kind of database it is: "sqlite", "postgresql", "mysql".

        Raises:
            ConfigurationError: The URL is unfit.
        """
        return parsed_url(self._url(), NAME).get_backend_name()

    @property
    def is_open(self) -> bool:
        """Whether its lifespan runs."""
        return self._sessions is not None

    async def ping(self) -> None:
        """Ask the database something.

        Raises:
            StoreUnavailableError: It does not answer.
        """
        async with self.transaction() as session:
            await (await session.connection()).execute(text("SELECT 1"))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose work is committed at the end, or not at all.

        Raises:
            StoreUnavailableError: The database cannot be reached or is too
                busy. Where that happened to the commit itself, it is not known
                whether the work is stored.
            RuntimeError: The application's lifespan has not run.
        """
        if self._sessions is None:
            raise RuntimeError(
                "the database is not open: it opens in the lifespan of the "
                "application that includes the router"
            )
        joined = _together.get()
        with sql_outages():
            if joined is not None and joined[0] is self:
                async with joined[1].begin_nested():
                    yield joined[1]
                return
            async with self._sessions.begin() as session:
                yield session

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Let the transactions within be one: all that they do is stored, or nothing.

        Nobody else does so at the same time in SQLite, which has one writer.

        Raises:
            StoreUnavailableError: As in `transaction`.
        """
        async with self.transaction() as session:
            connection = await session.connection()
            if connection.dialect.name == "sqlite":
                # Its driver begins one before the first change only: too late for
                # savepoints, which would be transactions of their own.
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            token = _together.set((self, session))
            try:
                yield
            finally:
                _together.reset(token)

    async def _upgrade(self, engine: AsyncEngine) -> None:
        async with _opened(engine) as connection:
            connection = await connection.execution_options(
                isolation_level="AUTOCOMMIT"
            )
            for migrations in self._migrations:
                await connection.run_sync(migrations.upgrade)

    async def _check(self, engine: AsyncEngine) -> None:
        async with _opened(engine) as connection:
            checks = [
                await connection.run_sync(migrations.is_current)
                for migrations in self._migrations
            ]
        if not all(checks):
            raise ConfigurationError(NOT_MIGRATED)


@asynccontextmanager
async def _opened(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection for the tables; say why where there can be none.

    Raises:
        ConfigurationError: The database cannot be opened, or its tables are of a later
            version.
    """
    try:
        async with engine.connect() as connection:
            yield connection
    except UnknownStepError:
        raise ConfigurationError(TOO_NEW) from None
    except (exc.SQLAlchemyError, OSError) as error:
        if is_mistaken(error):
            raise ConfigurationError(MISTAKEN) from None
        refuse_unopened(error, SUBJECT)


async def update_row(
    session: AsyncSession,
    row: tuple[type[Model], str],
    values: Mapping[str, Any],
    *conditions: ColumnElement[bool],
) -> Model | None:
    """Change a row, and return it as it is then; None if there is no such row.

    The row is locked until the end of the transaction, so that of several who want to
    change it at a time only one meets the conditions.

    Args:
        session: In a transaction.
        row: The table, and the ``id`` of the row.
        values: Column -> value.
        conditions: What must be true of it as well.
    """
    model, key = row
    is_it = inspect(model).primary_key[0] == key
    statement = update(model).where(is_it, *conditions).values(values)
    if (await session.connection()).dialect.update_returning:
        returned = await session.exec(statement.returning(model))
        changed: Model | None = returned.scalar_one_or_none()
        return changed
    # MariaDB and MySQL count rows that were found, changed or not.
    if (await session.exec(statement)).rowcount != 1:
        return None
    return (await session.exec(select(model).where(is_it))).one()


def _engine(url: str) -> AsyncEngine:
    parsed = parsed_url(url, NAME)
    engine = open_engine(parsed, NAME, SQLITE_PRAGMAS)
    if engine.dialect.name == "sqlite":
        _try_file(parsed)
    return engine


def _try_file(url: URL) -> None:
    """Make the file, for its owner alone; fail here where it cannot be opened.

    Later, aiosqlite would leave a thread behind that reports to an event loop
    which the failed start has closed.
    """
    file = _file(url)
    if file is None:
        return
    try:
        _make_private(file)
        sqlite3.connect(file).close()
    except OSError:
        raise ConfigurationError(f"{SUBJECT} cannot be opened: {NO_FILE}") from None
    except sqlite3.Error as error:
        refuse_unopened(error, SUBJECT)


def _file(url: URL) -> str | None:
    """Return the file that a URL of SQLite names, if SQLite may make it."""
    if url.database is None or is_in_memory(url):
        return None
    if "uri" not in url.query:
        return url.database
    mode = url.query.get("mode", "rwc")
    parts = urlsplit(url.database)
    return unquote(parts.path) if parts.scheme == "file" and mode == "rwc" else None


def _make_private(file: str) -> None:
    """Make a file that only its owner reads; one that is there stays as it is.

    It is made with that mode, whatever the umask, so that there is no moment at
    which others could open it. SQLite gives the files beside it (``-wal``,
    ``-shm``, ``-journal``) the same mode.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(file), flags, PRIVATE))
