"""Sessions that end before their tokens expire, and those that go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from fastapi import FastAPI

from accounts_kit import (
    PASSWORD,
    Store,
    answer,
    http,
    make_auth,
    make_service,
    me,
    migrate,
    post,
    refused,
    rows,
    sign_in,
    sign_up,
    token_of,
    url_of,
)
from fastbearer import Key, Signer
from fastbearer.accounts import Accounts, Database, DatabaseRevocations
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from fastbearer.fastapi import Auth, Settings
from fastbearer.revocation import MemoryRevocations, RevocationStore, revocation_id
from fastbearer.revocation.redis import RedisRevocations
from fastbearer.testing import FrozenClock
from project import SECRET
from servers import empty_redis_cluster, on_every_database, redis

Serve = Callable[[FastAPI], str]
REVOKED = "Token has been revoked. Please sign in again."
WRONG_REFRESH = "Invalid refresh token. Please sign in again."
NEW = "another horse battery"

STORES = [
    "memory",
    "database",
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("redis cluster", marks=pytest.mark.redis_cluster),
]


@pytest.fixture(params=STORES)
def service(request: pytest.FixtureRequest, serve: Serve, database: Store) -> str:
    """A service that revokes tokens, in each kind of store, on each database."""
    kind, _, is_cluster = request.param.partition(" ")
    if kind != "redis":
        return serve(make_service(database, revocation=kind))
    url = empty_redis_cluster() if is_cluster else redis()
    return serve(make_service(database, revocation=kind, redis_url=url))


def claims_of(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token, SECRET, ["HS256"])
    return decoded


def test_a_token_that_was_signed_out_is_refused(service: str) -> None:
    first, second = token_of(sign_up(service)), token_of(sign_in(service))
    assert claims_of(first)["jti"] != claims_of(second)["jti"]
    assert answer(post(service, "signout", first)) == (200, {"success": True})
    response = me(service, first)
    assert answer(response) == refused(401, REVOKED)
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert answer(post(service, "signout", first)) == refused(401, REVOKED)
    assert me(service, second).status_code == 200


def test_signing_out_everywhere(service: str) -> None:
    tokens = [token_of(sign_up(service)), token_of(sign_in(service))]
    assert post(service, "signout-everywhere", tokens[1]).status_code == 200
    assert [me(service, token).status_code for token in tokens] == [401, 401]
    # In the same second as well.
    again = token_of(sign_in(service))
    assert me(service, again).status_code == 200
    assert post(service, "signout-everywhere", again).status_code == 200
    assert me(service, again).status_code == 401
    assert me(service, token_of(sign_in(service))).status_code == 200


def test_a_changed_password_ends_the_other_sessions(service: str) -> None:
    first, second = token_of(sign_up(service)), token_of(sign_in(service))
    changed = post(
        service,
        "change-password",
        first,
        current_password=PASSWORD,
        new_password=NEW,
    )
    third = token_of(changed)
    assert [me(service, one).status_code for one in (first, second, third)] == [
        401,
        401,
        200,
    ]


def test_the_other_sessions_may_stay(service: str) -> None:
    first, second = token_of(sign_up(service)), token_of(sign_in(service))
    post(
        service,
        "change-password",
        first,
        current_password=PASSWORD,
        new_password=NEW,
        end_other_sessions=False,
    )
    assert me(service, second).status_code == 200


def test_a_deleted_account_has_no_sessions(service: str) -> None:
    token = token_of(sign_up(service))
    assert post(service, "delete-account", token, password=PASSWORD).is_success
    assert answer(me(service, token)) == refused(401, REVOKED)


def test_without_revocation_signing_out_is_the_clients_business(
    serve: Serve, tmp_path: Path
) -> None:
    service = serve(make_service(tmp_path / "a.db", revocation="off"))
    token = token_of(sign_up(service))
    assert "jti" not in claims_of(token)
    assert post(service, "signout", token).status_code == 200
    assert me(service, token).status_code == 200
    off = "Sessions cannot be ended here: revocation is off"
    assert answer(post(service, "signout-everywhere", token)) == refused(404, off)


def test_a_token_without_a_jti_can_be_signed_out(service: str) -> None:
    """Those that a frontend mints have none, and no way around the list."""
    user = sign_up(service).json()["data"]["user"]
    signer = Signer(Key.from_secret(SECRET), lifetime=600)
    minted = signer.sign({"sub": user["id"], "email": user["email"]})
    other = signer.sign({"sub": user["id"], "email": user["email"], "n": 2})
    assert me(service, minted).status_code == 200
    assert post(service, "signout", minted).status_code == 200
    assert me(service, minted).status_code == 401
    assert me(service, other).status_code == 200


def test_a_token_without_iat_ends_with_the_sessions(service: str) -> None:
    data = sign_up(service).json()["data"]
    signer = Signer(Key.from_secret(SECRET))
    minted = signer.sign({"sub": data["user"]["id"], "exp": int(time.time()) + 60})
    assert me(service, minted).status_code == 200
    post(service, "signout-everywhere", data["token"])
    assert me(service, minted).status_code == 401


# --- the stores


def stores(kind: str, folder: Path, clock: FrozenClock) -> RevocationStore:
    if kind == "memory":
        return MemoryRevocations(clock)
    if kind == "redis":
        return RedisRevocations(redis(), prefix=f"test:{uuid4()}:", clock=clock)
    return DatabaseRevocations(Database(lambda: url_of(folder / "a.db")), clock)


@pytest.mark.parametrize("kind", STORES)
def test_every_store_does_the_same(kind: str, tmp_path: Path) -> None:
    clock = FrozenClock(time.time() + 0.5)
    now = int(clock())
    odd = "a\0b \ud800" * 1000

    async def run() -> None:
        store: Any = stores(kind, tmp_path, clock)
        if kind == "memory":
            await check(store)
            return
        async with store.lifespan(None):
            await check(store)

    async def check(store: RevocationStore) -> None:
        for token_id, user_id in (("t", "u"), (odd, odd)):
            assert not await store.is_revoked(token_id, user_id, now)
            await store.revoke(token_id, now + 60)
            await store.revoke(token_id, now + 60)
            assert await store.is_revoked(token_id, user_id, now)
            assert not await store.is_revoked(f"{token_id}x", user_id, now)
            assert await store.not_before(user_id) == 0
            assert await store.end_sessions(user_id) == now + 1
            assert await store.end_sessions(user_id) == now + 2
            assert await store.not_before(user_id) == now + 2
            assert await store.is_revoked("other", user_id, now + 1.9)
            assert await store.is_revoked("other", user_id, None)
            assert not await store.is_revoked("other", user_id, now + 2)
        await store.revoke("for ever", 2.0**53)
        assert await store.is_revoked("for ever", "nobody", None)
        ends = await asyncio.gather(*(store.end_sessions("many") for _ in range(20)))
        assert sorted(ends) == list(range(now + 1, now + 21))

    asyncio.run(run())


def test_memory_forgets_what_has_expired() -> None:
    clock = FrozenClock()
    store = MemoryRevocations(clock)

    async def run() -> None:
        for number in range(5000):
            clock.advance(1)
            await store.revoke(str(number), clock() + 10)
            assert await store.is_revoked(str(number), "u", None)

    asyncio.run(run())
    assert len(store._ended._until) <= 1024


def test_the_id_of_a_token() -> None:
    assert revocation_id("e30.b.c", {"jti": "x"}) == "x"
    digest = revocation_id("e30.b.c", {})
    assert digest == revocation_id("e30.b.another", {"jti": ""}) != "e30.b"
    assert digest == revocation_id("e30.b.c", {"jti": 7})
    assert digest != revocation_id("e30.x.c", {})


def test_a_redis_url_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL must be"):
        RedisRevocations("nonsense")


def test_database_revocations_need_a_database() -> None:
    auth = Auth(Settings(better_auth_secret=SECRET, revocation="database"))

    async def start() -> None:
        async with auth.lifespan(None):
            pass

    with pytest.raises(ConfigurationError, match="needs Accounts"):
        asyncio.run(start())


# --- when the store is down


class Down:
    async def is_revoked(self, *_: Any) -> bool:
        raise StoreUnavailableError("down")

    async def revoke(self, *_: Any) -> None:
        raise StoreUnavailableError("down")

    async def end_sessions(self, *_: Any) -> int:
        raise StoreUnavailableError("down")

    async def not_before(self, *_: Any) -> int:
        raise StoreUnavailableError("down")


@pytest.mark.parametrize("policy", ["closed", "open"])
def test_a_store_that_is_down(
    serve: Serve, tmp_path: Path, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_auth(tmp_path / "a.db", revocation_failure=policy).settings
    auth = Auth(settings, revocations=Down())
    app = FastAPI()
    app.include_router(Accounts(auth).router)
    service = serve(app)
    token = auth.generate_jwt_token("u1", "")
    response = me(service, token)
    if policy == "closed":
        unchecked = "Tokens cannot be checked at the moment. Please try again."
        assert answer(response) == refused(503, unchecked)
        assert response.headers["retry-after"] == "1"
    else:
        assert response.status_code == 401  # the user is unknown; the token good
        assert post(service, "signout", token).status_code == 503
    assert "revocation not checked" in caplog.text
    assert sign_up(service).status_code == 503


# --- refresh tokens


@pytest.fixture
def refreshing(serve: Serve, database: Store) -> str:
    return serve(make_service(database, refresh_tokens=True, revocation="memory"))


def refresh_of(response: Any) -> str:
    assert response.is_success, response.text
    return str(response.json()["data"]["refresh_token"])


def refresh(service: str, token: str) -> Any:
    return post(service, "refresh", refresh_token=token)


@on_every_database
def test_a_refresh_token_gives_the_next(refreshing: str, database: Store) -> None:
    signed = sign_up(refreshing)
    first = refresh_of(signed)
    response = refresh(refreshing, first)
    assert response.headers["cache-control"] == "no-store"
    data = response.json()["data"]
    assert data["user"] == signed.json()["data"]["user"]
    assert data["refresh_token"] != first
    assert me(refreshing, data["token"]).status_code == 200
    assert refresh(refreshing, data["refresh_token"]).status_code == 200
    stored = str(rows(database, "SELECT * FROM fastbearer_refresh_token"))
    assert first not in stored and data["refresh_token"] not in stored


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 255, "é"])
def test_what_is_no_refresh_token(refreshing: str, token: str) -> None:
    assert answer(refresh(refreshing, token)) == refused(401, WRONG_REFRESH)


@pytest.mark.parametrize("token", [7, ["x"], "x" * 256, "\0"])
def test_what_is_no_text_for_one(refreshing: str, token: Any) -> None:
    rule = "Refresh token must be a string of at most 255 characters"
    assert answer(refresh(refreshing, token)) == refused(400, rule)


@on_every_database
def test_an_expired_refresh_token(refreshing: str, database: Store) -> None:
    token = refresh_of(sign_up(refreshing))
    rows(
        database,
        "UPDATE fastbearer_refresh_token SET expires_at = '2020-01-01 00:00:00'",
    )
    assert refresh(refreshing, token).status_code == 401
    sign_in(refreshing)
    assert len(rows(database, "SELECT id FROM fastbearer_refresh_token")) == 1


@on_every_database
def test_refreshing_makes_no_session_longer(refreshing: str, database: Store) -> None:
    token = refresh_of(sign_up(refreshing))
    for _ in range(3):
        token = refresh_of(refresh(refreshing, token))
    ends = rows(database, "SELECT expires_at FROM fastbearer_refresh_token")
    assert len(ends) == 4 and len(set(ends)) == 1


@pytest.mark.parametrize("way", ["signout", "everywhere", "password", "delete"])
@on_every_database
def test_a_session_that_ends_cannot_be_refreshed(refreshing: str, way: str) -> None:
    signed = sign_up(refreshing)
    token, other = token_of(signed), sign_in(refreshing)
    first = refresh_of(refresh(refreshing, refresh_of(signed)))
    if way == "signout":
        post(refreshing, "signout", token)
    elif way == "everywhere":
        post(refreshing, "signout-everywhere", token)
    elif way == "password":
        body = {"current_password": PASSWORD, "new_password": NEW}
        changed = post(refreshing, "change-password", token, **body)
        assert refresh(refreshing, refresh_of(changed)).status_code == 200
    else:
        post(refreshing, "delete-account", token, password=PASSWORD)
    assert refresh(refreshing, first).status_code == 401
    kept = 200 if way == "signout" else 401
    assert refresh(refreshing, refresh_of(other)).status_code == kept


@on_every_database
def test_ending_all_sessions_beats_refreshing(refreshing: str) -> None:
    """Whoever refreshes without pause has no session left in the end."""
    signed = [sign_up(refreshing)] + [sign_in(refreshing) for _ in range(7)]
    last = []

    def go_on(response: Any) -> None:
        while response.status_code == 200:
            last.append(response)
            response = refresh(refreshing, refresh_of(response))

    with ThreadPoolExecutor(9) as threads:
        for one in signed:
            threads.submit(go_on, one)
        while len(last) < 50:
            time.sleep(0.01)
        assert post(refreshing, "signout-everywhere", token_of(signed[0])).is_success
    statuses = [me(refreshing, token_of(one)).status_code for one in last]
    assert set(statuses) == {401}


def test_refresh_tokens_are_off_by_default(serve: Serve, tmp_path: Path) -> None:
    service = serve(make_service(tmp_path / "a.db"))
    assert "refresh_token" not in sign_up(service).json()["data"]
    off = refused(404, "Refresh tokens are off")
    assert answer(refresh(service, "x")) == off
    assert answer(http.post(f"{service}/api/auth/refresh")) == off


@pytest.mark.postgres
@pytest.mark.redis
def test_revocations_in_redis_with_a_store_on_postgresql(serve: Serve) -> None:
    """The stores are apart: one service, three kinds of them."""
    from servers import own_database

    with own_database() as url:
        migrate(url)
        service = serve(
            make_service(
                url, revocation="redis", redis_url=redis(), refresh_tokens=True
            )
        )
        signed = sign_up(service)
        post(service, "signout", token_of(signed))
        assert me(service, token_of(signed)).status_code == 401
        assert refresh(service, refresh_of(signed)).status_code == 401
