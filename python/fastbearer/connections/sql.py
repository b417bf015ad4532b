"""A database whose tables another program makes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastbearer.connections.engine import (
    is_in_memory,
    open_engine,
    parsed_url,
    sql_outages,
)
from fastbearer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Connections"]

NOT_READ = "{}: Better Auth's tables are read in PostgreSQL and SQLite, not in MySQL"

SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",  # milliseconds
    "PRAGMA foreign_keys = ON",
)


class Connections:
    """Connections to a database, made when they are needed.

    Tables are neither made nor changed, nor is an SQLite file: its journal mode
    stays what it is, and where there is no file there will be none.

    Args:
        url: SQLAlchemy's, with an async driver; for PostgreSQL it need not name one.
        name: What an error calls it.
        can_write: Whether SQLite may be told to write; who may in PostgreSQL, its
            grants say.

    Raises:
        ConfigurationError: The URL is unfit, or that of MariaDB or MySQL.
    """

    def __init__(self, url: str, name: str, *, can_write: bool) -> None:
        parsed = parsed_url(url, name)
        if parsed.get_backend_name() == "mysql":
            raise ConfigurationError(NOT_READ.format(name))
        pragmas = (*SQLITE_PRAGMAS, *(() if can_write else ("PRAGMA query_only = ON",)))
        self._engine = open_engine(_existing(parsed), name, pragmas)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for single queries: each is a transaction of its own.

        Raises:
            StoreUnavailableError: The database cannot be reached, or is too busy.
        """
        with sql_outages(is_reading=True):
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose work is committed at the end, or not at all.

        Raises:
            StoreUnavailableError: As in `reading`. Where that happened to the commit
                itself, it is not known whether the work is stored.
        """
        with sql_outages():
            async with self._engine.begin() as connection:
                yield connection

    async def aclose(self) -> None:
        """Close the connections; they open again when needed."""
        await self._engine.dispose()


def _existing(url: URL) -> URL:
    """Return a URL that makes no SQLite file where there is none.

    It is opened for writing even where nothing is written: what a program that died
    has left half done, SQLite rolls back first.
    """
    if url.get_backend_name() != "sqlite" or is_in_memory(url) or "uri" in url.query:
        return url
    file = f"file:{quote(url.database or '')}"
    return url.set(database=file).update_query_dict({"mode": "rw", "uri": "true"})
