"""One door to Redis: URLs of each kind, and clients of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import redis as sync_redis
from fastapi import FastAPI
from redis.asyncio import Redis, RedisCluster, Sentinel
from starlette.testclient import TestClient

from accounts_kit import CHEAP, PASSWORD, bearer, url_of
from fastbearer.accounts import Accounts
from fastbearer.better_auth.redis import RedisSessions
from fastbearer.connections.redis import RedisAccess
from fastbearer.connections.redis_cluster import ClusterClient
from fastbearer.connections.redis_urls import read_redis_url
from fastbearer.errors import ConfigurationError, StoreUnavailableError
from fastbearer.fastapi import Auth, RedisReplays, Settings
from project import SECRET
from servers import empty_redis_cluster, own_watched_redis, redis

SECRETS = "p4ss"


# --- URLs


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "master"),
    [
        ("redis://h", "one", (), ""),
        ("REDISS://h:1/2", "one", (), ""),
        ("unix:///run/redis.sock?db=2", "one", (), ""),
        (
            "redis+cluster://a,b:7000,[::1]:7001",
            "cluster",
            (("a", 6379), ("b", 7000), ("::1", 7001)),
            "",
        ),
        ("redis+cluster://a:7000/0", "cluster", (("a", 7000),), ""),
        ("redis+cluster://a:7000/", "cluster", (("a", 7000),), ""),
        ("Redis+Sentinel://a/my", "sentinel", (("a", 26379),), "my"),
        ("redis+sentinel://a:1,b:2/my/3", "sentinel", (("a", 1), ("b", 2)), "my"),
        ("redis+sentinel://a/my%20one?db=4", "sentinel", (("a", 26379),), "my one"),
    ],
)
def test_what_urls_say(
    url: str, kind: str, hosts: tuple[tuple[str, int], ...], master: str
) -> None:
    found = read_redis_url(url, "X")
    assert (found.kind, found.hosts, found.master) == (kind, hosts, master)
    RedisAccess(url)


def test_users_passwords_and_certificates() -> None:
    query = "ssl_ca_certs=/ca.pem&sentinel_username=s&sentinel_password=t%2F"
    url = f"rediss+sentinel://u:p%40@a,b/my/3?{query}&socket_timeout=7"
    found = read_redis_url(url, "X")
    shared = {"ssl": True, "ssl_ca_certs": "/ca.pem", "socket_timeout": 7.0}
    assert found.options == {"username": "u", "password": "p@", "db": 3, **shared}
    assert found.sentinels == {"username": "s", "password": "t/", **shared}
    client: Any = RedisAccess(url).client
    assert client.connection_pool.connection_kwargs["socket_timeout"] == 7
    found = read_redis_url("rediss+cluster://u:p@a", "X")
    assert found.options == {"username": "u", "password": "p", "ssl": True}
    assert isinstance(RedisAccess("rediss+cluster://u:p@a").client, ClusterClient)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must be a redis:// URL"),
        ("http://p4ss@h", "must be a redis:// URL"),
        ("redis://:p4ss@h:port", "must be a redis:// URL"),
        ("redis://h/p4ss", "number of a database"),
        ("redis://:a/p4ss@h", "number of a database"),
        ("redis://h/0?p4ss=1", "does not take"),
        ("redis://h/0?socket_timeout=p4ss", "must be a redis:// URL"),
        ("redis+cluster://", "must be a redis:// URL"),
        ("redis+cluster://a,,b", "must be a redis:// URL"),
        ("redis+cluster://a:0", "must be a redis:// URL"),
        ("redis+cluster://a:99999", "must be a redis:// URL"),
        ("redis+cluster://:p4/ss@a", "must be a redis:// URL"),
        ("redis+cluster://u:p4ss@a#b", "must be a redis:// URL"),
        ("redis+cluster://a/1", "no database but 0"),
        ("redis+cluster://a?db=1", "no database but 0"),
        ("redis+cluster://a/p4ss", "number of a database"),
        ("redis+cluster://a?p4ss=1", "does not take"),
        ("redis+cluster://a?sentinel_password=p4ss", "does not take"),
        ("redis+sentinel://a", "names the master"),
        ("redis+sentinel://a/", "names the master"),
        ("redis+sentinel://a//0", "names the master"),
        ("redis+sentinel://a/my/p4ss", "number of a database"),
        ("redis+sentinel://a/my?p4ss=1", "does not take"),
        ("redis+p4ss://a", "must be a redis:// URL"),
    ],
)
def test_urls_that_are_refused(url: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as refused:
        RedisAccess(url)
    assert "REDIS_URL" in str(refused.value)
    assert SECRETS not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_long_urls_take_linear_time(size: int) -> None:
    for part in ("@", ",", "a@,", "/", "[", ":"):
        with pytest.raises(ConfigurationError):
            read_redis_url("redis+cluster://" + part * size + "#", "X")


@pytest.mark.parametrize("other", [None, 5, b"redis://h", sync_redis.Redis(), object()])
def test_what_is_no_client_is_refused(other: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"client of redis\.asyncio"):
        RedisAccess(other)


# --- whose client it is


def settings_with(**values: Any) -> Settings:
    return Settings(better_auth_secret=SECRET, **values)


def test_one_of_two_sources_would_be_ignored() -> None:
    auth = Auth(settings_with(redis_url="redis://h"), redis=Redis())
    with (
        pytest.raises(ConfigurationError, match="one of them would be ignored"),
        TestClient(FastAPI(lifespan=auth.lifespan)),
    ):
        pass


@pytest.mark.parametrize(
    "needs",
    [{"revocation": "redis"}, {"dpop": "optional", "dpop_replays": "redis"}],
)
def test_what_needs_redis_does_not_start_without(needs: dict[str, str]) -> None:
    auth = Auth(settings_with(**needs))
    with (
        pytest.raises(ConfigurationError, match="REDIS_URL environment variable is"),
        TestClient(FastAPI(lifespan=auth.lifespan)),
    ):
        pass


@asynccontextmanager
async def single(**options: Any) -> Any:
    async with Redis.from_url(redis(), **options) as client:
        yield client


@asynccontextmanager
async def clustered(**options: Any) -> Any:
    host, _, port = (
        empty_redis_cluster().partition("//")[2].split(",")[0].partition(":")
    )
    async with RedisCluster(host=host, port=int(port), **options) as client:
        yield client


@asynccontextmanager
async def watched(**options: Any) -> Any:
    with own_watched_redis() as server:
        sentinel: Any = Sentinel([("127.0.0.1", server.sentinel.port)])  # type: ignore[no-untyped-call]
        async with sentinel.master_for("mymaster", **options) as client:
            yield client
        for one in sentinel.sentinels:
            await one.aclose()


KINDS = [
    pytest.param(single, marks=pytest.mark.redis),
    pytest.param(clustered, marks=pytest.mark.redis_cluster),
    pytest.param(watched, marks=pytest.mark.redis_sentinel),
]


@pytest.mark.parametrize("decode", [False, True], ids=["bytes", "text"])
@pytest.mark.parametrize("own", KINDS)
def test_a_client_of_ones_own_is_used_for_all_and_left_open(
    tmp_path: Path, own: Callable[..., Any], decode: bool
) -> None:
    email = f"{uuid4().hex}@example.com"
    credentials = {"email": email, "password": PASSWORD}

    async def run() -> None:
        async with own(decode_responses=decode) as client:
            settings = settings_with(
                database_url=url_of(tmp_path / "a.db"),
                revocation="redis",
                dpop="optional",
                dpop_replays="redis",
                throttle_failures="3/hour",
                throttle_requests="1000000/hour",
            )
            auth = Auth(settings, redis=client)
            accounts = Accounts(auth, hasher=CHEAP)
            app = FastAPI()
            app.include_router(accounts.router)
            transport = httpx2.ASGITransport(app)
            async with (
                accounts.lifespan(app),
                httpx2.AsyncClient(
                    transport=transport, base_url="http://testserver"
                ) as http,
            ):

                async def post(route: str, token: str = "", **body: Any) -> Any:
                    headers = bearer(token) if token else {}
                    path = f"/api/auth/{route}"
                    return await http.post(path, json=body, headers=headers)

                signed_up = await post("signup", **credentials)
                assert signed_up.status_code == 201, signed_up.text
                token = signed_up.json()["data"]["token"]
                assert (await post("signout", token)).status_code == 200
                assert (await post("signout", token)).status_code == 401
                wrong = {**credentials, "password": "wrong"}
                found = [(await post("signin", **wrong)).status_code for _ in range(4)]
                assert found == [401, 401, 401, 429]
                await accounts.check_redis()
                assert auth.protection.dpop is not None
                replays: Any = auth.protection.dpop.replays
                name = uuid4().hex
                assert await replays.is_first_use(name, 0, 60) is True
                assert await replays.is_first_use(name, 0, 60) is False
            # Another process is told at its start what has ended.
            again = Auth(settings, redis=client)
            async with again.lifespan(app):
                with pytest.raises(Exception, match="revoked"):
                    await again.token_claims.of_token(token)
            assert await client.get(uuid4().hex) is None  # it is still open

    asyncio.run(run())


@pytest.mark.redis_cluster
def test_stores_in_a_cluster() -> None:
    url = empty_redis_cluster()

    async def run() -> None:
        replays = RedisReplays(url)
        names = [uuid4().hex for _ in range(50)]
        for expected in (True, False):
            answers = await asyncio.gather(
                *(replays.is_first_use(name, 0, 60) for name in names)
            )
            assert set(answers) == {expected}
        await replays.aclose()
        assert await replays.is_first_use(names[0], 0, 60) is False  # opens again
        await replays.aclose()
        sessions = RedisSessions(url)
        assert await sessions.find("a" * 32, 0) is None
        await sessions.aclose()

    asyncio.run(run())


def test_a_cluster_that_is_away_is_an_outage() -> None:
    replays = RedisReplays("redis+cluster://127.0.0.1:1,127.0.0.1:2")

    async def run() -> None:
        for _ in range(3):
            with pytest.raises(StoreUnavailableError):
                await replays.is_first_use("x", 0, 60)
        await replays.aclose()

    asyncio.run(run())


@pytest.mark.redis
def test_a_single_server_is_no_cluster() -> None:
    url = redis().replace("redis://", "redis+cluster://").rpartition("/")[0]
    replays = RedisReplays(url)

    async def run() -> None:
        with pytest.raises(StoreUnavailableError):
            await replays.is_first_use("x", 0, 60)
        await replays.aclose()

    asyncio.run(run())


def test_an_error_names_whose_url_it_is() -> None:
    with pytest.raises(ConfigurationError, match="Better Auth's Redis"):
        RedisSessions("redis+cluster://a/1")
