"""Better Auth's sessions, looked up in tables and in Redis that are filled by hand."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2
import pytest
from fastapi import Depends, FastAPI
from redis import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from asgi import ASGIApp
from better_auth_tables import (
    NOW,
    OTHER_TOKEN,
    TIME,
    TOKEN,
    WEEK,
    BetterAuthTables,
    better_auth_tables,
)
from fastbearer import ConfigurationError
from fastbearer.better_auth import BetterAuth, Session, SessionStore
from fastbearer.better_auth.cookies import DATA_BYTES_MAX
from fastbearer.better_auth.redis import RedisSessions
from fastbearer.better_auth.sql import SQLSessions, Tables
from fastbearer.connections.sql import Connections
from fastbearer.errors import StoreUnavailableError
from fastbearer.fastapi import better_auth_session
from project import SECRET
from servers import BOTH, ask, own_database, own_postgres, own_redis
from servers import redis as redis_url
from waiting import HANG, until, wait_until

Serve = Callable[[ASGIApp], str]
Make = Callable[..., BetterAuthTables]
USER_UUID = "5f0c1e5a-7c1f-4c0e-9d1b-3f6d2a9b8e47"
HOUR, MILLISECOND = timedelta(hours=1), timedelta(milliseconds=1)
UNAVAILABLE = "Sessions cannot be looked up at the moment. Please try again."
ODD_TOKENS = [
    "",
    TOKEN[:-1],
    TOKEN + "a",
    TOKEN[:-1] + " ",
    TOKEN[:-1] + "\0",
    TOKEN[:-1] + "%",
    TOKEN[:-1] + "_",
    TOKEN[:-1] + "'",
    TOKEN[:-1] + "\u0663",  # a digit, of another alphabet
    TOKEN[:-1] + "\ud800",
    "%" * 32,
    f"active-sessions-{'u' * 16}",
    f"{TOKEN}\n",
]

postgres = pytest.mark.postgres
redis = pytest.mark.redis


class Closable(SessionStore, Protocol):
    async def aclose(self) -> None: ...


def looked_up(
    store: Closable, *tokens: str, now: datetime = NOW
) -> list[Session | None]:
    """Return what a store finds, in a loop that ends with it."""

    async def run() -> list[Session | None]:
        try:
            return [await store.find(token, now.timestamp()) for token in tokens]
        finally:
            await store.aclose()

    return asyncio.run(run())


def found(store: Closable, now: datetime = NOW) -> Session | None:
    return looked_up(store, TOKEN, now=now)[0]


# --- tables -------------------------------------------------------------------------


@pytest.fixture(params=BOTH)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make tables, of each kind of database: ``make(ids="uuid")``."""
    running = []

    def made(**options: Any) -> BetterAuthTables:
        tables = better_auth_tables(request.param, tmp_path, **options)
        running.append(tables)
        return tables.__enter__()

    yield made
    for tables in running:
        tables.__exit__(None, None, None)


def test_a_session_in_the_tables(make: Make) -> None:
    tables = make()
    tables.sign_in()
    assert found(SQLSessions(tables.url)) == Session(
        user={
            "id": "u1",
            "name": "Ada \u20ac",
            "email": "u1@example.com",
            "emailVerified": True,
            "image": None,
            "createdAt": "2026-11-22T06:46:51.909Z",
            "updatedAt": "2026-11-22T06:46:51.909Z",
        },
        session={
            "id": f"of {TOKEN}",
            "token": TOKEN,
            "userId": "u1",
            "expiresAt": "2026-11-29T06:46:51.909Z",
            "createdAt": "2026-11-22T06:46:51.909Z",
            "updatedAt": "2026-11-22T06:46:51.909Z",
            "ipAddress": "203.0.113.7",
            "userAgent": "gen/1.0",
        },
        expires_at=NOW + WEEK,
        source="store",
    )


