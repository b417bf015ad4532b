"""What a real Better Auth server keeps in PostgreSQL and in Redis, looked up here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx2
import pytest
from fastapi import Depends, FastAPI
from redis import Redis

from asgi import ASGIApp
from better_auth_server import (
    VERSIONS,
    BetterAuthServer,
    SignedIn,
    Start,
    better_auth_servers,
)
from fastbearer.better_auth import BetterAuth, Session, SessionStore
from fastbearer.better_auth.redis import RedisSessions
from fastbearer.better_auth.sql import SQLSessions, Tables
from fastbearer.fastapi import better_auth_session
from servers import own_database, own_redis

pytestmark = pytest.mark.node
Serve = Callable[[ASGIApp], str]

PASSWORD = "correct horse battery"
NAME = 'Ada "L\u00f6velace" \\ \u03a9\U0001f511\t'
PREFIXES = {"better-auth:": {}, "": {"redis_prefix": ""}, "x:": {"redis_prefix": "x:"}}
LAYOUTS: dict[str, tuple[dict[str, Any], Tables | None]] = {
    "text": ({}, None),
    "uuid": ({"advanced": {"database": {"generateId": "uuid"}}}, None),
    "serial": ({"advanced": {"database": {"generateId": "serial"}}}, None),
    "renamed": (
        {
            "user": {"modelName": "Members", "fields": {"email": "e mail"}},
            "session": {
                "modelName": "visits",
                "fields": {"userId": "member", "expiresAt": "expires_at"},
            },
        },
        Tables(
            models={"user": "Members", "session": "visits"},
            fields={
                "user": {"email": "e mail"},
                "session": {"userId": "member", "expiresAt": "expires_at"},
            },
        ),
    ),
}


class Closable(SessionStore, Protocol):
    async def aclose(self) -> None: ...


class Shared:
    """A Better Auth server, and what looks its sessions up.

    Attributes:
        server: It.
        store: Makes a store; one serves one event loop.
    """

    def __init__(self, server: BetterAuthServer, store: Callable[[], Closable]) -> None:
        self.server = server
        self.store = store

    def find(self, token: str) -> Session | None:
        async def run() -> Session | None:
            store = self.store()
            try:
                return await store.find(token, datetime.now(UTC).timestamp())
            finally:
                await store.aclose()

        return asyncio.run(run())

    def sign_up(self, **more: Any) -> SignedIn:
        email = f"{secrets.token_hex(8)}@Example.com"
        return self.server.sign_up(email, PASSWORD, NAME, **more)

    def post(self, who: SignedIn, path: str, body: Any = None) -> None:
        answer = self.server.post(path, body, cookie=who.cookie)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    with better_auth_servers() as start:
        yield start


@pytest.fixture(scope="module")
def databases() -> Iterator[Callable[[str], str]]:
    """Give a database for each name: ``databases("uuid")`` is its URL."""
    kept: dict[str, Any] = {}

    def database(name: str) -> str:
        if name not in kept:
            running = own_database()
            kept[name] = (running.__enter__(), running)
        return str(kept[name][0])

    yield database
    for _, running in kept.values():
        running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def redis_server() -> Iterator[str]:
    with own_redis() as server:
        yield server.url


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LAYOUTS)
def tabled(
    databases: Callable[[str], str],
    start: Start,
    version: str,
    request: pytest.FixtureRequest,
) -> Shared:
    return in_tables(databases, start, version, request.param)


def in_tables(
    databases: Callable[[str], str], start: Start, version: str, layout: str
) -> Shared:
    options, tables = LAYOUTS[layout]
    url = databases(f"{version} {layout}")
    plugins = {"admin": {}, "bearer": {}}
    server = start(version, database_url=url, plugins=plugins, **options)
    return Shared(server, lambda: SQLSessions(url, tables=tables))


@pytest.fixture(params=PREFIXES)
def cached(
    redis_server: str, start: Start, version: str, request: pytest.FixtureRequest
) -> Shared:
    plugins = {"admin": {}, "bearer": {}}
    options = PREFIXES[request.param]
    server = start(version, redis_url=redis_server, plugins=plugins, **options)
    return Shared(server, lambda: RedisSessions(redis_server, prefix=request.param))


@pytest.fixture(
    params=[
        pytest.param("tables", marks=pytest.mark.postgres),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def shared(request: pytest.FixtureRequest, start: Start, version: str) -> Shared:
    """A server of each kind, with the names that it has of itself."""
    if request.param == "tables":
        databases = request.getfixturevalue("databases")
        return in_tables(databases, start, version, "text")
    url = request.getfixturevalue("redis_server")
    plugins = {"admin": {}, "bearer": {}}
    server = start(version, redis_url=url, plugins=plugins)
    return Shared(server, lambda: RedisSessions(url))


def is_what_the_server_says(shared: Shared, who: SignedIn) -> None:
    found, said = shared.find(who.token), shared.server.session_of(who.cookie)
    assert found is not None and said is not None
    assert found.source == "store"
    assert found.user_id == who.id and found.email == who.user["email"]
    for ours, theirs in ((found.user, said["user"]), (found.session, said["session"])):
        assert {"id", "createdAt"} <= set(ours)
        assert ours == {name: theirs[name] for name in ours}


def is_read_until_the_sign_out(shared: Shared) -> None:
    ada, bob = shared.sign_up(), shared.sign_up(rememberMe=False)
    is_what_the_server_says(shared, ada)
    is_what_the_server_says(shared, bob)
    shared.post(ada, "/sign-out")
    assert shared.find(ada.token) is None
    assert shared.find(bob.token)


@pytest.mark.postgres
def test_a_session_in_its_tables(tabled: Shared) -> None:
    is_read_until_the_sign_out(tabled)


@pytest.mark.redis
def test_a_session_in_its_redis(cached: Shared) -> None:
    is_read_until_the_sign_out(cached)


def test_sessions_that_are_revoked(shared: Shared) -> None:
    ada, bob = shared.sign_up(), shared.sign_up()
    more = [shared.server.sign_in(ada.user["email"], PASSWORD) for _ in range(3)]
    shared.post(ada, "/revoke-session", {"token": more[0].token})
    assert [shared.find(one.token) is None for one in more] == [True, False, False]
    shared.post(ada, "/revoke-other-sessions")
    assert all(shared.find(one.token) is None for one in more)
    assert shared.find(ada.token)
    shared.post(ada, "/revoke-sessions")
    assert shared.find(ada.token) is None
    assert shared.find(bob.token)


def test_a_password_that_is_changed_there(shared: Shared) -> None:
    ada = shared.sign_up()
    other = shared.server.sign_in(ada.user["email"], PASSWORD)
    body = {
        "currentPassword": PASSWORD,
        "newPassword": f"{PASSWORD}2",
        "revokeOtherSessions": True,
    }
    shared.post(ada, "/change-password", body)
    assert shared.find(ada.token) is shared.find(other.token) is None
    again = shared.server.sign_in(ada.user["email"], f"{PASSWORD}2")
    assert shared.find(again.token)


def test_a_user_who_is_banned_there(shared: Shared) -> None:
    ada, root = shared.sign_up(), shared.sign_up()
    shared.server.update("user", {"role": "admin"}, id=root.id)
    root = shared.server.sign_in(root.user["email"], PASSWORD)
    shared.post(root, "/admin/ban-user", {"userId": ada.id})
    assert shared.find(ada.token) is None
    assert shared.find(root.token)


@pytest.mark.postgres
def test_a_ban_without_an_end_of_the_sessions(tabled: Shared) -> None:
    ada = tabled.sign_up()
    now = datetime.now(UTC)
    for ban, is_found in (
        ({"banned": True}, False),
        ({"banned": True, "banExpires": now + timedelta(hours=1)}, False),
        ({"banned": True, "banExpires": now - timedelta(hours=1)}, True),
        ({"banned": False}, True),
    ):
        tabled.server.update("user", ban, id=ada.id)
        assert (tabled.find(ada.token) is not None) is is_found


@pytest.mark.postgres
def test_a_session_row_that_has_expired(tabled: Shared) -> None:
    ada = tabled.sign_up()
    over = {"expiresAt": datetime.now(UTC) - timedelta(milliseconds=1)}
    tabled.server.update("session", over, token=ada.token)
    assert tabled.find(ada.token) is None


@pytest.mark.postgres
def test_a_user_who_is_deleted_there(tabled: Shared) -> None:
    ada = tabled.sign_up()
    tabled.server.delete("user", id=ada.id)
    assert tabled.find(ada.token) is None


@pytest.mark.redis
def test_a_session_that_is_put_back_stays_revoked(
    start: Start, redis_server: str
) -> None:
    """As a server may do that refreshes a session while another revokes it."""
    server = start(VERSIONS[0], redis_url=redis_server, redis_prefix="back:")
    shared = Shared(server, lambda: RedisSessions(redis_server, prefix="back:"))
    ada = shared.sign_up()
    with Redis.from_url(redis_server) as client:
        stored = client.get(f"back:{ada.token}")
        assert isinstance(stored, bytes)
        shared.post(ada, "/revoke-sessions")
        assert client.get(f"back:revoked-sessions-before-{ada.id}")
        client.set(f"back:{ada.token}", stored)
        assert shared.find(ada.token) is None
        assert server.session_of(ada.cookie) is None
        client.delete(f"back:revoked-sessions-before-{ada.id}")
        assert shared.find(ada.token)


def protected(shared: Shared) -> FastAPI:
    store = shared.store()
    ba = BetterAuth.from_environment(shared.server.environment, store=store)
    signed_in = Depends(better_auth_session(ba))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await store.aclose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/me")
    async def me(session: Any = signed_in) -> Any:
        return {"id": session.user_id, "name": session.user["name"]}

    return app


def test_a_backend_beside_it(shared: Shared, serve: Serve) -> None:
    ada = shared.sign_up()
    url = f"{serve(protected(shared))}/me"
    credentials = [{"cookie": ada.cookie}, {"authorization": f"Bearer {ada.bearer}"}]
    for headers in credentials:
        answer = httpx2.get(url, headers=headers)
        assert answer.json() == {"id": ada.id, "name": NAME}, answer.text
    raw = {"authorization": f"Bearer {ada.token}"}
    assert httpx2.get(url, headers=raw).status_code == 401
    shared.post(ada, "/sign-out")
    for headers in credentials:
        assert httpx2.get(url, headers=headers).status_code == 401
