"""Where the users' data is: files, keys, and what logs and errors show."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ForeignKey
from sqlalchemy.exc import IntegrityError, PendingRollbackError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from accounts_kit import CHEAP, EMAIL, PASSWORD, Store, make_auth, rows
from fastbearer.accounts import Accounts, Database, SQLModelUserStore, User
from fastbearer.accounts.migrations.changes import MARIADB_COLLATION
from fastbearer.connections.values import hide_values
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from fastbearer.fastapi import Auth, Settings
from project import SECRET
from servers import EACH, on_every_database
from wide_databases import Wide, client_of, wide_database

SIGN_UP = {"email": EMAIL, "password": PASSWORD}


class Own(SQLModel, registry=registry()):
    """Base of the models here, apart from those of other tests."""


class Client(Own, table=True):
    """A user with a column that sign-up does not fill."""

    id: int | None = Field(default=None, primary_key=True)
    __table_args__ = {"sqlite_autoincrement": True}
    email: str = Field(max_length=254, unique=True)
    password_hash: str = Field(max_length=255)
    company: str | None = Field(nullable=False, max_length=20)


class Patient(Own, table=True):
    """A user whom other rows refer to."""

    id: int | None = Field(default=None, primary_key=True)
    __table_args__ = {"sqlite_autoincrement": True}
    email: str = Field(max_length=254, unique=True)
    password_hash: str = Field(max_length=255)


class Visit(Own, table=True):
    id: int = Field(primary_key=True)
    patient: int = Field(sa_column_args=[ForeignKey("patient.id")])


class Numbered(Own, table=True):
    """A user whose id SQLite would give twice."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=254)
    password_hash: str = Field(max_length=255)


class Counted(Own, table=True):
    """The same, but for the promise of its table."""

    id: int | None = Field(default=None, primary_key=True)
    __table_args__ = {"sqlite_autoincrement": True}
    email: str = Field(max_length=254)
    password_hash: str = Field(max_length=255)


@pytest.fixture(params=EACH)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wide]:
    with wide_database(request.param, tmp_path) as database:
        yield database


def send(message: object) -> None:
    """Send nothing."""


# --- A9: no file that nobody asked for


@pytest.mark.parametrize(
    ("settings", "options", "named"),
    [
        ({"refresh_tokens": True}, {}, "REFRESH_TOKENS"),
        ({"revocation": "database"}, {}, "REVOCATION=database"),
        ({}, {"send": send}, "codes"),
    ],
)
@pytest.mark.parametrize("is_better_auth", [False, True])
def test_a9_a_store_of_ones_own_needs_a_database_that_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    options: dict[str, Any],
    named: str,
    is_better_auth: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with wide_database("sqlite", tmp_path) as wide:
        wide.make(Counted.__table__)
        if is_better_auth:
            url = f"sqlite+aiosqlite:///{tmp_path}/wide.db"
            settings = {**settings, "better_auth_database_url": url}
        else:
            options = {"store": SQLModelUserStore(Counted, wide.get_session), **options}
        chosen = {"revocation": "off", **settings}
        auth = Auth(Settings(better_auth_secret=SECRET, **chosen))
        accounts = Accounts(auth, hasher=None, **options)
        with pytest.raises(
            ConfigurationError, match="DATABASE_URL must be set"
        ) as told:
            asyncio.run(started(accounts))
        assert named in str(told.value)
        with pytest.raises(ConfigurationError, match="DATABASE_URL must be set"):
            asyncio.run(accounts.database.migrate())
    assert [path.name for path in tmp_path.iterdir()] == ["wide.db"]


async def started(accounts: Accounts) -> None:
    async with client_of(accounts):
        pass


def test_a9_the_default_may_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    default = Settings.model_fields["database_url"].default
    monkeypatch.setenv("DATABASE_URL", default)
    with wide_database("sqlite", tmp_path) as wide:
        store = SQLModelUserStore(Counted, wide.get_session)
        auth = Auth(Settings(better_auth_secret=SECRET, revocation="off"))
        asyncio.run(started(Accounts(auth, store=store, send=send)))
    assert (tmp_path / "fastbearer.db").exists()