def test_each_token_is_of_its_own_user(make: Make) -> None:
    tables = make()
    tables.sign_in()
    tables.sign_in(user_id="u2", token=OTHER_TOKEN)
    one, other, swapped = looked_up(
        SQLSessions(tables.url), TOKEN, OTHER_TOKEN, TOKEN.swapcase()
    )
    assert one is not None and one.user_id == "u1"
    assert other is not None and other.user_id == "u2"
    assert swapped is None


def test_a_session_ends_in_time(make: Make) -> None:
    tables = make()
    tables.sign_in()
    assert found(SQLSessions(tables.url), NOW + WEEK - MILLISECOND)
    assert found(SQLSessions(tables.url), NOW + WEEK) is None


def test_a_session_that_was_deleted(make: Make) -> None:
    tables = make()
    tables.sign_in()
    tables.run(f"DELETE FROM {tables.table('session')}")
    assert found(SQLSessions(tables.url)) is None


def test_a_user_that_was_deleted(tmp_path: Path) -> None:
    with better_auth_tables("sqlite", tmp_path) as tables:
        tables.sign_in()  # foreign keys are off in this connection of Python's
        tables.run('DELETE FROM "user"')
        assert tables.rows("session")
        assert found(SQLSessions(tables.url)) is None


@pytest.mark.parametrize(
    ("ban", "is_found"),
    [
        ({"banned": True}, False),
        ({"banned": True, "banExpires": NOW + HOUR}, False),
        ({"banned": True, "banExpires": NOW - HOUR}, True),
        ({"banned": False, "banExpires": NOW + HOUR}, True),
        ({"banned": None}, True),
        ({}, True),
    ],
)
def test_bans(make: Make, ban: dict[str, Any], is_found: bool) -> None:
    tables = make()
    tables.add_user(**ban)
    tables.add_session()
    assert (found(SQLSessions(tables.url)) is not None) is is_found


def test_users_without_columns_for_bans(make: Make) -> None:
    tables = make(has_admin=False)
    tables.sign_in()
    assert found(SQLSessions(tables.url))


@pytest.mark.parametrize("dates", ["iso", "milliseconds", "timestamp"])
def test_dates_of_every_kind(make: Make, dates: str) -> None:
    tables = make(dates=dates)
    tables.add_user(banned=True, banExpires=NOW)
    tables.add_session()
    session = found(SQLSessions(tables.url), NOW + MILLISECOND)
    assert session is not None
    assert session.expires_at == NOW + WEEK
    assert session.session["createdAt"] == "2026-11-22T06:46:51.909Z"
    assert found(SQLSessions(tables.url), NOW) is None


@postgres
def test_dates_of_a_server_in_another_zone() -> None:
    with own_database() as url:
        tables = BetterAuthTables(url)
        tables.create()
        name = url.rpartition("/")[2]
        ask(url, f"ALTER DATABASE {name} SET timezone TO 'Pacific/Auckland'")
        there = timezone(timedelta(hours=13))
        tables.sign_in(expiresAt=(NOW + HOUR).astimezone(there))
        session = found(SQLSessions(url))
        assert session is not None and session.expires_at == NOW + HOUR
        assert session.session["expiresAt"] == "2026-11-22T07:46:51.909Z"


BERLIN = ZoneInfo("Europe/Berlin")


@postgres
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", BERLIN, timezone(timedelta(hours=1))]
)
def test_columns_without_a_zone_of_a_server_in_one(zone: Any) -> None:
    """node-postgres writes local time, of which ``timestamp`` keeps no zone."""
    with own_database() as url:
        tables = BetterAuthTables(url, dates="timestamp")
        tables.create()
        tables.sign_in(expiresAt=(NOW + HOUR).astimezone(BERLIN))
        tables.update("session", createdAt=NOW.astimezone(BERLIN))
        banned = (NOW + HOUR / 2).astimezone(BERLIN)
        tables.update("user", banned=True, banExpires=banned)

        def looked(now: datetime, **options: Any) -> Session | None:
            return found(SQLSessions(url, tables=Tables(**options)), now)

        later = NOW + HOUR - MILLISECOND
        session = looked(later, zone=zone)
        assert session is not None and session.expires_at == NOW + HOUR
        assert session.session["createdAt"] == "2026-11-22T06:46:51.909Z"
        assert looked(NOW + HOUR, zone=zone) is None
        assert looked(NOW, zone=zone) is None  # banned for half an hour
        # Taken for UTC, the session would be good for an hour more.
        wrong = looked(NOW + 1.75 * HOUR)
        assert wrong is not None and wrong.expires_at == NOW + 2 * HOUR


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", 5, None, "\0"])
def test_zones_that_are_none(zone: Any) -> None:
    with pytest.raises(ConfigurationError, match="zone"):
        Tables(zone=zone)


