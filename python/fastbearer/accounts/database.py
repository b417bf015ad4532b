"""One database: its engine, its tables, and sessions on it."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, exc, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts.migrations import ACCOUNTS, Migrations
from fastbearer.errors import ConfigurationError, StoreUnavailableError

__all__ = ["Database", "is_passing"]

EXAMPLE_URL = "sqlite+aiosqlite:///./fastbearer.db"
BAD_URL = (
    f"DATABASE_URL must be an SQLAlchemy URL with an async driver, like {EXAMPLE_URL}"
)
NO_DRIVER = (
    "the database driver that DATABASE_URL names is not installed; for PostgreSQL: "
    'pip install "fastbearer[postgres]"'
)
UNREACHABLE = "the database of DATABASE_URL cannot be opened"
NOT_MIGRATED = (
    "the tables in the database of DATABASE_URL are missing, or of another version: "
    "run `fastbearer migrate`"
)

SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",  # milliseconds; first, for the next one may wait
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not block each other
    "PRAGMA foreign_keys = ON",
)


POSTGRESQL_DRIVER = "postgresql+asyncpg"
POSTGRESQL_OPTIONS = {
    "pool_size": 10,
    "max_overflow": 10,
    "pool_timeout": 5,  # seconds to wait for a connection
    "pool_pre_ping": True,  # after a restart of the server, none is stale
    "connect_args": {"timeout": 5, "command_timeout": 30},  # seconds
}
UNAVAILABLE_STATES = ("08", "40", "53", "57")
"""SQLSTATE classes of what another try may not meet: lost connections, lost
races, too few resources, a server that stops or starts."""

SQLITE_UNAVAILABLE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)


class Database:
    """A database that is open while the application runs.

    Args:
        url: Gives the SQLAlchemy URL; asked when the database is opened. For
            PostgreSQL it need not name a driver.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._migrations = [ACCOUNTS]
        self._sessions: async_sessionmaker[AsyncSession] | None = None

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
        try:
            async with self._sessions.begin() as session:
                yield session
        except (exc.SQLAlchemyError, OSError) as error:
            if not is_passing(error):
                raise
            raise StoreUnavailableError("the database cannot be reached") from error

    async def _upgrade(self, engine: AsyncEngine) -> None:
        try:
            async with engine.connect() as connection:
                connection = await connection.execution_options(
                    isolation_level="AUTOCOMMIT"
                )
                for migrations in self._migrations:
                    await connection.run_sync(migrations.upgrade)
        except (exc.SQLAlchemyError, OSError) as error:
            raise ConfigurationError(UNREACHABLE) from error

    async def _check(self, engine: AsyncEngine) -> None:
        try:
            async with engine.connect() as connection:
                checks = [
                    await connection.run_sync(migrations.is_current)
                    for migrations in self._migrations
                ]
        except (exc.SQLAlchemyError, OSError) as error:
            raise ConfigurationError(UNREACHABLE) from error
        if not all(checks):
            raise ConfigurationError(NOT_MIGRATED)


def is_passing(error: Exception) -> bool:
    """Tell whether an error says something of the moment, not of the work."""
    if isinstance(error, (OSError, exc.InterfaceError, exc.TimeoutError)):
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode & 0xFF in SQLITE_UNAVAILABLE
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state.startswith(UNAVAILABLE_STATES)


def _engine(url: str) -> AsyncEngine:
    try:
        parsed = _with_driver(make_url(url))
        # An error must not show its parameters: password hashes are among them.
        engine = create_async_engine(
            parsed, hide_parameters=True, **_pool_options(parsed)
        )
    except (exc.ArgumentError, exc.InvalidRequestError, ValueError):
        raise ConfigurationError(BAD_URL) from None
    except ImportError:
        raise ConfigurationError(NO_DRIVER) from None
    if engine.dialect.name == "sqlite":
        _try_file(parsed)
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _with_driver(url: URL) -> URL:
    is_plain = url.drivername in ("postgres", "postgresql")
    return url.set(drivername=POSTGRESQL_DRIVER) if is_plain else url


def _pool_options(url: URL) -> dict[str, Any]:
    """Return the pool's options; one connection for a database that lives in it."""
    if url.drivername == POSTGRESQL_DRIVER:
        return POSTGRESQL_OPTIONS
    if url.get_backend_name() != "sqlite" or not _is_in_memory(url):
        return {}
    return {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}


def _is_in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")


def _try_file(url: URL) -> None:
    """Fail here where the file cannot be opened.

    Later, aiosqlite would leave a thread behind that reports to an event loop
    which the failed start has closed.
    """
    if url.database is None or _is_in_memory(url) or "uri" in url.query:
        return
    try:
        sqlite3.connect(url.database).close()
    except sqlite3.Error as error:
        raise ConfigurationError(UNREACHABLE) from error


def _set_pragmas(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
