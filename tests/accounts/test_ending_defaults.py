"""Without a word about revocation, signing out ends the token: wherever users are."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from redis.asyncio import Redis
from sqlalchemy import Engine
from sqlmodel import Field, Session, SQLModel, create_engine
from starlette.testclient import TestClient

from accounts_kit import CHEAP, EMAIL, PASSWORD, bearer, url_of
from better_auth_tables import better_auth_tables
from fastbearer.accounts import Accounts, BetterAuthUserStore, SQLModelUserStore
from fastbearer.accounts.places import log_sessions
from fastbearer.fastapi import Auth, Settings
from project import SECRET
from servers import redis

CREDENTIALS = {"email": EMAIL, "password": PASSWORD}


class OwnUser(SQLModel, table=True):
    __tablename__ = "user_of_ending_defaults"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    password_hash: str


def own_store(folder: Path) -> SQLModelUserStore:
    engine: Engine = create_engine(f"sqlite:///{folder / 'own.db'}")
    SQLModel.metadata.create_all(engine, tables=[OwnUser.__table__])  # type: ignore[attr-defined]

    def sessions() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    return SQLModelUserStore(OwnUser, sessions)


@contextmanager
def accounts_of(kind: str, folder: Path, client: Redis | None) -> Iterator[Accounts]:
    """Give accounts with their users in such a place, and what was named beside it."""
    users, _, beside = kind.partition(", ")
    settings: dict[str, Any] = {}
    if beside == "database" or users == "own table":
        settings["database_url"] = url_of(folder / "a.db")
    elif beside == "redis":
        settings["redis_url"] = redis()
    if users == "default file":
        settings = {}
    secret = {"better_auth_secret": SECRET, "throttle": False}
    if users != "better auth":
        own = own_store(folder) if users == "own store" else None
        auth = Auth(Settings(**secret, **settings), redis=client)
        yield Accounts(auth, store=own, hasher=CHEAP)
        return
    with better_auth_tables("sqlite", folder) as tables:
        store = None
        if beside == "database":
            settings["better_auth_database_url"] = tables.url
        else:
            store = BetterAuthUserStore(tables.url)
        yield Accounts(Auth(Settings(**secret, **settings), redis=client), store=store)


async def nothing() -> None:
    pass


def app_with(client: Redis | None) -> FastAPI:
    """Return an application that closes its own client when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if client is not None:
                await stack.enter_async_context(client)
            yield

    return FastAPI(lifespan=lifespan)


IN_REDIS = pytest.mark.redis


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("own table", "kept in the database"),
        ("default file", "kept in the database"),
        ("own store, database", "kept in the database"),
        ("own store, nothing", "this process alone"),
        pytest.param("own store, redis", "kept in Redis", marks=IN_REDIS),
        pytest.param("own store, redis client", "kept in Redis", marks=IN_REDIS),
        ("better auth, database", "kept in the database"),
        ("better auth, nothing", "this process alone"),
        pytest.param("better auth, redis", "kept in Redis", marks=IN_REDIS),
    ],
)
def test_signing_out_ends_the_token(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    told: str,
) -> None:
    caplog.set_level(logging.INFO, "fastbearer")
    monkeypatch.chdir(tmp_path)
    client_of_app = Redis.from_url(redis()) if kind.endswith("client") else None
    with accounts_of(kind, tmp_path, client_of_app) as accounts:
        app = app_with(client_of_app)
        app.include_router(accounts.router)
        dependency = accounts._auth.verify_jwt_token
        app.add_api_route("/mine", nothing, dependencies=[Depends(dependency)])
        with TestClient(app) as client:
            assert told in caplog.text

            def post(route: str, token: str = "", **body: Any) -> Any:
                headers = bearer(token) if token else {}
                return client.post(f"/api/auth/{route}", json=body, headers=headers)

            def status(token: str) -> int:
                return client.get("/mine", headers=bearer(token)).status_code

            routes = ("signup", "signin", "signin", "signin")
            answers = [post(route, **CREDENTIALS).json() for route in routes]
            tokens = [one["data"]["token"] for one in answers]
            assert [status(one) for one in tokens] == [200] * 4
            assert post("signout", tokens[0]).status_code == 200
            assert [status(one) for one in tokens] == [401, 200, 200, 200]
            assert post("signout-everywhere", tokens[1]).status_code == 200
            assert [status(one) for one in tokens] == [401] * 4
            again = post("signin", **CREDENTIALS).json()["data"]["token"]
            assert status(again) == 200


def test_the_bare_dependency_stays_stateless() -> None:
    auth = Auth(Settings(better_auth_secret=SECRET))
    with TestClient(FastAPI(lifespan=auth.lifespan)):
        assert auth.revocations is None


@pytest.mark.parametrize(
    ("settings", "is_told"),
    [
        ({"refresh_tokens": True}, True),
        ({"refresh_tokens": True, "jwt_expiration_days": 0.01}, False),
        ({"refresh_tokens": True, "jwt_expiration_days": 7}, True),
        ({}, False),
    ],
)
def test_long_access_tokens_beside_refresh_tokens_are_noted(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, Any],
    is_told: bool,
) -> None:
    caplog.set_level(logging.INFO, "fastbearer")
    url = url_of(tmp_path / "a.db")
    auth = Auth(Settings(better_auth_secret=SECRET, database_url=url, **settings))
    app = FastAPI()
    app.include_router(Accounts(auth, hasher=CHEAP).router)
    with TestClient(app):
        assert ("JWT_EXPIRATION_DAYS=0.01" in caplog.text) is is_told


def test_a_store_of_ones_own_is_no_database(caplog: pytest.LogCaptureFixture) -> None:
    class Elsewhere:
        async def revoke(self, *_: object) -> None:
            pass

    caplog.set_level(logging.INFO, "fastbearer")
    store: Any = Elsewhere()
    log_sessions(Auth(Settings(better_auth_secret=SECRET), revocations=store))
    assert "kept in a store of the application's own" in caplog.text