@pytest.mark.parametrize(("ids", "user_id"), [("uuid", USER_UUID), ("integer", "7")])
def test_ids_of_every_kind(make: Make, ids: str, user_id: str) -> None:
    tables = make(ids=ids)
    own: dict[str, Any] = {"id": str(uuid4())} if ids == "uuid" else {}
    stored = user_id if ids == "uuid" else int(user_id)
    tables.add_user(id=stored)
    tables.add_session(userId=stored, **own)
    session = found(SQLSessions(tables.url))
    assert session is not None and session.user_id == user_id
    assert session.session["userId"] == user_id
    assert session.session["id"] == own.get("id", "1")


def snake(field: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), field)


def test_names_in_the_plural_and_snake_case(make: Make) -> None:
    plural = {"user": "users", "session": "sessions", "account": "accounts"}
    tables = make(tables=plural, naming=snake)
    tables.sign_in()
    names = Tables(use_plural=True, snake_case=True)
    assert found(SQLSessions(tables.url, tables=names))


def test_names_of_ones_own(make: Make) -> None:
    def naming(field: str) -> str:
        return {"email": 'e"mail%s:x', "userId": "Owner"}.get(field, field)

    own = {"user": "Auth.Users", "session": "select * from %s"}
    tables = make(tables=own, naming=lambda field: naming(field).replace('"', '""'))
    tables.sign_in()
    names = Tables(
        models=own,
        fields={"user": {"email": 'e"mail%s:x'}, "session": {"userId": "Owner"}},
    )
    session = found(SQLSessions(tables.url, tables=names))
    assert session is not None and session.email == "u1@example.com"


@postgres
def test_tables_in_a_schema_of_their_own() -> None:
    with own_database() as url:
        ask(url, 'CREATE SCHEMA "Auth"')
        name = url.rpartition("/")[2]
        ask(url, f'ALTER DATABASE {name} SET search_path TO "Auth"')
        tables = BetterAuthTables(url)
        tables.create()
        tables.sign_in()
        ask(url, f"ALTER DATABASE {name} RESET search_path")
        assert found(SQLSessions(url, tables=Tables(schema="Auth")))
        with pytest.raises(StoreUnavailableError):
            found(SQLSessions(url))


