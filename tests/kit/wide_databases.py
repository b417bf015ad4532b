"""Databases that hold more texts to be equal than Python does.

A collation of each kind joins what differs only in case or in accents, as MariaDB's
default does, and ICU's of the first level.
"""

from __future__ import annotations

import asyncio
import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlalchemy import Table, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from fastbearer.accounts import Accounts
from mariadb_kit import own_mariadb
from servers import own_database

ICU = (
    "CREATE COLLATION wide"
    " (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
)


def folded(written: str) -> str:
    """Return a text without case and accents."""
    split = unicodedata.normalize("NFKD", written.casefold())
    return "".join(c for c in split if not unicodedata.combining(c)).casefold()


class Wide:
    """A database of a project, and the dependency that gives its sessions.

    Attributes:
        collation: What to call the collation in a column's type.
        url: Of the database.
        get_session: As a project has it for FastAPI's ``Depends``.
    """

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.collation = "utf8mb4_general_ci" if kind == "mariadb" else "wide"
        self.url = url
        self._engine: Any
        if kind == "postgresql":
            asynchronous = url.replace("postgresql:", "postgresql+asyncpg:")
            self._engine = create_async_engine(asynchronous, poolclass=NullPool)
            self.get_session: Callable[[], Any] = self._asynchronously
        else:
            self._engine = create_engine(url, poolclass=NullPool)
            if kind == "sqlite":
                event.listen(self._engine, "connect", _make_wide)
            self.get_session = self._synchronously

    def make(self, table: Table) -> None:
        """Make a table."""
        self.do(lambda connection: table.create(connection))

    def run(self, statement: str, **values: Any) -> list[Any]:
        """Take a statement, and return its rows if it has any."""

        def run(connection: Any) -> list[Any]:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

        found: list[Any] = self.do(run)
        return found

    def do(self, work: Callable[[Any], Any]) -> Any:
        """Do some work on a connection, in one transaction."""
        if isinstance(self._engine, Engine):
            with self._engine.begin() as connection:
                return work(connection)
        return asyncio.run(self._done(work))

    async def _done(self, work: Callable[[Any], Any]) -> Any:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    def _synchronously(self) -> Iterator[Session]:
        with Session(self._engine) as session:
            yield session

    async def _asynchronously(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self._engine) as session:
            yield session


def _make_wide(connection: sqlite3.Connection, _: object) -> None:
    def order(one: str, other: str) -> int:
        left, right = folded(one), folded(other)
        return (left > right) - (left < right)

    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_collation("wide", order)
    connection.create_function("lower", 1, folded, deterministic=True)


@contextmanager
def wide_database(kind: str, folder: Path) -> Iterator[Wide]:
    """Give an empty database of a kind."""
    if kind == "sqlite":
        yield Wide(kind, f"sqlite:///{folder}/wide.db")
    elif kind == "mariadb":
        with own_mariadb() as url:
            yield Wide(kind, url.replace("mysql:", "mysql+pymysql:"))
    else:
        with own_database() as url:
            wide = Wide(kind, url)
            wide.run(ICU)
            yield wide


@asynccontextmanager
async def client_of(accounts: Accounts) -> AsyncIterator[httpx2.AsyncClient]:
    """Run accounts in this event loop, and give a client of theirs."""
    app = FastAPI()
    app.include_router(accounts.router)
    transport = httpx2.ASGITransport(app)
    async with app.router.lifespan_context(app):
        base = "http://test/api/auth/"
        async with httpx2.AsyncClient(transport=transport, base_url=base) as client:
            yield client
