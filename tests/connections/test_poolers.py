"""PgBouncer in transaction mode: what it needs, and what goes wrong without it."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts_kit import make_auth, make_service, rows, sign_up, store_of
from asgi import running
from fastbearer.accounts import Accounts, Database
from fastbearer.accounts.database_revocations import DatabaseRevocations
from fastbearer.connections.engine import parsed_url
from fastbearer.connections.libpq import is_pooled
from fastbearer.connections.pooler import pooled
from fastbearer.errors import ConfigurationError
from pgbouncer_kit import through_pgbouncer
from project import SECRET
from servers import own_database

NAME = "DATABASE_URL"
pgbouncer = [pytest.mark.postgres, pytest.mark.pgbouncer]


@pytest.mark.parametrize(
    "url",
    [
        *("postgresql://me:p%40ss@h/db", "postgres://me@h/db?sslmode=require"),
        *("postgresql://me:p@a:1,b:2/db", "postgresql+psycopg://h/db"),
        "postgresql://h/db?pgbouncer=true",
    ],
)
def test_the_setting_says_what_each_url_can_say(url: str) -> None:
    said = parsed_url(pooled(url, "pgbouncer", NAME), NAME)
    plain = parsed_url(url, NAME)
    assert is_pooled(said)
    assert said.difference_update_query(["pgbouncer"]) == (
        plain.difference_update_query(["pgbouncer"])
    )
    assert pooled(url, "none", NAME) == pooled(url, None, NAME) == url


@pytest.mark.parametrize("url", ["mysql://h/db", "sqlite+aiosqlite:///a.db"])
def test_the_setting_is_for_postgresql(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_POOLER=pgbouncer is for"):
        pooled(url, "pgbouncer", NAME)
    with pytest.raises(ConfigurationError, match="must be none or pgbouncer"):
        pooled(url, "pgcat", NAME)


def test_what_is_no_url_is_refused_where_all_are() -> None:
    assert pooled("nonsense", "pgbouncer", NAME) == "nonsense"


@pytest.mark.parametrize("door", ["database_url", "better_auth_database_url"])
def test_the_setting_reaches_the_doors(door: str, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/b.db"

    async def start() -> None:
        other = "postgresql://postgres@127.0.0.1:1/nothing"
        settings: dict[str, Any] = {"database_pooler": "pgbouncer", door: url}
        place = other if door != "database_url" else tmp_path / "b.db"
        if door == "database_url":
            settings.pop(door)
        async with Accounts(make_auth(place, **settings)).lifespan(None):
            pass

    with pytest.raises(ConfigurationError, match="is for PostgreSQL"):
        asyncio.run(start())


# --- a real one


def used_by_many(url: str, times: int = 1) -> None:
    """Use a database as an application with several requests at a time does."""

    async def run() -> None:
        database = Database(lambda: url)

        async def ask() -> None:
            for _ in range(5):
                await database.ping()

        async with database.lifespan(None):
            # To the end of each: what is under way then would stay open.
            asked = await asyncio.gather(
                *(ask() for _ in range(8)), return_exceptions=True
            )
            for error in filter(None, asked):
                raise error

    for _ in range(times):
        asyncio.run(run())


def with_driver(url: str, driver: str) -> str:
    return url.replace("postgresql:", f"postgresql+{driver}:")


@pytest.fixture
def url(tmp_path: Path) -> Any:
    with store_of("pgbouncer", tmp_path) as url:
        yield url


class TestPgBouncer:
    pytestmark = pgbouncer

    @pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
    def test_nothing_is_left_behind(self, url: str, driver: str) -> None:
        used_by_many(with_driver(url, driver))
        with running(make_service(with_driver(url, driver))) as base_url:
            assert sign_up(base_url).status_code == 201
        for _ in range(10):  # each is another session
            left = "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"
            assert rows(url, left) == [(0,)]

    def test_without_it_an_error_says_what_is_missing(self, url: str) -> None:
        """Also a planted bug: else the other tests here would prove nothing."""
        with pytest.raises(ConfigurationError, match="DATABASE_POOLER=pgbouncer"):
            used_by_many(url.partition("?")[0], times=20)

    def test_migrating(self) -> None:
        with own_database() as direct:
            bare = through_pgbouncer(direct).partition("?")[0]
            command = [sys.executable, "-m", "fastbearer", "migrate"]
            environment = {**os.environ, "BETTER_AUTH_SECRET": SECRET}
            environment |= {"DATABASE_URL": bare, "DATABASE_POOLER": "pgbouncer"}
            processes = [
                subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
                for _ in range(3)
            ]
            assert [process.wait() for process in processes] == [0] * 3
            used_by_many(direct)

    def test_nobody_listens(self, url: str, caplog: pytest.LogCaptureFixture) -> None:
        async def run() -> bool:
            store = DatabaseRevocations(Database(lambda: url))
            async with store._journal.opened():
                return await store._journal.listen(lambda: None)

        with caplog.at_level(logging.INFO, "fastbearer"):
            assert asyncio.run(run()) is False
        assert "read every second" in caplog.text
