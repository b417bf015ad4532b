"""One database: its engine, its tables, and sessions on it."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import MetaData, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts.models import Record
from fastbearer.errors import ConfigurationError

__all__ = ["Database"]

EXAMPLE_URL = "sqlite+aiosqlite:///./fastbearer.db"
BAD_URL = (
    f"DATABASE_URL must be an SQLAlchemy URL with an async driver, like {EXAMPLE_URL}"
)
NO_DRIVER = "the database driver that DATABASE_URL names is not installed"
UNREACHABLE = "the database of DATABASE_URL cannot be opened"

SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",  # milliseconds; first, for the next one may wait
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not block each other
    "PRAGMA foreign_keys = ON",
)


class Database:
    """A database that is open while the application runs.

    Args:
        url: Gives the SQLAlchemy URL; asked when the database is opened.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._sessions: async_sessionmaker[AsyncSession] | None = None

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Open the database, creating the tables it lacks, and close it.

        Several routers may share a database: the outermost lifespan opens and
        closes it, those within find it open.

        Raises:
            ConfigurationError: The URL is unfit, or nothing answers there. The
                message shows no part of the URL.
        """
        if self._sessions is not None:
            yield
            return
        engine = _engine(self._url())
        try:
            await _create_missing_tables(engine, Record.metadata)
            self._sessions = async_sessionmaker(
                engine, class_=AsyncSession, expire_on_commit=False
            )
            yield
        finally:
            self._sessions = None
            await engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose work is committed at the end, or not at all.

        Raises:
            RuntimeError: The application's lifespan has not run.
        """
        if self._sessions is None:
            raise RuntimeError(
                "the database is not open: it opens in the lifespan of the "
                "application that includes the router"
            )
        async with self._sessions.begin() as session:
            yield session


def _engine(url: str) -> AsyncEngine:
    try:
        parsed = make_url(url)
        # An error must not show its parameters: password hashes are among them.
        engine = create_async_engine(
            parsed, hide_parameters=True, **_pool_options(parsed)
        )
    except (ArgumentError, InvalidRequestError, ValueError):
        raise ConfigurationError(BAD_URL) from None
    except ImportError:
        raise ConfigurationError(NO_DRIVER) from None
    if engine.dialect.name == "sqlite":
        _try_file(parsed)
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _pool_options(url: URL) -> dict[str, Any]:
    """Keep transactions apart in a database that lives in one connection."""
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


async def _create_missing_tables(engine: AsyncEngine, metadata: MetaData) -> None:
    """Create what is missing, even while another process does the same."""
    try:
        async with engine.begin() as connection:
            for table in metadata.sorted_tables:
                await connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    await connection.execute(CreateIndex(index, if_not_exists=True))
    except (SQLAlchemyError, OSError) as error:
        raise ConfigurationError(UNREACHABLE) from error
