"""Engines: their drivers, pools and time-outs, and what their errors say."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from fastbearer.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = [
    "is_in_memory",
    "is_passing",
    "open_engine",
    "parsed_url",
    "sql_outages",
]

EXAMPLE_URL = "sqlite+aiosqlite:///./fastbearer.db"
BAD_URL = f"{{}} must be an SQLAlchemy URL with an async driver, like {EXAMPLE_URL}"
NO_DRIVER = (
    "the database driver that {} names is not installed; for PostgreSQL: "
    'pip install "fastbearer[postgres]"'
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


def parsed_url(url: str, name: str) -> URL:
    """Return a URL, with the driver for PostgreSQL if it names none.

    Args:
        url: SQLAlchemy's; ``postgres:`` is taken too.
        name: What an error calls it.

    Raises:
        ConfigurationError: It is none. The message shows no part of it.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigurationError(BAD_URL.format(name)) from None
    is_plain = parsed.drivername in ("postgres", "postgresql")
    return parsed.set(drivername=POSTGRESQL_DRIVER) if is_plain else parsed


def open_engine(url: URL, name: str, pragmas: Sequence[str]) -> AsyncEngine:
    """Return an engine; nothing is connected yet.

    Args:
        url: As `parsed_url` gives it.
        name: What an error calls it.
        pragmas: What every connection to an SQLite file says first.

    Raises:
        ConfigurationError: The driver is not there, or is not for asyncio.
    """
    try:
        # An error must not show its parameters: password hashes are among them.
        engine = create_async_engine(url, hide_parameters=True, **_pool_options(url))
    except (exc.ArgumentError, exc.InvalidRequestError, ValueError):
        raise ConfigurationError(BAD_URL.format(name)) from None
    except ImportError:
        raise ConfigurationError(NO_DRIVER.format(name)) from None

    def set_pragmas(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", set_pragmas)
    return engine


def is_in_memory(url: URL) -> bool:
    """Tell whether a URL of SQLite names no file."""
    return url.database in (None, "", ":memory:")


def _pool_options(url: URL) -> dict[str, Any]:
    """Return the pool's options; one connection for a database that lives in it."""
    if url.drivername == POSTGRESQL_DRIVER:
        return POSTGRESQL_OPTIONS
    if url.get_backend_name() != "sqlite" or not is_in_memory(url):
        return {}
    return {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0}


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


@contextmanager
def sql_outages() -> Iterator[None]:
    """Turn what says something of the moment into our error; the rest stays.

    Raises:
        StoreUnavailableError: The database cannot be reached, or is too busy.
    """
    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        if not is_passing(error):
            raise
        raise StoreUnavailableError("the database cannot be reached") from error
