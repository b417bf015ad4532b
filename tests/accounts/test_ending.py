"""With accounts, ending a session ends it: every token of it, everywhere."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from accounts_kit import (
    CHEAP,
    EMAIL,
    PASSWORD,
    Store,
    bearer,
    make_auth,
    make_service,
    me,
    post,
    rows,
    sign_in,
    sign_up,
    token_of,
)
from fastbearer import Verifier
from fastbearer.accounts import Accounts, User
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from fastbearer.fastapi import Auth, Settings
from fastbearer.revocation import MemoryRevocations, replica
from fastbearer.testing import FrozenClock
from project import SECRET
from servers import on_every_database, redis

Serve = Callable[[FastAPI], str]
NEW = "another horse battery"


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


@pytest.fixture
def service(serve: Serve, database: Store) -> str:
    """The service as it is without a word about revocation; with refreshing."""
    return serve(make_service(database, refresh_tokens=True))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A browser, with the session in cookies."""
    app = make_service(
        tmp_path / "a.db", refresh_tokens=True, auth_cookie=True, cookie_secure=False
    )
    with TestClient(app, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        yield browser


def refreshed(service: str, response: Any) -> Any:
    token = response.json()["data"]["refresh_token"]
    return post(service, "refresh", refresh_token=token)


def statuses(service: str, *responses: Any) -> list[int]:
    return [me(service, token_of(one)).status_code for one in responses]


# --- the default


def test_it_is_on_where_accounts_are_and_nowhere_else(service: str) -> None:
    token = token_of(sign_up(service))
    assert {"sid", "gen", "jti"} <= claims_of(token).keys()
    assert claims_of(token)["requestType"] == 0
    assert post(service, "signout", token).status_code == 200
    assert me(service, token).status_code == 401
    bare = Auth(Settings(better_auth_secret=SECRET))
    assert bare.revocations is None
    Accounts(bare)  # made, but not running: as when the package is imported
    assert bare.revocations is None
    claims = claims_of(bare.generate_jwt_token("u1", "a@b.c"))
    assert set(claims) == {"sub", "user_id", "email", "iat", "exp", "requestType"}


def test_what_is_in_force_is_said_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def said(**settings: Any) -> str:
        caplog.clear()
        with TestClient(make_service(tmp_path / "a.db", **settings)):
            return caplog.text

    assert "kept in the database" in said()
    assert "kept in Redis" in said(revocation="redis", redis_url=redis())
    assert "this process alone" in said(revocation="memory")
    assert "REVOCATION=off" in said(revocation="off")


def test_a_store_of_ones_own_opens_no_file(tmp_path: Path) -> None:
    """Without a database that somebody named, the memory of the process must do."""
    auth = Auth(Settings(better_auth_secret=SECRET))
    accounts = Accounts(auth, store=OneUser())
    folder = tmp_path / "empty"
    folder.mkdir()

    async def run() -> None:
        async with accounts.lifespan(None):
            assert isinstance(auth.revocations, MemoryRevocations)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        asyncio.run(run())
    assert list(folder.iterdir()) == []


# --- every token of a session


@pytest.mark.parametrize("way", ["signout", "everywhere", "change", "delete", "theft"])
@on_every_database
def test_older_access_tokens_end_too(service: str, database: Store, way: str) -> None:
    """The older token of a session that was refreshed ends with it."""
    first = sign_up(service)
    second = refreshed(service, first)
    if way == "signout":
        post(service, "signout", token_of(second))
    elif way == "everywhere":
        post(service, "signout-everywhere", token_of(second))
    elif way == "change":
        body = {"current_password": PASSWORD, "new_password": NEW}
        changed = post(service, "change-password", token_of(second), **body)
        assert statuses(service, changed) == [200]
    elif way == "delete":
        post(service, "delete-account", token_of(second), password=PASSWORD)
    else:
        rows(
            database,
            "UPDATE fastbearer_refresh_token SET used_at = '2020-01-01 00:00:00'"
            " WHERE used_at IS NOT NULL",
        )
        assert refreshed(service, first).status_code == 401
    assert statuses(service, first, second) == [401, 401]
    assert refreshed(service, second).status_code == 401


def test_another_session_stays(service: str) -> None:
    first, other = sign_up(service), sign_in(service)
    post(service, "signout", token_of(first))
    assert statuses(service, first, other) == [401, 200]
    assert refreshed(service, other).status_code == 200


def test_signing_in_right_after_is_never_refused(
    serve: Serve, database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the clock of Python leads that of the core by a second's edge."""
    monkeypatch.setattr(time, "time", FrozenClock(int(time.time()) + 2.0))
    service = serve(make_service(database, refresh_tokens=True))
    token = token_of(sign_up(service))
    for _ in range(3):
        assert post(service, "signout-everywhere", token).status_code == 200
        assert me(service, token).status_code == 401
        token = token_of(sign_in(service))
        assert me(service, token).status_code == 200


def test_a_token_is_signed_by_the_clock_that_ends_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The core's own clock may be a moment behind, in the second before."""
    monkeypatch.setattr(time, "time", FrozenClock(1_900_000_000.0))
    auth = Auth(Settings(better_auth_secret=SECRET))
    assert claims_of(auth.generate_jwt_token("u1", ""))["iat"] == 1_900_000_000


def test_signing_in_elsewhere_before_the_news_is_there(
    serve: Serve, database: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that know nothing of each other but through the store."""
    monkeypatch.setattr(replica, "POLL_SECONDS", 3600.0)

    async def deaf(*_: object) -> bool:
        return False

    from fastbearer.accounts.database_revocations import DatabaseJournal

    monkeypatch.setattr(DatabaseJournal, "listen", deaf)
    here = serve(make_service(database, refresh_tokens=True))
    there = serve(make_service(database, refresh_tokens=True))
    signed = sign_up(here)
    post(here, "signout-everywhere", token_of(signed))
    # The other one has not heard of it, yet neither refreshes nor mints the old.
    assert refreshed(there, signed).status_code == 401
    fresh = sign_in(there)
    assert statuses(here, fresh) == statuses(there, fresh) == [200]


@on_every_database
def test_one_call_ends_refresh_tokens_too(serve: Serve, database: Store) -> None:
    auth = make_auth(database, refresh_tokens=True)
    accounts = Accounts(auth, hasher=CHEAP)
    app = FastAPI()
    app.include_router(accounts.router)

    @app.post("/disable/{user_id}/{way}")
    async def disable(user_id: str, way: str) -> None:
        if way == "store" and auth.revocations is not None:
            await auth.revocations.end_sessions(user_id)
        else:
            await accounts.end_sessions(user_id)

    @app.get("/own")
    async def own(user: Any = Depends(auth.verify_jwt_token)) -> Any:  # noqa: B008
        return user

    with TestClient(app) as client:
        body = {"email": EMAIL, "password": PASSWORD}
        signed = client.post("/api/auth/signup", json=body).json()["data"]
        for way in ("store", "accounts"):
            headers = bearer(signed["token"])
            assert client.get("/own", headers=headers).status_code == 200
            client.post(f"/disable/{signed['user']['id']}/{way}")
            assert client.get("/own", headers=headers).status_code == 401
            given = {"refresh_token": signed["refresh_token"]}
            assert client.post("/api/auth/refresh", json=given).status_code == 401
            signed = client.post("/api/auth/signin", json=body).json()["data"]


@on_every_database
def test_a_deleted_users_token_is_not_the_next_ones(
    service: str, database: Store
) -> None:
    """A database may give the id of a deleted user to the next one."""
    signed = sign_up(service)
    user_id = signed.json()["data"]["user"]["id"]
    deleted = post(service, "delete-account", token_of(signed), password=PASSWORD)
    assert deleted.is_success
    sign_up(service)
    rows(database, f"UPDATE fastbearer_user SET id = '{user_id}'")
    assert statuses(service, signed) == [401]
    assert refreshed(service, signed).status_code == 401
    assert statuses(service, sign_in(service)) == [200]


# --- cookies


def cookies_of(client: TestClient) -> dict[str, str]:
    return dict(client.cookies)


def test_signing_out_with_an_expired_access_cookie(client: TestClient) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    client.post("/api/auth/signup", json=body)
    kept = cookies_of(client)
    access, second = client.cookies["fastbearer"], kept["fastbearer-refresh"]
    client.cookies.clear()
    client.cookies.set("fastbearer", access[:-4] + "AAAA")
    client.cookies.set("fastbearer-refresh", second)
    assert client.get("/api/auth/me").status_code == 401
    response = client.post("/api/auth/signout")
    assert response.status_code == 200
    cleared = response.headers.get_list("set-cookie")
    assert len(cleared) == 2 and all("Max-Age=0" in cookie for cookie in cleared)
    client.cookies.clear()
    client.cookies.set("fastbearer-refresh", second)
    assert client.post("/api/auth/refresh").status_code == 401
    client.cookies.clear()
    client.cookies.set("fastbearer", access)
    assert client.get("/api/auth/me").status_code == 401


def test_signing_out_with_a_refresh_token_alone(service: str) -> None:
    signed = sign_up(service)
    given = {"refresh_token": signed.json()["data"]["refresh_token"]}
    assert post(service, "signout", **given).status_code == 200
    assert statuses(service, signed) == [401]
    assert refreshed(service, signed).status_code == 401
    assert post(service, "signout", **given).status_code == 401
    assert post(service, "signout", refresh_token="x").status_code == 401


@pytest.mark.parametrize("way", ["signout", "signout-everywhere", "delete-account"])
def test_what_ends_a_session_clears_its_cookies(client: TestClient, way: str) -> None:
    client.post("/api/auth/signup", json={"email": EMAIL, "password": PASSWORD})
    assert set(cookies_of(client)) == {"fastbearer", "fastbearer-refresh"}
    response = client.post(f"/api/auth/{way}", json={"password": PASSWORD})
    assert response.status_code == 200
    assert cookies_of(client) == {}


def test_a_new_sign_in_ends_the_browsers_former_session(client: TestClient) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    client.post("/api/auth/signup", json=body)
    former = cookies_of(client)
    client.post("/api/auth/signin", json=body)
    assert client.get("/api/auth/me").status_code == 200
    latter = cookies_of(client)
    client.cookies.clear()
    for name, value in former.items():
        client.cookies.set(name, value)
    assert client.get("/api/auth/me").status_code == 401
    assert client.post("/api/auth/refresh").status_code == 401
    client.cookies.clear()
    for name, value in latter.items():
        client.cookies.set(name, value)
    assert client.post("/api/auth/refresh").status_code == 200


@pytest.mark.parametrize("planted_first", [True, False])
def test_a_planted_cookie_does_not_keep_the_former_session(
    client: TestClient, *, planted_first: bool
) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    client.post("/api/auth/signup", json=body)
    former = cookies_of(client)
    client.cookies.clear()
    pairs = [*former.items(), *((name, "planted") for name in former)]
    if planted_first:
        pairs.reverse()
    sent = "; ".join(f"{name}={value}" for name, value in pairs)
    again = client.post("/api/auth/signin", json=body, headers={"Cookie": sent})
    assert again.status_code == 200
    client.cookies.clear()
    for name, value in former.items():
        client.cookies.set(name, value)
    assert client.get("/api/auth/me").status_code == 401
    assert client.post("/api/auth/refresh").status_code == 401


def test_a_sign_in_without_cookies_ends_nothing(service: str) -> None:
    first = sign_up(service)
    sign_in(service)
    assert statuses(service, first) == [200]


def test_no_answer_about_an_account_is_kept_by_caches(client: TestClient) -> None:
    client.post("/api/auth/signup", json={"email": EMAIL, "password": PASSWORD})
    for response in (client.get("/api/auth/me"), client.post("/api/auth/signout")):
        assert response.headers["cache-control"] == "no-store"


# --- what fails midway


class OneUser:
    """A store of one user, which calls a function before it answers."""

    def __init__(self) -> None:
        self.user: User | None = None
        self.before: Callable[[str], None] = lambda name: None

    async def add(self, user: User) -> None:
        self.before("add")
        self.user = user

    async def find_by_email(self, email: str) -> User | None:
        return self._copy() if self.user and self.user.email == email else None

    async def find(self, user_id: str) -> User | None:
        self.before("find")
        return self._copy() if self.user and self.user.id == user_id else None

    async def replace_password_hash(self, user: User, password_hash: str) -> bool:
        if self.user is None or self.user.password_hash != user.password_hash:
            return False
        self.user.password_hash = password_hash
        self.before("replaced")
        return True

    async def verify_email(self, user: User) -> None:
        pass

    async def remove(self, user: User) -> None:
        self.user = None
        self.before("removed")

    def _copy(self) -> User | None:
        return None if self.user is None else self.user.model_copy()


class Breaking(MemoryRevocations):
    """A store that can be lost at any moment."""

    is_lost = False

    async def end_sessions(self, user_id: str) -> int:
        self._check()
        return await super().end_sessions(user_id)

    async def end_session(self, session: str, until: float) -> None:
        self._check()
        await super().end_session(session, until)

    async def not_before(self, user_id: str) -> int:
        self._check()
        return await super().not_before(user_id)

    def _check(self) -> None:
        if self.is_lost:
            raise StoreUnavailableError("lost")


class World:
    """Accounts whose two stores do what a test wants."""

    def __init__(self, folder: Path) -> None:
        self.codes: list[str] = []
        self.users, self.revocations = OneUser(), Breaking()
        settings = make_auth(folder / "a.db").settings
        self.auth = Auth(settings, revocations=self.revocations)
        self.accounts = Accounts(
            self.auth,
            store=self.users,
            hasher=CHEAP,
            send=lambda message: self.codes.append(message.code),
        )
        app = FastAPI()
        app.include_router(self.accounts.router)
        self.client = TestClient(app)

    def post(self, route: str, token: str | None = None, **body: Any) -> Any:
        headers = {} if token is None else bearer(token)
        return self.client.post(f"/api/auth/{route}", json=body, headers=headers)

    def sign_up(self) -> str:
        return token_of(self.post("signup", email=EMAIL, password=PASSWORD))

    def me(self, token: str) -> int:
        return self.client.get("/api/auth/me", headers=bearer(token)).status_code

    def lose_after(self, name: str) -> None:
        def lose(step: str) -> None:
            self.revocations.is_lost = self.revocations.is_lost or step == name

        self.users.before = lose


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with made.client:
        yield made


def test_a_reset_that_loses_the_store_first_has_changed_nothing(world: World) -> None:
    intruder = world.sign_up()
    world.post("forgot-password", email=EMAIL)
    world.revocations.is_lost = True
    body = {"code": world.codes[-1], "password": NEW}
    assert world.post("reset-password", **body).status_code == 503
    world.revocations.is_lost = False
    # The code is still good, and the password the old one.
    assert world.post("signin", email=EMAIL, password=PASSWORD).status_code == 200
    assert world.post("reset-password", **body).status_code == 200
    assert world.me(intruder) == 401
    assert world.post("signin", email=EMAIL, password=NEW).status_code == 200


def test_a_reset_that_loses_the_store_midway_has_ended_the_sessions(
    world: World,
) -> None:
    intruder = world.sign_up()
    world.post("forgot-password", email=EMAIL)
    world.lose_after("replaced")
    body = {"code": world.codes[-1], "password": NEW}
    assert world.post("reset-password", **body).status_code == 503
    assert world.me(intruder) == 401
    world.users.before = lambda name: None
    world.revocations.is_lost = False
    fresh = world.post("signin", email=EMAIL, password=NEW)
    assert fresh.status_code == 200 and world.me(token_of(fresh)) == 200


def test_what_began_during_a_lost_change_ends_when_the_store_is_back(
    world: World,
) -> None:
    token = world.sign_up()
    user_id = claims_of(token)["sub"]
    meanwhile: list[str] = []

    def lose(step: str) -> None:
        if step != "replaced" or meanwhile:
            return
        # Between the two ends somebody has begun a session.
        generation = world.revocations.generation(user_id)
        claims = {"sid": "meanwhile", "gen": generation}
        meanwhile.append(world.auth.generate_jwt_token(user_id, "", claims=claims))
        world.revocations.is_lost = True

    world.users.before = lose
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert world.post("change-password", token, **body).status_code == 503
    assert world.me(token) == 401
    world.revocations.is_lost = False
    assert world.post("signin", email=EMAIL, password=NEW).status_code == 200
    assert world.me(meanwhile[0]) == 401


def test_a_deletion_that_loses_the_store_leaves_no_good_token(world: World) -> None:
    token = world.sign_up()
    world.revocations.is_lost = True
    assert world.post("delete-account", token, password=PASSWORD).status_code == 503
    assert world.users.user is not None
    world.revocations.is_lost = False
    world.lose_after("removed")
    assert world.post("delete-account", token, password=PASSWORD).status_code == 503
    assert world.me(token) == 401


def test_a_sign_up_that_loses_the_store_leaves_no_user(world: World) -> None:
    world.lose_after("add")
    body = {"email": EMAIL, "password": PASSWORD}
    assert world.post("signup", **body).status_code == 503
    assert world.users.user is None
    world.users.before = lambda name: None
    world.revocations.is_lost = False
    assert world.post("signup", **body).status_code == 201


def test_a_change_that_a_reset_overtakes_begins_no_session(world: World) -> None:
    """While one changes the password, another resets it and ends all sessions."""
    token = world.sign_up()

    def reset(step: str) -> None:
        if step != "replaced":
            return
        world.users.before = lambda name: None
        assert world.users.user is not None
        world.users.user.password_hash = CHEAP.hash("what the reset has chosen")
        user_id = world.users.user.id
        generation = world.revocations.generation(user_id) + 1
        from fastbearer.revocation.ended import Change, Ended

        world.revocations._ended.add(Change("user", Ended.key(user_id), generation))

    world.users.before = reset
    body = {"current_password": PASSWORD, "new_password": NEW}
    response = world.post("change-password", token, **body)
    assert response.status_code == 401
    assert world.me(token) == 401


def test_a_hash_upgraded_meanwhile_refuses_nobody(world: World) -> None:
    """Two sign-ins at once: one of them stores another hash of the same password."""
    world.sign_up()
    hashes = [CHEAP.hash(PASSWORD)]

    def upgrade(step: str) -> None:
        if step == "find" and hashes and world.users.user is not None:
            world.users.user.password_hash = hashes.pop()

    world.users.before = upgrade
    fresh = world.post("signin", email=EMAIL, password=PASSWORD)
    assert not hashes and fresh.status_code == 200
    # But another password that is stored meanwhile does.
    hashes.append(CHEAP.hash(NEW))
    assert world.post("signin", email=EMAIL, password=PASSWORD).status_code == 401


# --- a verifier that was given


def given(**environment: str) -> Auth:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        key = Settings(better_auth_secret=SECRET).signing_key()
        auth = Auth(verifier=Verifier(key))
        _ = auth.cookie, auth.revocations, auth.is_open_without_revocations
        return auth


def test_a_given_verifier_keeps_what_is_configured() -> None:
    auth = given(REVOCATION="memory", AUTH_COOKIE="1", REVOCATION_FAILURE="open")
    assert isinstance(auth.revocations, MemoryRevocations)
    assert auth.cookie is not None and auth.is_open_without_revocations
    plain = given()
    assert plain.revocations is None and plain.cookie is None
    with pytest.raises(ConfigurationError, match="needs Accounts"):
        given(REVOCATION="database")
    with pytest.raises(ConfigurationError, match="COOKIE_SECURE"):
        given(COOKIE_SAMESITE="none", COOKIE_SECURE="0")
    with pytest.raises(ConfigurationError):  # and none of it signs anything
        _ = given().signer
