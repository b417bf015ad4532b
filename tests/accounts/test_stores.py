"""Users in a model of the project's own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import Field, Session, SQLModel, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    answer,
    make_auth,
    me,
    post,
    refused,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer.accounts import Accounts, Message, SQLModelUserStore
from fastbearer.errors import ConfigurationError
from servers import own_database

Serve = Callable[[FastAPI], str]


class Member(SQLModel, table=True):
    """A user as FastAPI's template has them."""

    __tablename__ = "member"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    full_name: str | None = None
    is_active: bool = True


class Person(SQLModel, table=True):
    """A user with a number."""

    __tablename__ = "person"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str
    full_name: str | None = None
    email_verified: bool = False


MODELS = [Member, Person]


def sessions_of(kind: str, url: str) -> Any:
    """Return a dependency of the kind."""
    if kind == "sync":
        engine = create_engine(url, poolclass=NullPool)

        def get_session() -> Iterator[Session]:
            with Session(engine) as session:
                yield session

        return get_session
    driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    scheme, _, rest = url.partition(":")
    async_engine = create_async_engine(f"{driver[scheme]}:{rest}", poolclass=NullPool)

    async def get_async_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(async_engine) as session:
            yield session

    return get_async_session


@pytest.fixture(params=["sync", "async"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    url = f"sqlite:///{tmp_path}/own.db"
    engine = create_engine(url, poolclass=NullPool)
    SQLModel.metadata.create_all(engine)
    yield sessions_of(request.param, url), engine
    engine.dispose()


@pytest.mark.parametrize("model", MODELS)
def test_a_day_with_a_model_of_ones_own(
    serve: Serve, tmp_path: Path, sessions: Any, model: Any
) -> None:
    get_session, engine = sessions
    store = SQLModelUserStore(
        model, get_session, password_hash="hashed_password", name="full_name"
    )
    outbox: list[Message] = []
    accounts = Accounts(
        make_auth(tmp_path / "codes.db", refresh_tokens=True, revocation="memory"),
        store=store,
        hasher=CHEAP,
        send=outbox.append,
    )
    app = FastAPI()
    app.include_router(accounts.router)
    service = serve(app)

    data = sign_up(service, name="Ada").json()["data"]
    assert me(service, data["token"]).json()["data"] == {
        **data["user"],
        "email_verified": False,
    }
    assert answer(sign_up(service)) == refused(400, "Email already registered")
    assert sign_in(service, password="wrong").status_code == 401
    new = {"current_password": PASSWORD, "new_password": "another battery"}
    token = token_of(post(service, "change-password", data["token"], **new))
    assert sign_in(service, password="another battery").status_code == 200
    refreshed = post(
        service,
        "refresh",
        refresh_token=sign_in(service, password="another battery").json()["data"][
            "refresh_token"
        ],
    )
    assert refreshed.json()["data"]["user"] == data["user"]
    post(service, "forgot-password", email=EMAIL)
    while not outbox:
        pass
    reset = {"code": outbox[0].code, "password": "a third battery"}
    assert post(service, "reset-password", **reset).status_code == 200
    token = token_of(sign_in(service, password="a third battery"))
    verified = me(service, token).json()["data"]["email_verified"]
    assert verified is (model is Person)
    deleted = post(service, "delete-account", token, password="a third battery")
    assert deleted.status_code == 200
    with Session(engine) as session:
        assert session.exec(select(model)).all() == []


def test_existing_users_of_any_spelling(
    serve: Serve, tmp_path: Path, sessions: Any
) -> None:
    get_session, engine = sessions
    with Session(engine) as session:
        for email, active in (("Ada@Example.com", True), ("off@example.com", False)):
            hashed = CHEAP.hash(PASSWORD)
            session.add(Member(email=email, hashed_password=hashed, is_active=active))
        session.commit()
    store = SQLModelUserStore(Member, get_session, password_hash="hashed_password")
    app = FastAPI()
    auth = make_auth(tmp_path / "never.db", revocation="memory")
    app.include_router(Accounts(auth, store=store, hasher=CHEAP).router)
    service = serve(app)
    assert sign_in(service).status_code == 200
    assert answer(sign_up(service)) == refused(400, "Email already registered")
    unknown = sign_in(service, email="nobody@example.com")
    assert answer(sign_in(service, email="off@example.com")) == answer(unknown)
    # Without a sender of the project's, and with nothing to remember of sessions,
    # there is no database of ours.
    assert not (tmp_path / "never.db").exists()
    assert post(service, "forgot-password", email=EMAIL).status_code == 404
    for odd in ("7", "x", "é", "\0", "9" * 30, str(2**63), ""):
        assert me(service, auth.generate_jwt_token(odd or "-", "")).status_code == 401


@pytest.mark.postgres
@pytest.mark.parametrize("model", MODELS)
def test_a_race_on_postgresql(serve: Serve, tmp_path: Path, model: Any) -> None:
    with own_database() as url:
        get_session = sessions_of("async", url)
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))

        async def create() -> None:
            async with engine.begin() as connection:
                await connection.run_sync(SQLModel.metadata.create_all)
            await engine.dispose()

        asyncio.run(create())
        store = SQLModelUserStore(model, get_session, password_hash="hashed_password")
        app = FastAPI()
        auth = make_auth(tmp_path / "never.db")
        app.include_router(Accounts(auth, store=store, hasher=CHEAP).router)
        service = serve(app)
        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda _: sign_up(service), range(20)))
        assert sorted(one.status_code for one in answers) == [201] + [400] * 19
        token = token_of(next(one for one in answers if one.status_code == 201))
        for odd in ("\0", str(2**63), str(2**40), "x"):
            bad = auth.generate_jwt_token(odd, "")
            assert me(service, bad).status_code == 401
        assert me(service, token).status_code == 200


def test_a_model_must_have_the_fields() -> None:
    with pytest.raises(ConfigurationError, match="Member has no field password_hash"):
        SQLModelUserStore(Member, lambda: None)
