"""The row of the signed-in user as a dependency."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, WebSocket
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

import fastbearer.accounts
from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    Store,
    answer,
    bearer,
    http,
    make_auth,
    refused,
    rows,
    sign_up,
    token_of,
)
from fastbearer import Key, Signer
from fastbearer.accounts import Accounts, SQLModelUserStore, User
from fastbearer.fastapi import Auth, Issuer, Settings
from project import SECRET
from project_models import (
    DEPENDENCIES,
    Engines,
    async_dependency,
    async_maker,
    coroutine,
    engines_on,
    maker,
    managers,
    plain,
    sync_dependency,
)
from servers import BOTH

Serve = Callable[[FastAPI], str]
INVALID = "Invalid token"


class Base(AsyncAttrs, DeclarativeBase):
    """Of the models here."""


class Owner(Base):
    """Users of a project."""

    __tablename__ = "owner"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    visits: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    pets: Mapped[list[Pet]] = relationship(cascade="all, delete-orphan")


class Pet(Base):
    """What belongs to them."""

    __tablename__ = "pet"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"))
    name: Mapped[str]


@pytest.fixture(params=BOTH)
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engines]:
    with engines_on(request.param, tmp_path, Owner) as engines:
        yield engines


def project(folder: Path, engines: Engines, get_session: Any) -> FastAPI:
    """Return an application without routes of its own, yet with accounts."""
    auth = make_auth(folder / "a.db", revocation="memory")
    store = SQLModelUserStore(Owner, get_session)
    accounts = Accounts(auth, store=store, hasher=CHEAP)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await engines.asynchronous.dispose()

    app = FastAPI(lifespan=lifespan)
    app.include_router(accounts.router)
    app.state.accounts, app.state.auth = accounts, auth
    return app


def with_threads(app: FastAPI, get_session: Any) -> None:
    """Add routes that use a ``Session``."""
    current = Depends(app.state.accounts.current_account)
    given = Depends(get_session)

    @app.post("/visit")
    def visit(owner: Any = current, session: Any = given) -> dict[str, Any]:
        owner.visits += 1
        owner.pets.append(Pet(name=f"pet {len(owner.pets)}"))
        session.commit()
        pets = [pet.name for pet in owner.pets]
        return {"is_in": owner in session, "visits": owner.visits, "pets": pets}


def with_coroutines(app: FastAPI, get_session: Any) -> None:
    """Add routes that use an ``AsyncSession``."""
    current = Depends(app.state.accounts.current_account)
    given = Depends(get_session)

    @app.post("/visit")
    async def visit(owner: Any = current, session: Any = given) -> dict[str, Any]:
        owner.visits += 1
        pets = await owner.awaitable_attrs.pets
        pets.append(Pet(name=f"pet {len(pets)}"))
        is_in = owner in session
        await session.commit()
        await session.refresh(owner, ["visits", "pets"])
        names = [pet.name for pet in owner.pets]
        return {"is_in": is_in, "visits": owner.visits, "pets": names}


KINDS = [(sync_dependency, with_threads), (async_dependency, with_coroutines)]


def visit(url: str, token: str | None) -> httpx2.Response:
    headers = {} if token is None else bearer(token)
    return http.post(f"{url}/visit", headers=headers)


@pytest.mark.parametrize(("dependency", "add_routes"), KINDS)
def test_the_row_is_in_the_handlers_session(
    serve: Serve, engines: Engines, tmp_path: Path, dependency: Any, add_routes: Any
) -> None:
    opened = []
    inner = dependency(engines)
    if add_routes is with_threads:

        def get_session() -> Iterator[Any]:
            opened.append(1)
            yield from inner()
    else:

        async def get_session() -> AsyncIterator[Any]:  # type: ignore[misc]
            opened.append(1)
            async for session in inner():
                yield session

    app = project(tmp_path, engines, get_session)
    add_routes(app, get_session)
    url = serve(app)
    token = token_of(sign_up(url))
    opened.clear()
    assert visit(url, token).json() == {"is_in": True, "visits": 1, "pets": ["pet 0"]}
    assert opened == [1]
    assert visit(url, token).json()["pets"] == ["pet 0", "pet 1"]
    assert engines.run("SELECT visits FROM owner") == [(2,)]
    opened.clear()
    assert visit(url, None).status_code == visit(url, f"{token}x").status_code == 401
    assert opened == []


@pytest.mark.parametrize(("dependency", "add_routes"), KINDS)
def test_attack_a_user_who_is_gone_or_disabled(
    serve: Serve, engines: Engines, tmp_path: Path, dependency: Any, add_routes: Any
) -> None:
    get_session = dependency(engines)
    app = project(tmp_path, engines, get_session)
    add_routes(app, get_session)
    url = serve(app)
    token = token_of(sign_up(url))
    engines.run("UPDATE owner SET is_active = (1 = 0)")
    response = visit(url, token)
    assert answer(response) == refused(401, INVALID)
    assert "invalid_token" in response.headers["www-authenticate"]
    engines.run("UPDATE owner SET is_active = (1 = 1)")
    assert visit(url, token).status_code == 200
    engines.run("DELETE FROM pet")
    engines.run("DELETE FROM owner")
    assert answer(visit(url, token)) == refused(401, INVALID)


def test_attack_a_user_of_another_issuer_with_the_id_of_one_of_ours(
    serve: Serve, tmp_path: Path
) -> None:
    key = Key.generate("ES256")
    issuer = Issuer("https://id.example", keys=key.public(), ignore_audience=True)
    settings = Settings(
        better_auth_secret=SECRET,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/a.db",
        throttle=False,
    )
    auth = Auth(settings, issuers=[issuer])
    accounts = Accounts(auth, hasher=CHEAP)
    app = FastAPI()
    app.include_router(accounts.router)

    @app.post("/visit")
    async def visiting(user: User = Depends(accounts.current_account)) -> str:  # noqa: B008
        return user.email

    url = serve(app)
    made = sign_up(url).json()["data"]
    assert visit(url, made["token"]).json() == EMAIL
    signer = Signer(key, issuer="https://id.example", lifetime=60)
    token = signer.sign({"sub": made["user"]["id"], "email": EMAIL})
    assert visit(url, token).status_code == 401


def test_the_user_of_the_own_table(serve: Serve, database: Store) -> None:
    accounts = Accounts(make_auth(database), hasher=CHEAP)
    app = FastAPI()
    app.include_router(accounts.router)

    @app.post("/visit")
    async def visiting(user: User = Depends(accounts.current_account)) -> Any:  # noqa: B008
        return {"email": user.email, "roles": user.roles}

    url = serve(app)
    token = token_of(sign_up(url))
    assert visit(url, token).json() == {"email": EMAIL, "roles": []}
    rows(database, "UPDATE fastbearer_user SET roles = 'admin'")
    assert visit(url, token).json()["roles"] == ["admin"]
    document = http.get(f"{url}/openapi.json").json()
    operation = document["paths"]["/visit"]["post"]
    assert operation["security"] == [{"Bearer": []}]
    assert "parameters" not in operation and "requestBody" not in operation
    rows(database, "DELETE FROM fastbearer_user")
    assert answer(visit(url, token)) == refused(401, INVALID)


def test_a_database_that_is_away(tmp_path: Path) -> None:
    engines = Engines(f"sqlite:///{tmp_path}/owners.db")
    engines.make(Owner)
    get_session = sync_dependency(engines)
    app = project(tmp_path, engines, get_session)
    with_threads(app, get_session)
    with TestClient(app) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        made = client.post("/api/auth/signup", json=body)
        headers = bearer(made.json()["data"]["token"])
        away = Engines("postgresql://nobody@127.0.0.1:9/none")
        app.dependency_overrides[get_session] = async_dependency(away)
        response = client.post("/visit", headers=headers)
    assert response.status_code == 503
    assert response.headers["retry-after"]


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_each_kind_of_session(tmp_path: Path, dependency: Any) -> None:
    """Where FastAPI makes no session of it, the row is in none."""
    engines = Engines(f"sqlite:///{tmp_path}/owners.db")
    engines.make(Owner)
    app = project(tmp_path, engines, dependency(engines))

    @app.post("/visit")
    async def visiting(
        owner: Any = Depends(app.state.accounts.current_account),  # noqa: B008
    ) -> str:
        return str(owner.email)

    with TestClient(app) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        made = client.post("/api/auth/signup", json=body)
        headers = bearer(made.json()["data"]["token"])
        assert client.post("/visit", headers=headers).json() == EMAIL
        document = client.get("/openapi.json").json()
        assert "parameters" not in document["paths"]["/visit"]["post"]
    engines.sync.dispose()


def test_which_sessions_are_shared(tmp_path: Path) -> None:
    engines = Engines(f"sqlite:///{tmp_path}/owners.db")
    for dependency in (sync_dependency, async_dependency):
        function = dependency(engines)
        assert SQLModelUserStore(Owner, function).session_dependency is function
    for dependency in (maker, async_maker, plain, coroutine, managers):
        store = SQLModelUserStore(Owner, dependency(engines))
        assert store.session_dependency is None


def test_a_websocket(tmp_path: Path) -> None:
    engines = Engines(f"sqlite:///{tmp_path}/owners.db")
    engines.make(Owner)
    get_session = sync_dependency(engines)
    app = project(tmp_path, engines, get_session)

    @app.websocket("/live")
    async def live(
        socket: WebSocket,
        owner: Any = Depends(app.state.accounts.current_account),  # noqa: B008
    ) -> None:
        await socket.accept()
        await socket.send_text(json.dumps({"email": owner.email}))
        await socket.close()

    with TestClient(app) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        made = client.post("/api/auth/signup", json=body)
        headers = bearer(made.json()["data"]["token"])
        with client.websocket_connect("/live", headers=headers) as socket:
            assert socket.receive_json() == {"email": EMAIL}
        engines.run("DELETE FROM owner")
        with (
            pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
            client.websocket_connect("/live", headers=headers) as socket,
        ):
            socket.receive_json()
    engines.sync.dispose()


def test_the_alias_is_of_the_default_accounts() -> None:
    kind, depends = fastbearer.accounts.CurrentAccount.__metadata__[0], None
    assert kind.dependency is fastbearer.accounts.accounts.current_account, depends
