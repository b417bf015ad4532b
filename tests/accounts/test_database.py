"""The database under the accounts: opening it, its rows, its mishaps."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_mock_engine, text
from sqlmodel import SQLModel

from accounts_kit import rows
from fastbearer import ConfigurationError
from fastbearer.accounts import Database, DatabaseUserStore, EmailTakenError, User
from fastbearer.accounts.migrations import ACCOUNTS
from fastbearer.accounts.records import Record, UtcDateTime
from fastbearer.app.migrations import TASKS

SECRETIVE = "s3cr3t-in-the-url"
BAD_URL = "DATABASE_URL must be an SQLAlchemy URL with an async driver"
OTHER_DRIVER = "DATABASE_URL: MariaDB and MySQL are reached with the driver asyncmy"
UNREACHABLE = "the database of DATABASE_URL cannot be opened"
OTHER_DATABASE = "DATABASE_URL names a database, or a driver, that is not supported"
SQLITE = create_mock_engine("sqlite://", executor=print).dialect


def file_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def on(url: str, work: Callable[[Database], Awaitable[Any]]) -> Any:
    """Run the work on an open database."""

    async def opened() -> Any:
        database = Database(lambda: url)
        async with database.lifespan(None):
            return await work(database)

    return asyncio.run(opened())


def a_user(email: str = "ada@example.com") -> User:
    return User(email=email, password_hash="$x$")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (SECRETIVE, BAD_URL),
        (f"nosuch://u:{SECRETIVE}@127.0.0.1/x", OTHER_DATABASE),
        (f"sqlite+pysqlcipher:///{SECRETIVE}.db", OTHER_DATABASE),
        (f"sqlite+aiosqlite://u:{SECRETIVE}@127.0.0.1:port/x", BAD_URL),
        (f"sqlite+aiosqlite:////nonexistent/{SECRETIVE}/x.db", UNREACHABLE),
        (f"sqlite+aiosqlite:///{os.devnull}/{SECRETIVE}", UNREACHABLE),
        (f"oracle+oracledb_async://u:{SECRETIVE}@127.0.0.1/x", OTHER_DATABASE),
        (f"mysql+aiomysql://u:{SECRETIVE}@127.0.0.1/x", OTHER_DRIVER),
    ],
)
def test_an_unfit_url_stops_the_start(url: str, message: str) -> None:
    async def nothing(_: Database) -> None:
        pytest.fail("the database was opened")

    with pytest.raises(ConfigurationError) as caught:
        on(url, nothing)
    assert str(caught.value).startswith(message)
    assert SECRETIVE not in str(caught.value)


def test_a_file_that_is_no_database_stops_the_start(tmp_path: Path) -> None:
    async def nothing(_: Database) -> None:
        pytest.fail("the database was opened")

    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(ConfigurationError, match=UNREACHABLE):
        on(file_url(path), nothing)
    assert path.read_text().startswith("Dear diary, ")


def test_the_url_is_asked_for_when_the_database_opens() -> None:
    def url() -> str:
        pytest.fail("asked too early")

    Database(url)


def test_a_database_that_is_not_open_says_so() -> None:
    store = DatabaseUserStore(Database(lambda: "sqlite+aiosqlite://"))
    with pytest.raises(RuntimeError, match="the database is not open"):
        asyncio.run(store.find_by_email("ada@example.com"))


def test_the_outermost_lifespan_closes_the_database(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        store = DatabaseUserStore(database)
        async with database.lifespan(None):
            await store.add(a_user())
        assert await store.find_by_email("ada@example.com") is not None

    on(file_url(tmp_path / "a.db"), work)


def test_a_database_opens_again_after_it_was_closed(tmp_path: Path) -> None:
    database = Database(lambda: file_url(tmp_path / "a.db"))
    store = DatabaseUserStore(database)

    async def count() -> bool:
        async with database.lifespan(None):
            found = await store.find_by_email("ada@example.com")
            if found is None:
                await store.add(a_user())
        return found is not None

    assert [asyncio.run(count()), asyncio.run(count())] == [False, True]


def test_sqlite_is_set_up_for_several_requests_at_a_time(tmp_path: Path) -> None:
    async def pragma(database: Database, name: str) -> Any:
        async with database.transaction() as session:
            connection = await session.connection()
            return (await connection.execute(text(f"PRAGMA {name}"))).scalar()

    async def work(database: Database) -> list[Any]:
        names = ("journal_mode", "busy_timeout", "foreign_keys")
        return [await pragma(database, name) for name in names]

    assert on(file_url(tmp_path / "a.db"), work) == ["wal", 10_000, 1]


def test_several_processes_may_create_the_tables(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from fastbearer.accounts import Database\n"
        "from fastbearer.app.migrations import TASKS\n"
        "async def main():\n"
        "    database = Database(lambda: sys.argv[1])\n"
        "    database.add(TASKS)\n"
        "    async with database.lifespan(None):\n"
        "        pass\n"
        "sys.stdin.read()\n"  # all start at the same moment
        "asyncio.run(main())\n"
    )
    path = tmp_path / "a.db"
    command = [sys.executable, "-c", program, file_url(path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * 4
    names = {name for (name,) in rows(path, "SELECT name FROM sqlite_master")}
    assert {"fastbearer_user", "fastbearer_task"} <= names


def test_our_tables_stay_out_of_the_projects_metadata() -> None:
    ours = set(Record.metadata.tables)
    assert "fastbearer_user" in ours
    assert all(name.startswith("fastbearer_") for name in ours)
    assert not ours & set(SQLModel.metadata.tables)


IN_MEMORY = pytest.mark.parametrize("name", ["", "/:memory:"])


@IN_MEMORY
def test_one_email_in_memory_has_one_winner(name: str) -> None:
    async def work(database: Database) -> list[object]:
        store = DatabaseUserStore(database)
        added = (store.add(a_user()) for _ in range(20))
        return list(await asyncio.gather(*added, return_exceptions=True))

    outcomes = on(f"sqlite+aiosqlite://{name}", work)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, EmailTakenError) for outcome in outcomes) == 19


@IN_MEMORY
def test_transactions_in_memory_are_kept_apart(name: str) -> None:
    async def work(database: Database) -> list[bool]:
        store = DatabaseUserStore(database)
        with suppress(ZeroDivisionError):
            async with database.transaction() as session:
                session.add(a_user("undone@example.com"))
                await session.flush()
                other = asyncio.create_task(store.add(a_user("kept@example.com")))
                await asyncio.wait([other], timeout=0.1)
                raise ZeroDivisionError
        await other
        emails = ("undone@example.com", "kept@example.com")
        return [await store.find_by_email(email) is not None for email in emails]

    assert on(f"sqlite+aiosqlite://{name}", work) == [False, True]


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    async def half_done(database: Database) -> None:
        async with database.transaction() as session:
            session.add(a_user())
            await session.flush()
            raise ZeroDivisionError

    path = tmp_path / "a.db"
    with pytest.raises(ZeroDivisionError):
        on(file_url(path), half_done)
    assert rows(path, "SELECT * FROM fastbearer_user") == []


def test_a_hash_that_changed_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    async def work(database: Database) -> tuple[str, str]:
        store = DatabaseUserStore(database)
        await store.add(a_user())
        seen = await store.find_by_email("ada@example.com")
        assert seen is not None
        await store.replace_password_hash(seen, "$first$")
        await store.replace_password_hash(seen, "$second$")
        kept = await store.find_by_email("ada@example.com")
        assert kept is not None and kept.updated_at > kept.created_at
        return seen.password_hash, kept.password_hash

    assert on(file_url(tmp_path / "a.db"), work) == ("$x$", "$first$")


def test_times_come_back_aware_and_in_utc(tmp_path: Path) -> None:
    local = datetime(2026, 3, 1, 1, 30, 0, 123456, timezone(timedelta(hours=2)))

    async def work(database: Database) -> datetime:
        store = DatabaseUserStore(database)
        user = a_user()
        user.created_at = local
        await store.add(user)
        kept = await store.find_by_email(user.email)
        assert kept is not None
        return kept.created_at

    kept = on(file_url(tmp_path / "a.db"), work)
    assert kept == local and kept.tzinfo is UTC


def test_naive_times_are_refused() -> None:
    column = UtcDateTime()
    with pytest.raises(ValueError, match="aware"):
        column.process_bind_param(datetime(2026, 3, 1), SQLITE)
    assert column.process_bind_param(None, SQLITE) is None
    assert column.process_result_value(None, SQLITE) is None


def test_a_users_repr_shows_no_hash() -> None:
    assert "$x$" not in repr(a_user()) + str(a_user())


def test_steps_change_tables_by_what_every_database_can() -> None:
    """``op`` alone knows no collations, and fails where a part has been done."""
    versions = [
        file
        for folder in (ACCOUNTS, TASKS)
        for file in (folder._folder / "versions").glob("v*.py")
    ]
    assert len(versions) > 5
    for file in versions:
        text = file.read_text()
        assert not re.search(r"\bop\b|alembic|sa\.DateTime|sa\.String\(\)", text), file