@pytest.mark.parametrize(
    "names",
    [
        {"models": {"users": "users"}},
        {"fields": {"jwks": {}}},
        {"models": {"user": ""}},
        {"models": {"user": "a\0b"}},
        {"models": {"user": "\ud800"}},
        {"models": {"user": 5}},
        {"fields": {"user": {"email": None}}},
        {"fields": {"user": "email"}},
        {"schema": ""},
    ],
)
def test_names_that_are_none(names: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Tables(**names)


def test_only_fields_that_were_asked_for(make: Make) -> None:
    tables = make()
    tables.add_user(role="admin", banReason="secret")
    tables.add_session()
    plain = found(SQLSessions(tables.url))
    assert plain is not None and "role" not in plain.user
    more = found(SQLSessions(tables.url, user_fields=["role"]))
    assert more is not None and more.user["role"] == "admin"
    assert "banReason" not in more.user


@pytest.mark.parametrize("token", ODD_TOKENS)
def test_what_is_no_token_is_not_looked_up(token: str) -> None:
    store = SQLSessions("postgresql://nobody@127.0.0.1:1/nothing")
    assert looked_up(store, token) == [None]
    assert looked_up(RedisSessions("redis://127.0.0.1:1/0"), token) == [None]


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("session", "expiresAt", "soon-4711"),
        ("session", "expiresAt", "2026-11-29"),
        ("session", "expiresAt", 1_795_934_811),  # seconds
        ("session", "expiresAt", 1e300),
        ("session", "expiresAt", b"\xff4711"),
        ("session", "createdAt", "4711"),
        ("user", "banExpires", 4711),
        ("user", "banned", 2),
        ("user", "emailVerified", "4711"),
        ("session", "id", 47.11),
    ],
)
def test_what_cannot_be_read_is_no_session(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    model: str,
    field: str,
    value: object,
) -> None:
    """SQLite keeps anything in a column."""
    caplog.set_level(logging.ERROR, "fastbearer")
    with better_auth_tables("sqlite", tmp_path) as tables:
        tables.run(f'DROP TABLE "{model}"')
        columns = {
            "user": "id, name, email, emailVerified, image, createdAt, updatedAt"
        }
        columns["user"] += ", banned, banExpires, role, banReason"
        columns["session"] = "id, token, userId, expiresAt, createdAt, updatedAt"
        columns["session"] += ", ipAddress, userAgent"
        tables.run(f'CREATE TABLE "{model}" ({columns[model]})')
        tables.add_user(banned=True, banExpires=NOW - HOUR)
        tables.add_session(expiresAt=NOW + WEEK)
        assert found(SQLSessions(tables.url))
        tables.update(model, **{field: value})
        assert found(SQLSessions(tables.url)) is None
    assert "a stored session cannot be read" in caplog.text
    assert "4711" not in caplog.text and TOKEN not in caplog.text


def test_two_sessions_of_one_token_are_none(tmp_path: Path) -> None:
    with better_auth_tables("sqlite", tmp_path) as tables:
        tables.sign_in()
        tables.run("CREATE TABLE copy AS SELECT * FROM session")
        tables.run("INSERT INTO copy SELECT * FROM session")
        twice = Tables(models={"session": "copy"})
        assert found(SQLSessions(tables.url, tables=twice)) is None


def check(store: SQLSessions) -> None:
    async def run() -> None:
        try:
            await store.check()
        finally:
            await store.aclose()

    asyncio.run(run())


def test_a_wrong_name_is_known_at_the_start(make: Make) -> None:
    tables = make()
    check(SQLSessions(tables.url))
    for names, missing in (
        (Tables(use_plural=True), "there is no table 'sessions'"),
        (Tables(snake_case=True), "the table 'session' has no column"),
    ):
        with pytest.raises(ConfigurationError, match=missing):
            check(SQLSessions(tables.url, tables=names))
    with pytest.raises(ConfigurationError, match="no column 'phone'"):
        check(SQLSessions(tables.url, user_fields=["phone"]))


def test_a_wrong_name_does_not_turn_bans_off(make: Make) -> None:
    def naming(field: str) -> str:
        return "is_banned" if field == "banned" else field

    tables = make(naming=naming)
    tables.add_user(banned=True)
    tables.add_session()
    right = Tables(fields={"user": {"banned": "is_banned"}})
    assert found(SQLSessions(tables.url, tables=right)) is None
    wrong = Tables(fields={"user": {"banned": "is_baned"}})
    with pytest.raises(ConfigurationError, match="no column 'is_baned'"):
        check(SQLSessions(tables.url, tables=wrong))
    with pytest.raises(StoreUnavailableError):
        found(SQLSessions(tables.url, tables=wrong))


@pytest.mark.parametrize("column", ["Banned", "ban_expires", "BANEXPIRES"])
def test_a_column_that_looks_like_one_for_bans(make: Make, column: str) -> None:
    def naming(field: str) -> str:
        return column if field.lower() == column.replace("_", "").lower() else field

    tables = make(naming=naming)
    with pytest.raises(ConfigurationError, match=f"has a column '{column}'"):
        check(SQLSessions(tables.url))
    fields = {"user": {"banned": naming("banned"), "banExpires": naming("banExpires")}}
    check(SQLSessions(tables.url, tables=Tables(fields=fields)))


