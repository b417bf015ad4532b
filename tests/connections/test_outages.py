"""Databases that are there and refuse: outages, unless it is the work that is wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fastbearer import ConfigurationError
from fastbearer.accounts import Database
from fastbearer.better_auth.api_keys.sql import SQLAPIKeys
from fastbearer.better_auth.sql import SQLSessions
from fastbearer.connections.engine import (
    is_passing,
    open_engine,
    parsed_url,
    sql_outages,
)
from fastbearer.connections.sql import Connections
from fastbearer.errors import StoreUnavailableError
from mariadb_kit import ask_mariadb, mariadb, own_mariadb
from own_roles import REFUSALS, Role, own_role
from servers import own_database

DRIVERS = ("asyncpg", "psycopg")
FUNCTION = """
CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN RAISE no_data_found; END'
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER no AFTER INSERT ON t INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION pg_temp.no()
"""
FILL = "INSERT INTO t VALUES (1)"
WRITE = "CREATE TABLE t (n INT)"
NAME = "the URL"

Opened = Callable[[str], AsyncEngine]


def ours(url: str) -> AsyncEngine:
    return open_engine(parsed_url(url, NAME), NAME, ())


def of_a_project(url: str) -> AsyncEngine:
    """Open an engine that nobody here has set up."""
    return create_async_engine(parsed_url(url, NAME))


async def used(engine: AsyncEngine, *statements: str) -> None:
    try:
        with sql_outages():
            async with engine.begin() as connection:
                for one in statements or ("SELECT 1",):
                    await connection.execute(text(one))
    finally:
        await engine.dispose()
        await asyncio.sleep(0)  # what the driver has closed is closed by the loop


@pytest.fixture(scope="module")
def role() -> Iterator[Role]:
    with own_database() as url, own_role(url) as made:
        yield made


def url_for(role: Role, driver: str) -> str:
    return role.url.replace("postgresql:", f"postgresql+{driver}:")


@pytest.mark.postgres
@pytest.mark.parametrize("opened", [ours, of_a_project])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_whatever_refuses_a_connection_is_an_outage(
    role: Role, refusal: str, driver: str, opened: Opened
) -> None:
    url = url_for(role, driver)
    with role.refused(refusal), pytest.raises(StoreUnavailableError):
        asyncio.run(used(opened(url)))
    asyncio.run(used(opened(url)))


@pytest.mark.postgres
@pytest.mark.parametrize("refusal", REFUSALS)
def test_better_auths_stores_say_the_same(role: Role, refusal: str) -> None:
    """Not that their tables have other names, for which nobody can look."""

    async def checked(store: Any) -> None:
        try:
            await store.check()
        finally:
            await store.aclose()

    for make in (SQLSessions, SQLAPIKeys):
        with role.refused(refusal), pytest.raises(StoreUnavailableError):
            asyncio.run(checked(make(role.url)))


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ("login", "it refuses the user or the password"),
        ("name", "it has no database of that name"),
        ("right", "see that it is running, and that the URL"),
    ],
)
def test_at_the_start_it_is_a_mistake_with_its_reason(
    role: Role, refusal: str, told: str
) -> None:
    with role.refused(refusal), pytest.raises(ConfigurationError, match=told):
        asyncio.run(Database(lambda: role.url).check())


@pytest.mark.postgres
@pytest.mark.parametrize("opened", [ours, of_a_project])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_takes_no_writes_is_an_outage(
    role: Role, driver: str, opened: Opened
) -> None:
    url = url_for(role, driver)
    with role.read_only():
        asyncio.run(used(opened(url)))
        with pytest.raises(StoreUnavailableError):
            asyncio.run(used(opened(url), WRITE))


@pytest.mark.postgres
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_the_work_does_is_none(role: Role, driver: str) -> None:
    """At the commit, where no statement is at fault either."""
    url = url_for(role, driver)
    refusing = (FUNCTION, "CREATE TEMPORARY TABLE t (n INT)", TRIGGER, FILL)
    for statements in (refusing, ("SELECT * FROM nowhere",), ("SELECT 1 / 0",)):
        with pytest.raises(exc.DBAPIError):
            asyncio.run(used(ours(url), *statements))


# --- MariaDB


@contextmanager
def own_account() -> Iterator[tuple[str, str]]:
    """Give a user of a database: the URL, and what SQL calls the user."""
    with own_mariadb() as url:
        name, user = url.rpartition("/")[2], f"fb_{token_hex(6)}"
        account = f"{user}@'127.0.0.1'"
        ask_mariadb(url, f"CREATE USER {account} IDENTIFIED BY 'x'")
        try:
            ask_mariadb(url, f"GRANT ALL ON {name}.* TO {account}")
            yield f"mysql://{user}:x@{url.rpartition('@')[2]}", account
        finally:
            ask_mariadb(mariadb(), f"DROP USER {account}")


OF_MARIADB: Mapping[str, str] = {
    "password": "ALTER USER {account} IDENTIFIED BY 'y'",
    "locked": "ALTER USER {account} ACCOUNT LOCK",
    "grant": "REVOKE ALL PRIVILEGES, GRANT OPTION FROM {account}",
    "gone": "DROP DATABASE {name}",
}


@pytest.mark.mariadb
@pytest.mark.parametrize("opened", [ours, of_a_project])
@pytest.mark.parametrize("refusal", OF_MARIADB)
def test_whatever_refuses_a_connection_to_mariadb(refusal: str, opened: Opened) -> None:
    with own_account() as (url, account):
        asyncio.run(used(opened(url)))
        name = url.rpartition("/")[2]
        command = OF_MARIADB[refusal].format(account=account, name=name)
        ask_mariadb(mariadb(), command)
        with pytest.raises(StoreUnavailableError):
            asyncio.run(used(opened(url)))


@pytest.mark.mariadb
def test_a_mariadb_that_takes_no_writes() -> None:
    read_only = ("SET SESSION TRANSACTION READ ONLY", "COMMIT", WRITE)
    with own_mariadb() as url, pytest.raises(StoreUnavailableError):
        asyncio.run(used(ours(url), *read_only))
    for number in (1290, 1792, 1836):
        assert is_passing(exc.DBAPIError("x", None, Exception(number, "no")))


# --- SQLite


def file_url(file: Path, mode: str = "rw") -> str:
    return f"sqlite+aiosqlite:///file:{file}?mode={mode}&uri=true"


def test_a_file_that_cannot_be_opened_is_an_outage(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database" * 100)
    engine = open_engine(
        parsed_url(file_url(garbage), NAME), NAME, ("PRAGMA journal_mode = WAL",)
    )
    with pytest.raises(StoreUnavailableError):
        asyncio.run(used(engine))


def test_a_file_that_takes_no_writes_is_an_outage(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE u (n INT)")
    for opened in (ours, of_a_project):
        with pytest.raises(StoreUnavailableError):
            asyncio.run(used(opened(file_url(file, "ro")), WRITE))


def test_to_write_where_one_only_reads_is_a_mistake(tmp_path: Path) -> None:
    """Nothing but other code of ours will let it be written."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'a.db'}"
    sqlite3.connect(tmp_path / "a.db").close()

    async def written() -> None:
        connections = Connections(url, NAME, can_write=False)
        try:
            async with connections.reading() as connection:
                await connection.execute(text(WRITE))
        finally:
            await connections.aclose()

    with pytest.raises(exc.DBAPIError):
        asyncio.run(written())