# --- A10: who may read the file


@pytest.fixture
def no_umask() -> Iterator[None]:
    former = os.umask(0)
    yield
    os.umask(former)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize(
    "form",
    [
        "sqlite+aiosqlite:///{}/users.db",
        "sqlite+aiosqlite:///file:{}/users.db?uri=true",
    ],
)
@pytest.mark.usefixtures("no_umask")
def test_a10_the_file_is_its_owners_alone(tmp_path: Path, form: str) -> None:
    database = Database(lambda: form.format(tmp_path))

    async def opened() -> dict[str, int]:
        async with database.lifespan(None), database.transaction() as session:
            await (await session.connection()).exec_driver_sql("CREATE TABLE t (x)")
            return modes(tmp_path)

    seen = asyncio.run(opened())
    assert set(seen) == {"users.db", "users.db-wal", "users.db-shm"}
    assert set(seen.values()) == {0o600}
    assert modes(tmp_path) == {"users.db": 0o600}


@pytest.mark.usefixtures("no_umask")
def test_a10_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    file, link = tmp_path / "users.db", tmp_path / "link.db"
    link.symlink_to(tmp_path / "target.db")
    file.touch(0o644)
    for one in (file, link):
        url = f"sqlite+aiosqlite:///{one}"
        asyncio.run(Database(partial(str, url)).migrate())
    assert modes(tmp_path)["users.db"] == 0o644
    assert modes(tmp_path)["target.db"] == 0o600


# --- A10, S7: values in logs and errors


