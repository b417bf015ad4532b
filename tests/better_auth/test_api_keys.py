"""API keys that a real server makes with its plugin, verified here in its tables."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import Depends, FastAPI, WebSocket

from asgi import ASGIApp
from fastbearer.better_auth.api_keys import APIKey
from fastbearer.better_auth.api_keys.redis import RedisAPIKeys
from fastbearer.better_auth.api_keys.sql import SQLAPIKeys
from fastbearer.better_auth.tables import Tables
from fastbearer.errors import (
    APIKeyPermissionError,
    ConfigurationError,
    FastbearerError,
    InvalidAPIKeyError,
    StoreUnavailableError,
    TooManyAttemptsError,
)
from fastbearer.fastapi import better_auth_api_key
from node_providers import BetterAuthPlugins, better_auth_plugins
from servers import BOTH, own_database, own_redis
from waiting import HANG

pytestmark = pytest.mark.node

Serve = Callable[[ASGIApp], str]
UNLIMITED = {"rateLimit": {"enabled": False}}
DAY = 86_400


class Server:
    """A server, its database, and what reads it.

    Attributes:
        real: The server.
        url: SQLAlchemy's, of its database.
        user_id: Of somebody who has signed up.
    """

    def __init__(self, real: BetterAuthPlugins, database: Path | str) -> None:
        self.real = real
        self._database = database
        self.url = (
            database if isinstance(database, str) else f"sqlite+aiosqlite:///{database}"
        )
        self.user_id, self.cookie = real.sign_up(f"ada-{time.monotonic_ns()}")

    def make(self, **options: Any) -> dict[str, Any]:
        """Make a key, as code on the server does."""
        body = {"userId": self.user_id, **options}
        made: dict[str, Any] = self.real.call("createApiKey", body)
        return made

    def is_valid(self, key: str, **options: Any) -> bool:
        """Tell what the server thinks of a key; that counts as a request."""
        body = {"key": key, **options}
        return bool(self.real.call("verifyApiKey", body)["valid"])

    def sql(self, query: str, *values: Any) -> list[Any]:
        """Run a query, whose marks are ``?``."""
        if isinstance(self._database, Path):
            with closing(sqlite3.connect(self._database)) as connection, connection:
                return connection.execute(query, values).fetchall()
        for number in range(len(values)):
            query = query.replace("?", f"${number + 1}", 1)
        return asyncio.run(self._asked(query, values))

    async def _asked(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        connection = await asyncpg.connect(self._database, timeout=HANG)
        try:
            return [tuple(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    def row(self, made: dict[str, Any], *fields: str) -> tuple[Any, ...]:
        columns = ", ".join(f'"{field}"' for field in fields)
        (row,) = self.sql(f"SELECT {columns} FROM apikey WHERE id = ?", made["id"])
        return tuple(row)


@pytest.fixture(scope="module", params=BOTH)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path | str]:
    if request.param == "sqlite":
        yield tmp_path_factory.mktemp("keys") / "better-auth.db"
        return
    with own_database() as url:
        yield url


@pytest.fixture(scope="module")
def server(database: Path | str) -> Iterator[Server]:
    """A server with two configurations: one without a rate limit, and the usual."""
    configurations = [
        {"configId": "default", **UNLIMITED, "enableMetadata": True},
        {"configId": "limited", "rateLimit": {"maxRequests": 3, "timeWindow": 60_000}},
        {"configId": "plain", **UNLIMITED, "disableKeyHashing": True},
    ]
    with better_auth_plugins(database, {"apiKey": configurations}) as real:
        yield Server(real, database)


def verify(server: Server, key: str, **options: Any) -> APIKey:
    """Verify with a store of its own, which is closed again."""
    permissions, now = options.pop("permissions", None), options.pop("now", None)

    async def verified() -> APIKey:
        store = SQLAPIKeys(server.url, **options)
        try:
            return await store.verify(key, permissions=permissions, now=now)
        finally:
            await store.aclose()

    return asyncio.run(verified())


def refusal(server: Server, key: str, **options: Any) -> str | None:
    with pytest.raises(InvalidAPIKeyError) as caught:
        verify(server, key, **options)
    assert len(key) < 32 or key not in str(caught.value)
    return caught.value.reason


# --- what the server makes ----------------------------------------------------------


def test_a_key_says_whose_it_is_and_what_it_may_do(server: Server) -> None:
    made = server.make(
        name="ci",
        prefix="acme_",
        permissions={"files": ["read", "write"], "users": ["read"]},
        expiresIn=2 * DAY,
        metadata={"plan": "free"},
    )
    assert made["key"].startswith("acme_")
    found = verify(server, made["key"])
    assert (found.id, found.user_id, found.owner) == (
        made["id"],
        server.user_id,
        "user",
    )
    assert (found.name, found.config_id) == ("ci", "default")
    assert found.permissions == {
        "files": frozenset({"read", "write"}),
        "users": frozenset({"read"}),
    }
    assert found.expires_at == datetime.fromisoformat(made["expiresAt"])
    assert found.user["id"] == server.user_id
    assert found.user["email"].endswith("@example.com")
    assert made["key"] not in repr(found)
    assert server.is_valid(made["key"])


def test_a_key_that_a_user_makes_is_taken(server: Server) -> None:
    answer = server.real.request(
        "POST", "/api-key/create", {"name": "mine"}, cookie=server.cookie
    )
    assert answer.status_code == 200, answer.text
    assert verify(server, answer.json()["key"]).user_id == server.user_id


def test_only_the_whole_key_counts(server: Server) -> None:
    key = server.make(prefix="acme_")["key"]
    (stored,) = server.sql('SELECT key FROM apikey ORDER BY "createdAt" DESC LIMIT 1')[
        0
    ]
    wrong = [key[:-1], key + "x", key.removeprefix("acme_"), key.swapcase(), stored]
    for other in (*wrong, "", " ", "x" * 513, "caf\u00e9", f" {key}", "'; --", "%"):
        assert refusal(server, other) == "api_key_unknown"
        assert not other.strip() or not server.is_valid(other)


@pytest.mark.parametrize("value", [None, 7, b"key", ["key"]])
def test_what_is_no_text_is_no_key(server: Server, value: Any) -> None:
    with pytest.raises(InvalidAPIKeyError):
        verify(server, value)


def test_a_disabled_key_is_refused(server: Server) -> None:
    made = server.make()
    body = {"keyId": made["id"], "userId": server.user_id, "enabled": False}
    server.real.call("updateApiKey", body)
    assert refusal(server, made["key"]) == "api_key_disabled"
    assert not server.is_valid(made["key"])
    server.real.call("updateApiKey", {**body, "enabled": True})
    assert verify(server, made["key"])


def test_an_expired_key_is_refused(server: Server) -> None:
    made = server.make(expiresIn=2 * DAY)
    end = datetime.fromisoformat(made["expiresAt"]).timestamp()
    assert verify(server, made["key"], now=end - 0.001)
    assert refusal(server, made["key"], now=end) == "api_key_expired"
    past = datetime.now(UTC) - timedelta(seconds=1)
    stored = (
        past
        if isinstance(server._database, str)
        else past.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    server.sql('UPDATE apikey SET "expiresAt" = ? WHERE id = ?', stored, made["id"])
    assert refusal(server, made["key"]) == "api_key_expired"
    assert not server.is_valid(made["key"])


def test_a_key_that_was_deleted_is_refused(server: Server) -> None:
    made = server.make()
    answer = server.real.request(
        "POST", "/api-key/delete", {"keyId": made["id"]}, cookie=server.cookie
    )
    assert answer.status_code == 200, answer.text
    assert refusal(server, made["key"]) == "api_key_unknown"
    assert not server.is_valid(made["key"])


@pytest.mark.parametrize(
    ("asked", "is_allowed"),
    [
        ({"files": ["read"]}, True),
        ({"files": ["read", "write"], "users": ["read"]}, True),
        ({"files": ["delete"]}, False),
        ({"files": ["read", "delete"]}, False),
        ({"users": ["write"], "files": ["read"]}, False),
        ({"servers": ["read"]}, False),
        ({"__proto__": ["read"]}, False),
    ],
    ids=str,
)
def test_permissions_are_those_that_the_server_sees(
    server: Server, asked: dict[str, list[str]], is_allowed: bool
) -> None:
    made = server.make(permissions={"files": ["read", "write"], "users": ["read"]})
    assert server.is_valid(made["key"], permissions=asked) is is_allowed
    if is_allowed:
        assert verify(server, made["key"], permissions=asked).allows(asked)
        return
    with pytest.raises(APIKeyPermissionError):
        verify(server, made["key"], permissions=asked)


def test_a_key_without_permissions_has_none(server: Server) -> None:
    key = server.make()["key"]
    assert verify(server, key).permissions == {}
    with pytest.raises(APIKeyPermissionError):
        verify(server, key, permissions={"files": ["read"]})
    assert not server.is_valid(key, permissions={"files": ["read"]})


@pytest.mark.parametrize("stored", ["null", "[]", '{"files":"read"}', '{"a":[1]}', "x"])
def test_permissions_that_nobody_writes_are_an_unreadable_key(
    server: Server, stored: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = server.make()
    server.sql("UPDATE apikey SET permissions = ? WHERE id = ?", stored, made["id"])
    assert refusal(server, made["key"]) == "api_key_unreadable"
    assert "a stored API key cannot be read" in caplog.text


# --- configurations -----------------------------------------------------------------


def test_keys_of_another_configuration_are_refused(server: Server) -> None:
    other = server.make(configId="limited")["key"]
    assert refusal(server, other) == "api_key_configuration"
    assert not server.is_valid(other, configId="default")
    own = server.make()["key"]
    assert refusal(server, own, config_id="limited") == "api_key_configuration"
    assert not server.is_valid(own, configId="limited")


def test_keys_that_are_stored_as_they_are_need_to_be_told(server: Server) -> None:
    made = server.make(configId="plain")
    assert server.row(made, "key") == (made["key"],)
    found = verify(server, made["key"], config_id="plain", hashed=False)
    assert found.user_id == server.user_id
    assert refusal(server, made["key"], config_id="plain") == "api_key_unknown"
    # The hash of a hashed key would be one, if nobody looked which way it is stored.
    own = server.make()
    (stored,) = server.row(own, "key")
    assert refusal(server, stored, hashed=False, config_id="plain") == (
        "api_key_configuration"
    )


def test_the_key_of_an_organization_is_no_users(server: Server) -> None:
    made = server.make()
    server.sql('UPDATE apikey SET "referenceId" = ? WHERE id = ?', "org1", made["id"])
    assert refusal(server, made["key"]) == "api_key_owner"
    found = verify(server, made["key"], references="organization")
    assert (found.owner_id, found.user_id) == ("org1", None)


def test_the_keys_of_a_user_who_is_gone_are_refused(server: Server) -> None:
    user_id, _ = server.real.sign_up(f"gone-{time.monotonic_ns()}")
    key = server.make(userId=user_id)["key"]
    assert verify(server, key).user_id == user_id
    server.sql('DELETE FROM "user" WHERE id = ?', user_id)
    assert refusal(server, key) == "api_key_owner"


# --- limits -------------------------------------------------------------------------


def test_a_key_with_a_limit_is_refused_by_a_store_that_writes_nothing(
    server: Server,
) -> None:
    counted = server.make(remaining=5)
    limited = server.make(configId="limited")
    assert refusal(server, counted["key"]) == "api_key_limited"
    assert refusal(server, limited["key"], config_id="limited") == "api_key_limited"
    assert server.row(counted, "remaining") == (5,)
    assert server.row(limited, "requestCount", "lastRequest") == (0, None)


def test_a_rate_limit_that_the_server_has_turned_off_is_none(server: Server) -> None:
    made = server.make(rateLimitEnabled=True)
    assert refusal(server, made["key"]) == "api_key_limited"
    assert verify(server, made["key"], rate_limit=False)
    for _ in range(12):  # the plugin's usual limit is 10
        assert server.is_valid(made["key"])


def test_requests_that_are_left_are_counted_with_the_server(server: Server) -> None:
    made = server.make(remaining=4)
    verify(server, made["key"], may_write=True)
    assert server.is_valid(made["key"])
    verify(server, made["key"], may_write=True)
    assert server.row(made, "remaining") == (1,)
    assert server.is_valid(made["key"])
    assert refusal(server, made["key"], may_write=True) == "api_key_used_up"
    assert not server.is_valid(made["key"])


def test_a_key_that_is_refilled_has_its_requests_again(server: Server) -> None:
    made = server.make(remaining=1, refillAmount=2, refillInterval=60_000)
    begun = datetime.fromisoformat(made["createdAt"]).timestamp()

    def use(seconds: float) -> None:
        verify(server, made["key"], may_write=True, now=begun + seconds)

    use(1)
    with pytest.raises(TooManyAttemptsError) as caught:
        use(2)
    assert 57 < caught.value.retry_after <= 58
    use(61)
    use(62)
    assert server.row(made, "remaining") == (0,)
    with pytest.raises(TooManyAttemptsError):
        use(63)
    use(122)


def test_a_rate_limit_is_counted_with_the_server(server: Server) -> None:
    made = server.make(configId="limited")
    options = {"config_id": "limited", "may_write": True}
    verify(server, made["key"], **options)
    assert server.is_valid(made["key"], configId="limited")
    verify(server, made["key"], **options)
    count, last = server.row(made, "requestCount", "lastRequest")
    assert count == 3 and last is not None
    with pytest.raises(TooManyAttemptsError) as caught:
        verify(server, made["key"], **options)
    assert 0 < caught.value.retry_after <= 60
    assert not server.is_valid(made["key"], configId="limited")
    # After the window, it begins again.
    verify(server, made["key"], now=time.time() + 61, **options)
    assert server.row(made, "requestCount") == (1,)


def test_what_a_rate_limit_refuses_costs_no_request_that_is_left(
    server: Server,
) -> None:
    made = server.make(configId="limited", remaining=10)
    options = {"config_id": "limited", "may_write": True}
    for _ in range(3):
        verify(server, made["key"], **options)
    with pytest.raises(TooManyAttemptsError):
        verify(server, made["key"], **options)
    assert server.row(made, "remaining") == (7,)


def test_what_is_refused_counts_as_no_request(server: Server) -> None:
    made = server.make(remaining=3, permissions={"files": ["read"]})
    with pytest.raises(APIKeyPermissionError):
        verify(server, made["key"], may_write=True, permissions={"files": ["write"]})
    assert server.row(made, "remaining") == (3,)


def test_requests_at_the_same_time_do_not_pass_the_limit(server: Server) -> None:
    made = server.make(configId="limited", remaining=2, rateLimitMax=100)
    limited = server.make(configId="limited")

    def use(key: str) -> bool:
        try:
            verify(server, key, config_id="limited", may_write=True)
        except (InvalidAPIKeyError, TooManyAttemptsError):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        left = list(pool.map(use, [made["key"]] * 16))
        rated = list(pool.map(use, [limited["key"]] * 16))
    assert (sum(left), sum(rated)) == (2, 3)
    assert server.row(made, "remaining") == (0,)
    assert server.row(limited, "requestCount") == (3,)


# --- names and types of the tables ---------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("layout", ["renamed", "serial", "uuid"])
def test_tables_of_other_names_and_ids(kind: str, layout: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {}
    schema: dict[str, Any] = {}
    tables = None
    if layout == "renamed":
        fields = {"key": "digest", "referenceId": "owner", "enabled": "is_on"}
        schema = {"schema": {"apikey": {"modelName": "Api Keys", "fields": fields}}}
        tables = Tables(models={"apikey": "Api Keys"}, fields={"apikey": fields})
    else:
        options = {"advanced": {"database": {"generateId": layout}}}
    with (
        stored(kind, tmp_path) as database,
        better_auth_plugins(
            database, {"apiKey": {"enableMetadata": True, **schema}}, **options
        ) as real,
    ):
        server = Server(real, database)
        made = server.make(permissions={"a": ["b"]})
        options = {"tables": tables, "may_write": True}
        found = verify(server, made["key"], **options)
        assert found.user_id == server.user_id
        assert found.user["id"] == server.user_id
        assert found.id == made["id"]
        assert server.is_valid(made["key"])
        other = server.make()
        column = "owner" if layout == "renamed" else "referenceId"
        table = "Api Keys" if layout == "renamed" else "apikey"
        server.sql(f'UPDATE "{table}" SET "{column}" = ? WHERE name IS NULL', "org1")
        assert refusal(server, other["key"], tables=tables) == "api_key_owner"
        server.sql(f'UPDATE "{table}" SET "{column}" = ?', server.user_id)
        for _ in range(8):
            verify(server, made["key"], **options)
        with pytest.raises(TooManyAttemptsError):
            verify(server, made["key"], **options)


def stored(kind: str, folder: Path) -> Any:
    return own_database() if kind != "sqlite" else nullcontext(folder / "ba.db")


def test_a_table_that_is_not_there_is_said_at_start(tmp_path: Path) -> None:
    file = tmp_path / "empty.db"
    sqlite3.connect(file).close()
    store = SQLAPIKeys(f"sqlite+aiosqlite:///{file}")

    async def look() -> None:
        with pytest.raises(ConfigurationError, match="apikey"):
            await store.check()
        with pytest.raises(StoreUnavailableError):
            await store.verify("a-key")
        await store.aclose()

    asyncio.run(look())
    with pytest.raises(ConfigurationError):
        SQLAPIKeys("sqlite+aiosqlite:///x.db", references="team")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        RedisAPIKeys("redis://127.0.0.1", references="team")  # type: ignore[arg-type]


# --- the secondary storage ----------------------------------------------------------


@pytest.mark.redis
@pytest.mark.parametrize("hashed", [True, False])
def test_keys_in_the_secondary_storage(tmp_path: Path, hashed: bool) -> None:
    plugin = {
        "storage": "secondary-storage",
        "disableKeyHashing": not hashed,
        **UNLIMITED,
    }
    file = tmp_path / "ba.db"
    with (
        own_redis() as redis,
        better_auth_plugins(file, {"apiKey": plugin}, redis_url=redis.url) as real,
    ):
        server = Server(real, file)
        good = server.make(permissions={"files": ["read"]}, expiresIn=2 * DAY)
        counted = server.make(remaining=3)
        assert server.sql("SELECT count(*) FROM apikey") == [(0,)]

        async def look() -> None:
            store = RedisAPIKeys(redis.url, hashed=hashed)
            found = await store.verify(good["key"], permissions={"files": ["read"]})
            assert (found.user_id, found.id) == (server.user_id, good["id"])
            with pytest.raises(APIKeyPermissionError):
                await store.verify(good["key"], permissions={"files": ["write"]})
            for key, reason in (
                (counted["key"], "api_key_limited"),
                ("unknown", "api_key_unknown"),
                ("by-id:" + good["id"], "api_key_unknown"),
            ):
                with pytest.raises(InvalidAPIKeyError) as caught:
                    await store.verify(key)
                assert caught.value.reason == reason
            body = {"keyId": good["id"]}
            deleted = real.request(
                "POST", "/api-key/delete", body, cookie=server.cookie
            )
            assert deleted.status_code == 200, deleted.text
            with pytest.raises(InvalidAPIKeyError):
                await store.verify(good["key"])
            redis.stop()
            with pytest.raises(StoreUnavailableError):
                await store.verify(good["key"])
            await store.aclose()

        asyncio.run(look())


def closing_stores(*stores: SQLAPIKeys) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for store in stores:
            await store.aclose()

    return lifespan


# --- requests -----------------------------------------------------------------------


@pytest.mark.http
def test_routes_ask_for_a_key_and_its_permissions(
    server: Server, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLAPIKeys(server.url)
    counting = SQLAPIKeys(server.url, config_id="limited", may_write=True)
    app = FastAPI(lifespan=closing_stores(store, counting))
    any_key = Depends(better_auth_api_key(store))
    maybe = Depends(
        better_auth_api_key(store, optional=True, header=["x-api-key", "x-key"])
    )
    writer = Depends(better_auth_api_key(store, permissions={"files": ["write"]}))
    limited = Depends(better_auth_api_key(counting))

    def shown(key: APIKey | None) -> dict[str, Any]:
        return {} if key is None else {"user": key.user_id, "key": key.id}

    @app.get("/any")
    async def _(key: APIKey = any_key) -> dict[str, Any]:
        return shown(key)

    @app.get("/maybe")
    async def _(key: APIKey | None = maybe) -> dict[str, Any]:
        return shown(key)

    @app.get("/write")
    async def _(key: APIKey = writer) -> dict[str, Any]:
        return shown(key)

    @app.get("/limited")
    async def _(key: APIKey = limited) -> dict[str, Any]:
        return shown(key)

    made = server.make(permissions={"files": ["read"]})
    good = {"x-api-key": made["key"]}
    with httpx2.Client(base_url=serve(app), timeout=HANG) as client:
        answer = client.get("/any", headers=good)
        assert answer.json() == {"user": server.user_id, "key": made["id"]}
        assert client.get("/maybe").json() == {}
        assert client.get("/maybe", headers={"X-Key": made["key"]}).json()
        none = client.get("/any")
        assert (none.status_code, none.json()["detail"]) == (401, "Not authenticated")
        for headers in (None, {"x-api-key": "wrong"}):
            refused = client.get("/any", headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == 'APIKey realm="fastbearer"'
        assert client.get("/maybe", headers={"x-api-key": "wrong"}).status_code == 401
        assert client.get("/write", headers=good).status_code == 403
        two = [("x-api-key", made["key"]), ("x-api-key", "other")]
        assert client.get("/any", headers=two).status_code == 400
        same = [("x-api-key", made["key"])] * 2
        assert client.get("/any", headers=same).status_code == 200
        bearer = {"authorization": f"Bearer {made['key']}"}
        assert client.get("/any", headers=bearer).status_code == 401
        rated = {"x-api-key": server.make(configId="limited")["key"]}
        statuses = [client.get("/limited", headers=rated).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        late = client.get("/limited", headers=rated)
        assert 0 < int(late.headers["retry-after"]) <= 60
        scheme = client.get("/openapi.json").json()["components"]["securitySchemes"]
        assert scheme["BetterAuthAPIKey"]["name"] == "x-api-key"
    assert "API key refused: invalid_api_key: api_key_unknown" in caplog.text
    assert made["key"] not in caplog.text


def test_a_database_that_is_away_is_a_503(
    tmp_path: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLAPIKeys(f"sqlite+aiosqlite:///{tmp_path}/none.db")
    app = FastAPI(lifespan=closing_stores(store))
    a_key = Depends(better_auth_api_key(store))

    @app.get("/")
    async def _(key: APIKey = a_key) -> None: ...

    answer = httpx2.get(serve(app), headers={"x-api-key": "a-key"}, timeout=HANG)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert "API key not looked up" in caplog.text


def test_a_websocket_may_send_a_key(server: Server, serve: Serve) -> None:
    from websockets.sync.client import connect

    store = SQLAPIKeys(server.url)
    app = FastAPI(lifespan=closing_stores(store))
    a_key = Depends(better_auth_api_key(store))

    @app.websocket("/ws")
    async def _(socket: WebSocket, key: APIKey = a_key) -> None:
        await socket.accept()
        await socket.send_text(json.dumps(key.user_id))

    made = server.make()
    url = serve(app).replace("http:", "ws:") + "/ws"
    with connect(url, additional_headers={"x-api-key": made["key"]}) as socket:
        assert json.loads(socket.recv()) == server.user_id


@pytest.mark.parametrize(
    "options",
    [
        {"header": "x api key"},
        {"header": []},
        {"permissions": {"files": "read"}},
        {"permissions": ["files"]},
    ],
    ids=str,
)
def test_a_dependency_that_makes_no_sense_is_said_at_once(
    options: dict[str, Any],
) -> None:
    store = SQLAPIKeys("sqlite+aiosqlite:///x.db")
    with pytest.raises(ConfigurationError):
        better_auth_api_key(store, **options)
    assert issubclass(ConfigurationError, FastbearerError)
