"""Databases that are migrated, raced for, killed and started again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from accounts_kit import (
    EMAIL,
    PASSWORD,
    answer,
    bearer,
    http,
    make_service,
    me,
    migrate,
    post,
    refused,
    rows,
    sign_in,
    sign_up,
    store_of,
    token_of,
    url_of,
)
from asgi import ASGIApp
from fastbearer import ConfigurationError
from fastbearer.accounts import Database
from fastbearer.accounts.database import SQLITE_PRAGMAS
from fastbearer.accounts.records import Record
from fastbearer.app.migrations import TASKS
from fastbearer.connections.engine import open_engine, parsed_url
from mariadb_kit import MariaDBServer, ask_mariadb, own_mariadb
from own_roles import REFUSALS, own_role
from own_servers import own
from servers import BOTH, EACH, EVERY, own_database, own_postgres
from waiting import wait_until

Serve = Callable[[ASGIApp], str]
UNAVAILABLE = "The service cannot reach its store. Please try again."
UNCHECKED = "Tokens cannot be checked at the moment. Please try again."
OUTAGES = {(503, detail, "1") for detail in (UNAVAILABLE, UNCHECKED)}
FAILURES = 3
PASSWORDS = {"current_password": PASSWORD, "new_password": "another horse battery"}
postgres = pytest.mark.postgres


def answered(response: httpx2.Response) -> tuple[int, str, str | None]:
    """Return what a refusal says."""
    headers = response.headers
    return response.status_code, response.json()["detail"], headers.get("retry-after")


def opened(url: str) -> None:
    """Open a database as an application does when it starts."""

    async def run() -> None:
        database = Database(lambda: url)
        database.add(TASKS)
        async with database.lifespan(None):
            pass

    asyncio.run(run())


def with_asyncpg(url: str) -> str:
    return url.replace("postgresql:", "postgresql+asyncpg:")


@pytest.mark.parametrize("kind", EACH)
def test_the_steps_lead_to_the_models(kind: str, tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[Any]:
        found = compare_metadata(
            MigrationContext.configure(connection), Record.metadata
        )
        # MariaDB has no text without a length that is no TEXT.
        known = ("_version", "'password_hash'") if kind == "mariadb" else ("_version",)
        return [one for one in found if not any(name in str(one) for name in known)]

    async def compare(url: str) -> list[Any]:
        engine = open_engine(parsed_url(url, "DATABASE_URL"), "DATABASE_URL", ())
        async with engine.connect() as connection:
            found = await connection.run_sync(differences)
        await engine.dispose()
        return found

    with store_of(kind, tmp_path) as store:
        migrate(url_of(store))
        assert asyncio.run(compare(url_of(store))) == []


@postgres
def test_an_application_does_not_migrate_postgresql_itself() -> None:
    with own_database() as url:
        with pytest.raises(ConfigurationError, match="run `fastbearer migrate`"):
            opened(url)
        migrate(url)
        opened(url)
        rows(url, "UPDATE fastbearer_accounts_version SET version_num = '9999'")
        with pytest.raises(ConfigurationError, match="of another version"):
            opened(url)


@postgres
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_the_command(scheme: str) -> None:
    with own_database() as url:
        environment = {**os.environ, "DATABASE_URL": url.replace("postgresql", scheme)}
        command = [sys.executable, "-m", "fastbearer", "migrate"]
        only = [*command, "--accounts"]
        for arguments in (only, command, command):
            done = subprocess.check_output(arguments, env=environment, text=True)
            assert done == "the tables are up to date\n"
            tables = {
                name
                for (name,) in rows(
                    url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                )
            }
            assert ("fastbearer_task" in tables) == (arguments is not only)
        assert all(name.startswith("fastbearer_") for name in tables)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    for url in ("nonsense", "postgresql://u:s3cret@127.0.0.1:1/x"):
        done = subprocess.run(
            [sys.executable, "-m", "fastbearer", "migrate"],
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == 1
        assert "ConfigurationError" in done.stderr
        assert "s3cret" not in done.stderr


@pytest.mark.parametrize("kind", EACH)
def test_many_may_migrate_at_a_time(kind: str, tmp_path: Path) -> None:
    def run(url: str) -> None:
        command = [sys.executable, "-m", "fastbearer", "migrate"]
        environment = {**os.environ, "DATABASE_URL": url}
        processes = [
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert [process.wait() for process in processes] == [0] * 4

    if kind == "sqlite":
        run(url_of(tmp_path / "a.db"))
    elif kind == "mariadb":
        with own_mariadb() as url:
            run(url)
    else:
        with own_database() as url:
            run(url)


@contextmanager
def mortal(kind: str) -> Iterator[tuple[Any, str]]:
    """Give a server that may be killed, and a database on it."""
    if kind == "mariadb":
        with own(MariaDBServer, in_memory=True) as server:
            ask_mariadb(server.url, "CREATE DATABASE app")
            yield server, f"{server.url}app"
    else:
        with own_postgres() as other, own_database(other.url) as url:
            yield other, url


@pytest.mark.parametrize("kind", [BOTH[1], EVERY[-1]])
def test_a_server_that_dies_and_comes_back(serve: Serve, kind: str) -> None:
    """Errors are 503, nothing that was answered with 201 is lost."""
    with mortal(kind) as (server, url):
        migrate(url)
        base_url = serve(make_service(url))
        data = sign_up(base_url).json()["data"]
        headers = bearer(data["token"])
        tasks = f"{base_url}/{data['user']['id']}/tasks"
        statuses: list[int] = []
        created: list[str] = []
        unexpected: set[tuple[int, str, str | None]] = set()
        stop = threading.Event()

        def create() -> None:
            while not stop.is_set():
                response = http.post(tasks, headers=headers, json={"title": "t"})
                statuses.append(response.status_code)
                if response.status_code == 201:
                    created.append(response.json()["data"]["id"])
                else:
                    unexpected.update({answered(response)} - OUTAGES)

        threads = [threading.Thread(target=create) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            wait_until(lambda: statuses[-20:].count(201) == 20)
            server.kill()
            wait_until(lambda: 503 in statuses[-8:])
            assert answer(sign_in(base_url)) == refused(503, UNAVAILABLE)
            server.start()
        wait_until(lambda: statuses[-20:].count(201) == 20)
        stop.set()
        for thread in threads:
            thread.join()
        assert unexpected == set()
        assert set(statuses) == {201, 503}
        kept = {one for (one,) in rows(url, "SELECT id FROM fastbearer_task")}
        assert set(created) <= kept
        assert sign_in(base_url).status_code == 200


def attempts(base_url: str) -> Iterator[httpx2.Response]:
    """Sign in as often as one may with a wrong password, and once more."""
    for _ in range(FAILURES + 1):
        yield sign_in(base_url)


def with_throttle(url: str) -> Any:
    failures = f"{FAILURES}/minute"
    return make_service(
        url,
        send=[].append,
        throttle=True,
        throttle_failures=failures,
        throttle_messages=failures,
        refresh_tokens=True,
    )


@postgres
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_server_that_turns_us_away(serve: Serve, refusal: str) -> None:
    """It is there, and refuses: a 503 as if it were not; and nobody is locked out."""
    with own_database(prepare=migrate) as url, own_role(url) as role:
        base_url = serve(with_throttle(role.url))
        token = token_of(sign_up(base_url))
        another = token_of(sign_in(base_url))  # a sign-out ends here at once
        with role.refused(refusal):
            answers = [
                *attempts(base_url),
                sign_up(base_url, email="eve@example.com"),
                *(
                    post(base_url, "forgot-password", email=EMAIL)
                    for _ in range(FAILURES + 1)
                ),
                me(base_url, token),
                post(base_url, "signout", token),
                post(base_url, "change-password", another, **PASSWORDS),
            ]
            assert {answered(one) for one in answers} <= OUTAGES
        assert sign_in(base_url).status_code == 200
        assert post(base_url, "forgot-password", email=EMAIL).status_code == 202


@postgres
def test_a_server_that_takes_no_writes(serve: Serve) -> None:
    """As after a fail-over to a replica: what has to be written is a 503."""
    with own_database(prepare=migrate) as url, own_role(url) as role:
        base_url = serve(with_throttle(role.url))
        data = sign_up(base_url).json()["data"]
        token, again = data["token"], {"refresh_token": data["refresh_token"]}
        another = token_of(sign_up(base_url, email="bob@example.com"))
        with role.read_only():
            answers = [
                *attempts(base_url),
                sign_up(base_url, email="eve@example.com"),
                post(base_url, "refresh", **again),
                post(base_url, "change-password", token, **PASSWORDS),
                post(base_url, "signout-everywhere", another),
            ]
            assert {answered(one) for one in answers} == {(503, UNAVAILABLE, "1")}
            assert sign_in(base_url, password="wrong horse").status_code == 401
        assert sign_in(base_url).status_code == 200


@postgres
def test_a_session_that_ended_while_nothing_could_be_written(serve: Serve) -> None:
    """Refused here at once, and everywhere when it can be written again."""
    with own_database(prepare=migrate) as url, own_role(url) as role:
        here, there = (serve(make_service(role.url)) for _ in range(2))
        token = token_of(sign_up(here))
        with role.read_only():
            assert answer(post(here, "signout", token)) == refused(503, UNAVAILABLE)
            assert me(here, token).status_code == 401
            assert me(there, token).status_code == 200
        wait_until(lambda: me(there, token).status_code == 401)
        assert me(here, token).status_code == 401


@postgres
def test_a_server_that_is_not_there_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        opened("postgresql://u:s3cret@127.0.0.1:1/x")


def test_a_locked_file_is_a_503(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = ("PRAGMA busy_timeout = 50", *SQLITE_PRAGMAS[1:])
    monkeypatch.setattr("fastbearer.accounts.database.SQLITE_PRAGMAS", impatient)
    base_url = serve(make_service(tmp_path / "store.db"))
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert answer(sign_up(base_url)) == refused(503, UNAVAILABLE)
        other.execute("ROLLBACK")
    assert sign_up(base_url).status_code == 201