def texts_of(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that an error and the log could show."""
    told = "".join(traceback.format_exception(error)) + caplog.text
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        told += f"{one!r} {one} {one.args} {vars(one)}"
        told += repr(getattr(one, "orig", None)) + str(getattr(one, "params", None))
        waiting += [one.__cause__, one.__context__, getattr(one, "orig", None)]
    return told


def a_user() -> User:
    return User(email=EMAIL, password_hash="$argon2id$secret")


def test_s7_an_error_of_the_projects_session_shows_no_values(
    project: Wide, caplog: pytest.LogCaptureFixture
) -> None:
    project.make(Client.__table__)
    store = SQLModelUserStore(Client, project.get_session)
    with pytest.raises(IntegrityError) as raised:
        asyncio.run(store.add(a_user()))
    told = texts_of(raised.value, caplog)
    assert "secret" not in told and EMAIL not in told
    assert "INSERT INTO client" in told  # what helps is left


@pytest.mark.parametrize(
    "said",
    [
        Exception(1062, "Duplicate entry '$argon2id$secret' for key 'password_hash'"),
        ValueError("cannot bind '$argon2id$secret'"),
    ],
)
def test_s7_what_a_driver_says(
    said: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    error = IntegrityError("INSERT INTO client", {"x": "$argon2id$secret"}, said)
    error.__cause__ = said
    pending = PendingRollbackError(
        f"The transaction has been rolled back. Original exception was: {error}"
    )
    pending.__context__ = error
    hide_values(pending)
    told = texts_of(pending, caplog) + texts_of(error, caplog)
    assert "secret" not in told
    assert "rolled back" in told and "INSERT INTO client" in told


class OwnRows(SQLModelUserStore):
    """A store of which cannot be told at start that its rows lack something."""

    def new_row(self, user: User) -> Any:
        return super().new_row(user)


def test_s7_the_log_of_a_failed_sign_up(
    project: Wide, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project.make(Client.__table__)
    store = OwnRows(Client, project.get_session)
    auth = make_auth(tmp_path / "never.db", revocation="off")
    accounts = Accounts(auth, store=store, hasher=CHEAP)

    async def tried() -> int:
        async with client_of(accounts) as client:
            return (await client.post("signup", json=SIGN_UP)).status_code

    with caplog.at_level(logging.DEBUG, "fastbearer"):
        assert asyncio.run(tried()) == 400
    assert caplog.messages
    assert "$argon2id$" not in caplog.text and EMAIL not in caplog.text


async def in_a_group(user: User) -> None:
    group: list[Exception] = [
        IntegrityError("INSERT INTO x", {"x": user.password_hash}, Exception("no")),
        ValueError(f"cannot store {user.password_hash}"),
    ]
    raise ExceptionGroup("two of two", group)


async def in_a_note(user: User) -> None:
    error = ValueError("cannot store a user")
    error.add_note(f"it was {user.password_hash}")
    raise error


async def cut_off(user: User) -> None:
    raise ValueError(f"Failing row contains ({user.password_hash[:64]}...)")


@pytest.mark.parametrize("fail", [in_a_group, in_a_note, cut_off])
def test_s7_wherever_an_error_shows_the_hash(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[User], Awaitable[None]],
) -> None:
    store: Any = LeakyStore()
    store.add = fail
    auth = make_auth(tmp_path / "never.db", revocation="off")
    accounts = Accounts(auth, store=store, hasher=CHEAP)

    async def tried() -> int:
        async with client_of(accounts) as client:
            return (await client.post("signup", json=SIGN_UP)).status_code

    assert asyncio.run(tried()) == 500
    assert "account not created" in caplog.messages
    assert "$argon2id$" not in caplog.text


class LeakyStore:
    """A store of the project's own, whose errors show what it was given."""

    async def find_by_email(self, email: str) -> User | None:
        return None

    async def add(self, user: User) -> None:
        try:
            raise ValueError(f"cannot store {user.password_hash}")
        except ValueError as error:
            raise RuntimeError(f"{EMAIL} was not stored") from error


def test_s7_a_store_whose_errors_show_the_hash(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store: Any = LeakyStore()
    auth = make_auth(tmp_path / "never.db", revocation="off")
    accounts = Accounts(auth, store=store, hasher=CHEAP)

    async def tried() -> int:
        async with client_of(accounts) as client:
            return (await client.post("signup", json=SIGN_UP)).status_code

    assert asyncio.run(tried()) == 500
    assert "account not created" in caplog.messages
    assert "RuntimeError: *** was not stored" in caplog.text  # what helps is left
    assert "$argon2id$" not in caplog.text and EMAIL not in caplog.text


def test_s7_a_locked_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "wide.db"
    wide = Wide("sqlite", f"sqlite:///{file}?timeout=0")  # nobody waits
    wide.make(Counted.__table__)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        store = SQLModelUserStore(Counted, wide.get_session)
        with pytest.raises(StoreUnavailableError) as raised:
            asyncio.run(store.add(a_user()))
    told = texts_of(raised.value, caplog)
    assert "database is locked" in told
    assert "secret" not in told and EMAIL not in told


@pytest.mark.postgres
def test_s7_our_own_table(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from accounts_kit import forbid, store_of
    from fastbearer.accounts import DatabaseUserStore

    with store_of("postgresql", tmp_path) as url:
        assert isinstance(url, str)
        forbid(url, "INSERT")
        database = Database(lambda: url)

        async def added() -> None:
            async with database.lifespan(None):
                await DatabaseUserStore(database).add(a_user())

        with pytest.raises(IntegrityError) as raised:
            asyncio.run(added())
    told = texts_of(raised.value, caplog)
    assert "23514" in told
    assert "secret" not in told and EMAIL not in told


# --- S2: no id is given twice


@pytest.mark.parametrize("is_there", [True, False])
def test_s2_a_key_that_sqlite_gives_twice(tmp_path: Path, is_there: bool) -> None:
    with wide_database("sqlite", tmp_path) as wide:
        if is_there:
            wide.make(Numbered.__table__)
        store = SQLModelUserStore(Numbered, wide.get_session)
        accounts = Accounts(
            make_auth(tmp_path / "codes.db", revocation="off"), store=store
        )
        with pytest.raises(
            ConfigurationError, match="'numbered' needs an AUTOINCREMENT"
        ):
            asyncio.run(started(accounts))


def test_s2_a_promise_that_the_table_does_not_keep(tmp_path: Path) -> None:
    with wide_database("sqlite", tmp_path) as wide:
        wide.run("CREATE TABLE counted (id INTEGER PRIMARY KEY, email, password_hash)")
        accounts = Accounts(
            make_auth(tmp_path / "codes.db", revocation="off"),
            store=SQLModelUserStore(Counted, wide.get_session),
        )
        with pytest.raises(
            ConfigurationError, match="'counted' needs an AUTOINCREMENT"
        ):
            asyncio.run(started(accounts))


def test_s2_the_next_user_has_another_id(project: Wide, tmp_path: Path) -> None:
    model = Counted if project.kind == "sqlite" else Numbered
    project.make(model.__table__)  # type: ignore[attr-defined]
    store = SQLModelUserStore(model, project.get_session)
    auth = make_auth(tmp_path / "codes.db", revocation="off")
    accounts = Accounts(auth, store=store, hasher=CHEAP)

    async def tried() -> None:
        async with client_of(accounts) as client:
            made = await client.post("signup", json=SIGN_UP)
            data = made.json()["data"]
            headers = {"Authorization": f"Bearer {data['token']}"}
            body = {"password": PASSWORD}
            gone = await client.post("delete-account", json=body, headers=headers)
            assert gone.status_code == 200
            other = {**SIGN_UP, "email": "eve@example.com"}
            made = await client.post("signup", json=other)
            assert made.json()["data"]["user"]["id"] != data["user"]["id"]
            assert (await client.get("me", headers=headers)).status_code == 401

    asyncio.run(tried())


# --- D10: a user whom other rows refer to


def test_d10_a_user_in_use_is_not_deleted(project: Wide, tmp_path: Path) -> None:
    project.make(Patient.__table__)
    project.make(Visit.__table__)
    store = SQLModelUserStore(Patient, project.get_session)
    auth = make_auth(tmp_path / "codes.db", revocation="off")
    accounts = Accounts(auth, store=store, hasher=CHEAP)

    async def tried() -> list[int]:
        async with client_of(accounts) as client:
            data = (await client.post("signup", json=SIGN_UP)).json()["data"]
            headers = {"Authorization": f"Bearer {data['token']}"}
            body = {"password": PASSWORD}
            visit = f"INSERT INTO visit (id, patient) VALUES (1, {data['user']['id']})"
            await asyncio.to_thread(project.run, visit)
            first = await client.post("delete-account", json=body, headers=headers)
            seen = await client.get("me", headers=headers)
            await asyncio.to_thread(project.run, "DELETE FROM visit")
            second = await client.post("delete-account", json=body, headers=headers)
            return [first.status_code, seen.status_code, second.status_code]

    assert asyncio.run(tried()) == [409, 200, 200]


@on_every_database
@pytest.mark.parametrize("when", ["", "DEFERRABLE INITIALLY DEFERRED"])
def test_d10_a_user_of_our_own_table_in_use(database: Store, when: str) -> None:
    """Projects have foreign keys to our table: its MetaData is there for that."""
    accounts = Accounts(make_auth(database, revocation="off"), hasher=CHEAP)
    is_mariadb = "mysql" in str(database)

    async def tried() -> list[int]:
        async with client_of(accounts) as client:
            data = (await client.post("signup", json=SIGN_UP)).json()["data"]
            headers = {"Authorization": f"Bearer {data['token']}"}
            body = {"password": PASSWORD}
            if is_mariadb:  # it looks when the row goes, at texts that are alike
                type_, moment = f"VARCHAR(32) COLLATE {MARIADB_COLLATION}", ""
            else:
                type_, moment = "VARCHAR(32)", when
            owner = f"owner {type_} REFERENCES fastbearer_user (id) {moment}"
            await asyncio.to_thread(rows, database, f"CREATE TABLE note ({owner})")
            note = f"INSERT INTO note VALUES ('{data['user']['id']}')"
            await asyncio.to_thread(rows, database, note)
            first = await client.post("delete-account", json=body, headers=headers)
            seen = await client.get("me", headers=headers)
            await asyncio.to_thread(rows, database, "DELETE FROM note")
            second = await client.post("delete-account", json=body, headers=headers)
            return [first.status_code, seen.status_code, second.status_code]

    assert asyncio.run(tried()) == [409, 200, 200]