def test_tables_that_come_later(make: Make) -> None:
    tables = make()
    tables.sign_in()
    tables.run('ALTER TABLE "session" RENAME TO away')
    store = SQLSessions(tables.url)

    async def run() -> Session | None:
        with pytest.raises(StoreUnavailableError, match="cannot be read"):
            await store.find(TOKEN, TIME)
        await asyncio.to_thread(tables.run, 'ALTER TABLE away RENAME TO "session"')
        assert await store.find(TOKEN, TIME)
        await asyncio.to_thread(tables.run, 'ALTER TABLE "session" RENAME TO away')
        with pytest.raises(StoreUnavailableError):
            await store.find(TOKEN, TIME)
        await asyncio.to_thread(tables.run, 'ALTER TABLE away RENAME TO "session"')
        try:
            return await store.find(TOKEN, TIME)
        finally:
            await store.aclose()

    assert asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    ["", "nothing", "oracle://x", "mysql://x", "redis://localhost", "://p4ss@h"],
)
def test_urls_that_are_unfit(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Better Auth's database") as refused:
        SQLSessions(url)
    assert "p4ss" not in str(refused.value)


@postgres
def test_a_role_that_may_only_read() -> None:
    role = f"fastbearer_reader_{token_hex(6)}"
    with own_database() as url:
        tables = BetterAuthTables(url)
        tables.create()
        tables.sign_in()
        ask(url, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        reading = url.replace("//postgres@", f"//{role}:x@")
        try:
            with pytest.raises(ConfigurationError, match="cannot be read"):
                check(SQLSessions(reading))
            with pytest.raises(StoreUnavailableError):
                found(SQLSessions(reading))
            ask(url, f'GRANT SELECT ON "session", "user" TO {role}')
            check(SQLSessions(reading))
            assert found(SQLSessions(reading))
        finally:
            ask(url, f"DROP OWNED BY {role}")
            ask(url, f"DROP ROLE {role}")


def test_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    with better_auth_tables("sqlite", tmp_path) as tables:
        tables.sign_in()
        file = tmp_path / "better-auth.db"
        before = file.read_bytes()
        assert found(SQLSessions(tables.url))
        assert file.read_bytes() == before
        assert list(tmp_path.iterdir()) == [file]


def test_connections_for_reading_alone(make: Make) -> None:
    """In PostgreSQL, what a role may do is for its grants to say."""
    tables = make()
    tables.sign_in()

    async def delete() -> None:
        connections = Connections(tables.url, "the URL", can_write=False)
        try:
            async with connections.reading() as connection:
                await connection.execute(text("DELETE FROM session"))
        finally:
            await connections.aclose()

    with pytest.raises(DBAPIError) if tables.is_sqlite else nullcontext():
        asyncio.run(delete())
    assert bool(tables.rows("session")) is tables.is_sqlite


def test_a_file_in_wal_mode_that_is_being_written(tmp_path: Path) -> None:
    with better_auth_tables("sqlite", tmp_path) as tables:
        tables.sign_in()
        tables.run("PRAGMA journal_mode = WAL")
        with closing(sqlite3.connect(tmp_path / "better-auth.db")) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM session")
            assert found(SQLSessions(tables.url))
            writer.commit()
            assert found(SQLSessions(tables.url)) is None


def test_a_file_with_an_odd_name(tmp_path: Path) -> None:
    with better_auth_tables("sqlite", tmp_path) as tables:
        tables.sign_in()
    odd = (tmp_path / "better-auth.db").rename(tmp_path / "a b#c\u20ac&.db")
    assert found(SQLSessions(f"sqlite+aiosqlite:///{odd}"))


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "a b#c.db"
    store = SQLSessions(f"sqlite+aiosqlite:///{file}")

    async def run() -> None:
        with pytest.raises(StoreUnavailableError):
            await store.find(TOKEN, TIME)
        # aiosqlite's thread reports to this loop
        await until(
            lambda: (
                not any(
                    "_connection_worker" in one.name for one in threading.enumerate()
                )
            )
        )

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_many_at_once(make: Make) -> None:
    tables = make()
    tables.sign_in()
    tables.sign_in(user_id="u2", token=OTHER_TOKEN)
    store = SQLSessions(tables.url)

    async def run() -> list[Session | None]:
        try:
            return await asyncio.gather(
                *(store.find(token, TIME) for token in [TOKEN, OTHER_TOKEN] * 100)
            )
        finally:
            await store.aclose()

    users = [session and session.user_id for session in asyncio.run(run())]
    assert users == ["u1", "u2"] * 100


# --- Redis --------------------------------------------------------------------------

STORED: dict[str, Any] = {
    "session": {
        "id": "s1",
        "token": TOKEN,
        "userId": "u1",
        "expiresAt": "2026-11-29T06:46:51.909Z",
        "createdAt": "2026-11-22T06:46:51.909Z",
        "updatedAt": "2026-11-22T06:46:51.909Z",
        "ipAddress": "",
        "userAgent": "gen/1.0",
        "activeOrganizationId": "o1",
    },
    "user": {
        "id": "u1",
        "name": "Ada \u20ac",
        "email": "ada@example.com",
        "emailVerified": False,
        "createdAt": "2026-11-22T06:46:51.909Z",
        "updatedAt": "2026-11-22T06:46:51.909Z",
        "role": "admin",
    },
}


class RedisShelf:
    """Keys of our own in the Redis for all tests; they expire."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix

    def set(self, name: str, value: str | bytes) -> None:
        with Redis.from_url(self.url) as client:
            client.set(self.prefix + name, value, ex=600)

    def keep(self, stored: dict[str, Any], token: str = TOKEN) -> None:
        self.set(token, json.dumps(stored, ensure_ascii=False))

    def sessions(self, **options: Any) -> RedisSessions:
        return RedisSessions(self.url, prefix=self.prefix, **options)


@pytest.fixture
def shelf() -> RedisShelf:
    return RedisShelf(redis_url(), f"fastbearer-test-{token_hex(6)}:")


def changed(part: str, **members: Any) -> dict[str, Any]:
    return {**STORED, part: {**STORED[part], **members}}


@redis
def test_a_session_in_redis(shelf: RedisShelf) -> None:
    shelf.keep(STORED)
    session = found(shelf.sessions())
    assert session is not None
    assert session.source == "store" and session.user_id == "u1"
    assert session.expires_at == NOW + WEEK
    own = {
        name: value
        for name, value in STORED["session"].items()
        if name != "activeOrganizationId"
    }
    assert session.session == own
    assert session.user == {
        name: value for name, value in STORED["user"].items() if name != "role"
    }


@redis
def test_fields_in_redis_that_were_asked_for(shelf: RedisShelf) -> None:
    shelf.keep(STORED)
    session = found(
        shelf.sessions(user_fields=["role"], session_fields=["activeOrganizationId"])
    )
    assert session is not None
    assert session.user["role"] == "admin"
    assert session.session["activeOrganizationId"] == "o1"


@redis
def test_the_prefix_is_better_auths_unless_another_is_said() -> None:
    with own_redis() as server:
        RedisShelf(server.url, "better-auth:").keep(STORED)
        assert found(RedisSessions(server.url))
        assert found(RedisSessions(server.url, prefix="")) is None
        RedisShelf(server.url, "").keep(STORED)
        assert found(RedisSessions(server.url, prefix=""))


@redis
def test_a_session_in_redis_that_is_not_there(shelf: RedisShelf) -> None:
    shelf.keep(STORED)
    assert looked_up(shelf.sessions(), OTHER_TOKEN) == [None]


@redis
def test_a_session_in_redis_ends_in_time(shelf: RedisShelf) -> None:
    shelf.keep(STORED)
    assert found(shelf.sessions(), NOW + WEEK - MILLISECOND)
    assert found(shelf.sessions(), NOW + WEEK) is None


@redis
@pytest.mark.parametrize(
    ("ban", "is_found"),
    [
        ({"banned": True}, False),
        ({"banned": True, "banExpires": "2026-11-22T07:00:00.000Z"}, False),
        ({"banned": True, "banExpires": "2026-11-22T06:00:00.000Z"}, True),
        ({"banned": False}, True),
        ({"banned": None, "banExpires": None}, True),
    ],
)
def test_bans_in_redis(shelf: RedisShelf, ban: dict[str, Any], is_found: bool) -> None:
    shelf.keep(changed("user", **ban))
    assert (found(shelf.sessions()) is not None) is is_found


CREATED = round(TIME * 1000)


@redis
@pytest.mark.parametrize(
    ("before", "is_found"),
    [
        (str(CREATED - 1), True),
        (str(CREATED), True),
        (str(CREATED + 1), False),
        ("9" * 16, False),
        ("", False),
        ("soon-4711", False),
        ("-1", False),
        ("1e3", False),
        ("\u0661\u0662", False),
        ("9" * 5000, False),
    ],
)
def test_sessions_that_ended_all_at_once(
    shelf: RedisShelf, caplog: pytest.LogCaptureFixture, before: str, is_found: bool
) -> None:
    """What cannot be read ends them too."""
    shelf.keep(STORED)
    shelf.set("revoked-sessions-before-u1", before)
    shelf.set("revoked-sessions-before-u2", "9" * 13)
    assert (found(shelf.sessions()) is not None) is is_found
    assert "4711" not in caplog.text


@redis
def test_a_session_without_a_beginning_ends_with_the_rest(shelf: RedisShelf) -> None:
    stored = {**STORED, "session": dict(STORED["session"])}
    del stored["session"]["createdAt"]
    shelf.keep(stored)
    assert found(shelf.sessions())
    shelf.set("revoked-sessions-before-u1", "1")
    assert found(shelf.sessions()) is None


@redis
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"4711"',
        b"{4711",
        b'"{4711}"',
        b'"{}","session":4711',
        b'"{}", "": 4711',
        b'"4711',
        json.dumps(json.dumps(json.dumps(STORED))).encode(),
        json.dumps(json.dumps({"session": 4711, "user": {}})).encode(),
        b"\xff4711",
        b'{"session":{},"user":{}}',
        b'{"session":4711,"user":{}}',
        b'{"session":[],"user":[]}',
        json.dumps(STORED).encode() + b" 4711",
        b'{"user":{},' + json.dumps(STORED).encode()[1:],  # a member twice
        json.dumps({"x": "[" * 100, **STORED}).replace('"[', "[" * 100).encode(),
        json.dumps({**STORED, "x": "4711" * (DATA_BYTES_MAX // 4)}).encode(),
        json.dumps(changed("session", token=OTHER_TOKEN)).encode(),
        json.dumps(changed("session", userId="u2")).encode(),
        json.dumps(changed("user", id="")).encode(),
        json.dumps(changed("user", id=["4711"])).encode(),
        json.dumps(changed("session", expiresAt=None)).encode(),
        json.dumps(changed("session", expiresAt="4711")).encode(),
        json.dumps(changed("session", expiresAt=True)).encode(),
        json.dumps(changed("user", banned="4711")).encode(),
    ],
)
def test_values_in_redis_that_are_no_sessions(
    shelf: RedisShelf, caplog: pytest.LogCaptureFixture, value: bytes
) -> None:
    shelf.set(TOKEN, value)
    assert found(shelf.sessions()) is None
    assert "4711" not in caplog.text and TOKEN not in caplog.text
    assert ("a stored session cannot be read" in caplog.text) is bool(value)


@redis
@pytest.mark.parametrize("name", ["Ada", 'Ada "\u20ac" \\ \n', "\U0001f511"])
def test_values_in_redis_that_were_stringified_twice(
    shelf: RedisShelf, name: str
) -> None:
    """As a storage does whose ``set`` calls ``JSON.stringify`` once more."""
    for is_ascii in (True, False):
        once = json.dumps(changed("user", name=name), ensure_ascii=is_ascii)
        shelf.set(TOKEN, json.dumps(once, ensure_ascii=is_ascii).encode())
        session = found(shelf.sessions())
        assert session is not None and session.user["name"] == name
    created = round(NOW.timestamp() * 1000)
    for before, is_there in ((created, True), (created + 1, False)):
        shelf.set("revoked-sessions-before-u1", json.dumps(str(before)).encode())
        assert (found(shelf.sessions()) is not None) is is_there


@redis
def test_a_user_who_may_only_read() -> None:
    with own_redis() as server:
        RedisShelf(server.url, "better-auth:").keep(STORED)
        with Redis.from_url(server.url) as client:
            client.acl_setuser(
                "reader",
                enabled=True,
                passwords=["+x"],
                keys=["better-auth:*"],
                commands=["+getrange", "+get"],
            )
        assert found(RedisSessions(server.url.replace("//", "//reader:x@")))
        with pytest.raises(StoreUnavailableError):
            found(RedisSessions(server.url.replace("//", "//reader:y@")))


@redis
def test_a_key_of_another_type_is_no_silent_pass(shelf: RedisShelf) -> None:
    with Redis.from_url(shelf.url) as client:
        client.rpush(shelf.prefix + TOKEN, "x")
        client.expire(shelf.prefix + TOKEN, 600)
    with pytest.raises(StoreUnavailableError):
        found(shelf.sessions())


@pytest.mark.parametrize(
    "url", ["", "http://p4ss@localhost", "redis://:p4ss@h:port", 5, None]
)
def test_redis_urls_that_are_unfit(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="Better Auth's Redis") as refused:
        RedisSessions(url)
    assert "p4ss" not in str(refused.value)


# --- through the dependency ---------------------------------------------------------

BETTER_AUTH = BetterAuth(SECRET)


def protected(store: Closable) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await store.aclose()

    app = FastAPI(lifespan=lifespan)
    ba = BetterAuth(SECRET, store=store, clock=lambda: TIME)

    signed_in = Depends(better_auth_session(ba))

    @app.get("/me")
    async def me(session: Any = signed_in) -> str:
        return str(session.user_id)

    return app


def ask_me(url: str, token: str = TOKEN) -> httpx2.Response:
    cookie = f"better-auth.session_token={BETTER_AUTH.sign_session_token(token)}"
    return httpx2.get(f"{url}/me", headers={"Cookie": cookie}, timeout=HANG)


def test_a_cookie_and_the_tables(make: Make, serve: Serve) -> None:
    tables = make()
    tables.sign_in()
    url = serve(protected(SQLSessions(tables.url)))
    assert ask_me(url).json() == "u1"
    assert ask_me(url, OTHER_TOKEN).status_code == 401
    tables.update("user", banned=True)
    assert ask_me(url).status_code == 401
    tables.update("user", banned=False)
    assert ask_me(url).status_code == 200
    tables.run('DELETE FROM "session"')
    assert ask_me(url).status_code == 401


class Outage(Protocol):
    """A server that dies, and comes back."""

    def start(self) -> None: ...

    def kill(self) -> None: ...


def survives(server: Outage, url: str) -> None:
    """Kill a server under load: every answer is right, or a 503 that says so."""
    answers: list[httpx2.Response] = []
    is_over = threading.Event()

    def load() -> None:
        while not is_over.is_set():
            answers.append(ask_me(url))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(answers, 200)
        server.kill()
        wait_for(answers, 503)
        server.start()
        wait_for(answers, 200)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.json() == {"detail": UNAVAILABLE}


def wait_for(answers: list[httpx2.Response], status: int) -> None:
    """Return when there is a new answer with such a status."""
    seen = len(answers)
    wait_until(lambda: any(one.status_code == status for one in answers[seen:]))


@postgres
def test_a_postgresql_that_is_killed(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with own_postgres() as server:
        tables = BetterAuthTables(server.url)
        tables.create()
        tables.sign_in()
        survives(server, serve(protected(SQLSessions(server.url))))
    assert "session not looked up" in caplog.text and TOKEN not in caplog.text


@redis
def test_a_redis_that_is_killed(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with own_redis() as server:
        RedisShelf(server.url, "better-auth:").keep(STORED)
        survives(server, serve(protected(RedisSessions(server.url))))
    assert "session not looked up" in caplog.text and TOKEN not in caplog.text
