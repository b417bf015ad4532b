"""Opaque tokens at protected routes, over real HTTP.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError, InvalidSignatureError
from fastbearer.fastapi import (
    Auth,
    BearerMiddleware,
    DPoP,
    Introspection,
    Issuer,
    Settings,
    TokenUser,
)
from fastbearer.issuers.flights import asking_client
from fastbearer.revocation import MemoryRevocations
from fastbearer.revocation.protocol import names_of
from introspection_server import CLIENT_ID, CLIENT_SECRET, IntrospectionServer
from key_server import answer, jwks_text
from node_providers import oidc_provider
from project import SECRET
from waiting import HANG, until, wait_until

pytestmark = pytest.mark.http

Serve = Callable[[Any], str]
RSA = Key.generate("RS256", kid="rsa")
TOKEN, CLIENT_TOKEN = "opaque-token-of-ada", "opaque-token-of-a-client"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def later() -> int:
    return int(time.time()) + 600


class Provider(IntrospectionServer):
    """A provider that has opaque tokens and JWTs."""

    def document(self) -> dict[str, Any]:
        return {**super().document(), **json.loads(jwks_text(RSA))}

    def jwt(self, **claims: Any) -> str:
        own = {"iss": self.issuer, "sub": "ada", "exp": later()}
        return Signer(RSA).sign({**own, **claims})


@pytest.fixture
def provider() -> Iterator[Provider]:
    tokens = {
        TOKEN: {
            "sub": "ada",
            "email": "ada@example.com",
            "scope": "tasks:read",
            "exp": later(),
        },
        CLIENT_TOKEN: {"client_id": "c", "exp": later()},
    }
    with Provider(tokens) as provider:
        yield provider


def auth_of(provider: Provider, **options: Any) -> Auth:
    how = {
        name: options.pop(name)
        for name in ("always", "lifetime", "concurrency", "waiting", "timeout")
        if name in options
    }
    rest = {
        name: options.pop(name)
        for name in ("revocations", "settings", "further", "dpop", "bound_tokens")
        if name in options
    }
    issuer = Issuer(
        provider.issuer, introspect=Introspection(**CLIENT, **how), **options
    )
    issuers = [issuer, *rest.pop("further", [])]
    return Auth(rest.pop("settings", None), issuers=issuers, **rest)


def app_of(auth: Auth) -> FastAPI:
    app = FastAPI(lifespan=auth.lifespan)
    optional = Depends(auth.optional_user)
    reader = Security(auth.requires, scopes=["tasks:read"])
    writer = Security(auth.requires, scopes=["tasks:write"])

    @app.get("/me")
    async def me(user: Annotated[TokenUser, Depends(auth.verify_jwt_token)]) -> Any:
        return user

    @app.get("/maybe")
    async def maybe(user: Annotated[TokenUser | None, optional]) -> Any:
        return user

    @app.get("/read")
    async def read(user: Annotated[TokenUser, reader]) -> Any:
        return user

    @app.get("/write")
    async def write(user: Annotated[TokenUser, writer]) -> Any:
        return user

    @app.get("/claims")
    async def claims(
        claims: Annotated[dict[str, Any], Depends(auth.token_claims)],
    ) -> Any:
        return claims

    @app.get("/{user_id}/tasks")
    async def tasks(user: Annotated[TokenUser, Depends(auth.verify_user_id)]) -> Any:
        return user

    @app.websocket("/ws")
    async def ws(
        socket: WebSocket, user: Annotated[TokenUser, Depends(auth.verify_jwt_token)]
    ) -> None:
        await socket.accept()
        await socket.send_text(user["user_id"])

    return app


@contextmanager
def client_of(url: str) -> Iterator[Callable[..., httpx2.Response]]:
    with httpx2.Client(base_url=url, timeout=HANG) as client:

        def get(
            path: str,
            token: str | None = TOKEN,
            more: Mapping[str, str] = MappingProxyType({}),
        ) -> httpx2.Response:
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            headers.update(more)
            return client.get(path, headers=headers)

        yield get


def test_every_dependency_takes_an_opaque_token(
    provider: Provider, serve: Serve
) -> None:
    ada = {"user_id": "ada", "email": "ada@example.com"}
    with client_of(serve(app_of(auth_of(provider)))) as get:
        for path in ("/me", "/maybe", "/read", "/ada/tasks"):
            assert get(path).json() == ada, path
        assert get("/maybe", None).json() is None
        assert get("/write").status_code == 403
        assert get("/bob/tasks").status_code == 403
        assert get("/claims").json()["iss"] == provider.issuer
        assert get("/me", CLIENT_TOKEN).status_code == 401
        asked = [question.form["token"] for question in provider.questions]
        assert asked == [TOKEN, CLIENT_TOKEN]


@pytest.mark.parametrize("kind", ["DPoP", "dpop", "DPOP"])
@pytest.mark.parametrize("name", ["token_type", "typ"])
def test_a_dpop_token_without_cnf_is_no_bearer_token(
    provider: Provider,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    name: str,
) -> None:
    provider.tokens[TOKEN][name] = kind
    with client_of(serve(app_of(auth_of(provider)))) as get:
        for path in ("/me", "/maybe", "/claims"):
            assert get(path).status_code == 401
        assert "token refused: bound_token: dpop_without_cnf; " in caplog.text
    taken = auth_of(provider, bound_tokens="bearer")
    with client_of(serve(app_of(taken))) as get:
        assert get("/me").status_code == 200


def test_a_dpop_token_without_cnf_cannot_be_proved(
    provider: Provider, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    provider.tokens[TOKEN]["token_type"] = "DPoP"
    with client_of(serve(app_of(auth_of(provider, dpop=DPoP())))) as get:
        assert get("/me").status_code == 401
        headers = {"authorization": f"DPoP {TOKEN}", "dpop": "a.b.c"}
        assert get("/me", None, headers).status_code == 401
        assert "token refused: bound_token: unbound" in caplog.text


@pytest.mark.parametrize(
    "said",
    [{"cnf": {"jkt": "x"}}, {"cnf": None}, {"token_type": "DPoP"}],
    ids=["cnf", "null", "token_type"],
)
def test_with_always_the_provider_may_say_that_a_jwt_is_bound(
    provider: Provider, serve: Serve, said: dict[str, Any]
) -> None:
    token = provider.jwt()
    with client_of(serve(app_of(auth_of(provider, always=True, lifetime=0)))) as get:
        provider.tokens[token] = {"sub": "ada", "exp": later()}
        assert get("/me", token).status_code == 200
        provider.tokens[token].update(said)
        assert get("/me", token).status_code == 401


def test_an_inactive_token_is_a_401_and_a_failure_a_503(
    provider: Provider, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(serve(app_of(auth_of(provider, lifetime=0)))) as get:
        inactive = get("/me", "made-up-token")
        assert inactive.status_code == 401
        assert 'error="invalid_token"' in inactive.headers["www-authenticate"]
        assert get("/maybe", "made-up-token").status_code == 401
        assert (
            "token refused: inactive_token: token_inactive; it is over" in caplog.text
        )
        provider.behave = answer(b"busy", 500, [("Retry-After", "7")])
        failed = get("/me")
        assert (failed.status_code, failed.headers["retry-after"]) == (503, "7")
        assert "www-authenticate" not in failed.headers
        assert "status 500" in caplog.text
        provider.behave = None
        assert get("/me").status_code == 200
    assert TOKEN not in caplog.text and "made-up-token" not in caplog.text


def test_what_no_server_would_know_is_not_sent(
    provider: Provider, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with client_of(serve(app_of(auth_of(provider)))) as get:
        for token in ("a b", "a,b", "\u00e9", "x" * 20_000):
            raw = f"Bearer {token}".encode()
            sent = httpx2.Headers([(b"authorization", raw)])
            with httpx2.Client(timeout=HANG) as client:
                url = str(get("/maybe", None).url)
                assert client.get(url, headers=sent).status_code in (400, 401)
    assert provider.questions == []


def test_jwts_of_the_issuer_are_verified_and_not_asked_about(
    provider: Provider, serve: Serve
) -> None:
    with client_of(serve(app_of(auth_of(provider)))) as get:
        assert get("/me", provider.jwt()).json()["user_id"] == "ada"
        wrong = provider.jwt()[:-4] + "AAAA"
        assert get("/me", wrong).status_code == 401
        assert get("/me", provider.jwt(iss="https://other.example")).status_code == 401
    assert provider.questions == []


def test_with_always_the_provider_ends_sessions_of_its_jwts(
    provider: Provider, serve: Serve
) -> None:
    token = provider.jwt()
    provider.tokens[token] = {"sub": "ada", "exp": later()}
    with client_of(serve(app_of(auth_of(provider, always=True, lifetime=0)))) as get:
        assert get("/me", token).status_code == 200
        del provider.tokens[token]
        assert get("/me", token).status_code == 401
        asked = len(provider.questions)
        wrong = provider.jwt(exp=1)
        assert get("/me", wrong).status_code == 401
        assert len(provider.questions) == asked == 2
        provider.behave = answer(b"", 500)
        assert get("/me", provider.jwt(jti="another")).status_code == 503


def test_the_issuers_other_rules_hold(provider: Provider, serve: Serve) -> None:
    provider.tokens |= {
        "wrong": {"sub": "ada", "azp": "other", "aud": "api"},
        "right": {"sub": "4", "oid": "ada", "azp": "app", "aud": ["api"]},
        "nobody": {"azp": "app", "aud": "api"},
        "roles": {
            "oid": "ada",
            "azp": "app",
            "aud": "api",
            "realm": {"roles": ["tasks:read"]},
        },
    }
    auth = auth_of(
        provider,
        audience="api",
        required={"azp": ["app"]},
        user_claim="oid",
        role_claims=["realm.roles"],
    )
    with client_of(serve(app_of(auth))) as get:
        assert get("/me", "wrong").status_code == 401
        assert get("/me", "right").json()["user_id"] == "ada"
        assert get("/me", "nobody").status_code == 401
        assert get("/read", "right").status_code == 403
        assert get("/read", "roles").status_code == 200


def test_a_websocket_takes_an_opaque_token(provider: Provider, serve: Serve) -> None:
    url = serve(app_of(auth_of(provider))).replace("http:", "ws:") + "/ws"

    def headers(token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    with connect(url, additional_headers=headers(TOKEN)) as socket:
        assert socket.recv() == "ada"
    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=headers("made-up"))
    assert refused.value.response.status_code in (401, 403)


# --- whose questions they are ---------------------------------------------------------

FLOODING, OTHER = "198.51.100.1", "203.0.113.7"


def behind_a_proxy(**options: Any) -> Settings:
    return Settings(
        better_auth_secret=SECRET, trusted_proxies="127.0.0.1, ::1", **options
    )


def test_a_flood_of_one_client_costs_no_other_an_answer(
    provider: Provider, serve: Serve
) -> None:
    """The flood takes every place, one of which it loses to somebody else's token."""
    go = threading.Event()
    good = answer(json.dumps({"active": True, "sub": "ada"}).encode())

    def behave(handler: BaseHTTPRequestHandler) -> None:
        wait_until(lambda: go.is_set() or provider.released.is_set())
        good(handler)

    provider.behave = behave
    auth = auth_of(
        provider, settings=behind_a_proxy(), concurrency=1, waiting=3, timeout=HANG
    )
    url = serve(app_of(auth))

    async def status(client: httpx2.AsyncClient, address: str, token: str) -> int:
        headers = {"authorization": f"Bearer {token}", "x-forwarded-for": address}
        return (await client.get("/me", headers=headers)).status_code

    async def ask() -> tuple[int, list[int]]:
        async with httpx2.AsyncClient(base_url=url, timeout=HANG) as client:
            flood = [
                asyncio.create_task(status(client, FLOODING, f"made-up-{n}"))
                for n in range(6)
            ]
            await until(lambda: sum(task.done() for task in flood) == 2)
            other = asyncio.create_task(status(client, OTHER, TOKEN))
            await until(lambda: other.done() or sum(task.done() for task in flood) == 3)
            go.set()
            return await other, await asyncio.gather(*flood)

    other, flood = asyncio.run(ask())
    assert other == 200
    assert sorted(flood) == [200] * 3 + [503] * 3
    assert [one.form["token"] for one in provider.questions].index(TOKEN) <= 2


class TellsTheClient:
    """Accepts one token: that of the client for whom an issuer would be asked."""

    def __init__(self, *, asks: bool) -> None:
        self.asks = asks

    def verify(self, token: str) -> dict[str, Any]:
        raise NotImplementedError

    async def averify(self, token: str) -> dict[str, Any]:
        if token != TOKEN:
            raise InvalidSignatureError("another token")
        return {"sub": asking_client.get() or "nobody"}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"cookie": f"session={TOKEN}"},
        {"cookie": f"session=other; session={TOKEN}"},
    ],
    ids=["header", "cookie", "cookies"],
)
def test_a_question_is_the_clients_wherever_the_token_is(
    serve: Serve, headers: dict[str, str]
) -> None:
    verifier = TellsTheClient(asks=True)
    auth = Auth(behind_a_proxy(), verifier=verifier, cookies=["session"])
    with client_of(serve(app_of(auth))) as get:
        for address in (FLOODING, OTHER):
            sent = {**headers, "x-forwarded-for": address}
            assert get("/me", None, sent).json()["user_id"] == address


@pytest.mark.parametrize("door", ["verify_jwt_token", "verify_home_user"])
def test_a_question_about_a_message_is_the_clients_that_sends_it(
    serve: Serve, door: str
) -> None:
    auth = Auth(behind_a_proxy(), verifier=TellsTheClient(asks=True))
    app = FastAPI()

    @app.websocket("/live")
    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        token = await websocket.receive_text()
        if door == "verify_jwt_token":
            user = await auth.authenticate_token(token, websocket)
        else:
            user = await auth.verify_home_user.authenticated_by(token, websocket)
        await websocket.send_text(user["user_id"])

    url = serve(app).replace("http", "ws", 1) + "/live"
    for address in (FLOODING, OTHER):
        with connect(url, additional_headers={"x-forwarded-for": address}) as socket:
            socket.send(TOKEN)
            assert socket.recv() == address


def test_a_token_that_came_over_no_connection_is_nobodys_in_particular() -> None:
    auth = Auth(behind_a_proxy(), verifier=TellsTheClient(asks=True))
    assert asyncio.run(auth.authenticate_token(TOKEN))["user_id"] == "nobody"


def test_nobody_names_the_client_where_nobody_asks(serve: Serve) -> None:
    auth = Auth(behind_a_proxy(), verifier=TellsTheClient(asks=False))
    with client_of(serve(app_of(auth))) as get:
        assert get("/me").json()["user_id"] == "nobody"


@pytest.mark.parametrize("home", [None, "HS256"])
def test_an_opaque_token_can_be_revoked_here(
    provider: Provider, serve: Serve, home: str | None
) -> None:
    store = MemoryRevocations()
    auth = auth_of(provider, revocations=store)
    auth.home_algorithm = home
    claims = {"sub": "ada", "iss": provider.issuer}
    with client_of(serve(app_of(auth))) as get:
        assert get("/me").status_code == 200
        scope = auth.scope_of(TOKEN, claims)
        names = names_of(TOKEN, claims, scope)
        asyncio.run(store.revoke(names.token, time.time() + 600))
        assert get("/me").status_code == 401


def test_beside_a_secret_and_other_issuers(provider: Provider, serve: Serve) -> None:
    own = Issuer.secret(SECRET)
    auth = auth_of(provider, further=[own])
    signed = Signer(Key.from_secret(SECRET)).sign({"sub": "bob", "exp": later()})
    with client_of(serve(app_of(auth))) as get:
        assert get("/me", signed).json()["user_id"] == "bob"
        assert get("/me").json()["user_id"] == "ada"
        assert get("/me", provider.jwt()).json()["user_id"] == "ada"
    two = Issuer("https://two.example", introspect=Introspection(**CLIENT))
    with pytest.raises(ConfigurationError, match="introspect"):
        _ = auth_of(provider, further=[two]).verifier


def test_the_middleware_takes_opaque_tokens(provider: Provider, serve: Serve) -> None:
    auth = auth_of(provider)
    app = FastAPI(lifespan=auth.lifespan)
    app.add_middleware(BearerMiddleware, auth=auth)

    @app.get("/open")
    async def everything() -> str:
        return "in"

    with client_of(serve(app)) as get:
        assert get("/open", None).status_code == 401
        assert get("/open").json() == "in"
        assert get("/open", "made-up").status_code == 401


def test_issuers_of_the_environment_are_asked(
    provider: Provider, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuers = [{"url": provider.issuer, "introspect": CLIENT}]
    monkeypatch.setenv("JWT_ISSUERS", json.dumps(issuers))
    with client_of(serve(app_of(Auth()))) as get:
        assert get("/me").json()["user_id"] == "ada"
    assert CLIENT_SECRET not in repr(Settings())


def test_the_one_issuer_of_the_environment_is_asked(
    provider: Provider, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_ISSUER", provider.issuer)
    monkeypatch.setenv("INTROSPECTION_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("INTROSPECTION_CLIENT_SECRET", CLIENT_SECRET)
    with client_of(serve(app_of(Auth()))) as get:
        assert get("/me").json()["user_id"] == "ada"
        assert get("/me", provider.jwt()).json()["user_id"] == "ada"
    assert CLIENT_SECRET not in repr(Settings())


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"INTROSPECTION_CLIENT_ID": "api"}, "client_secret or private_key"),
        ({"INTROSPECTION_CLIENT_SECRET": "s"}, "client_id"),
        ({"INTROSPECTION_URL": "https://x.example"}, "client_secret or private_key"),
        ({"INTROSPECTION_PRIVATE_KEY_FILE": "/nowhere/x"}, "cannot be read"),
        (
            {
                "INTROSPECTION_CLIENT_ID": "api",
                "INTROSPECTION_CLIENT_SECRET": "s",
                "JWT_ISSUER": "https://one.example,https://two.example",
            },
            "are for the one issuer",
        ),
        (
            {
                "INTROSPECTION_CLIENT_ID": "api",
                "INTROSPECTION_CLIENT_SECRET": "s",
                "BETTER_AUTH_SECRET": SECRET,
            },
            "are for the one issuer",
        ),
    ],
    ids=str,
)
def test_what_would_be_asked_of_nobody_is_said_at_start(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    monkeypatch.setenv("JWT_ISSUER", "https://id.example.com")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        Settings()
    assert says in str(caught.value)


def test_requests_go_on_while_the_provider_is_slow(
    provider: Provider, serve: Serve
) -> None:
    go = threading.Event()
    asked = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        wait_until(lambda: go.is_set() or provider.released.is_set())
        answer(json.dumps({"active": True, "sub": "ada"}).encode())(handler)

    provider.behave = slow
    with client_of(serve(app_of(auth_of(provider)))) as get:
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.append(get("/me").status_code))
        waiting.start()
        wait_until(asked.is_set)
        with httpx2.Client(timeout=HANG) as other:
            url = str(get("/maybe", None).url)
            assert other.get(url).status_code == 200  # the loop is free
        go.set()
        waiting.join()
    assert found == [200]


@pytest.mark.node
def test_tokens_of_a_real_provider(serve: Serve) -> None:
    client = {
        "client_id": "api",
        "client_secret": "a-secret-of-the-api",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
    }
    opaque, jwt = "https://api.example.com/opaque", "https://api.example.com/jwt/ES256"
    with oidc_provider([client]) as provider:
        how = Introspection(client_id="api", client_secret=client["client_secret"])
        issuer = Issuer(provider.issuer, audience=[opaque, jwt], introspect=how)
        options = {"account": "ada", "client": "api", "scope": "tasks:read"}
        with client_of(serve(app_of(Auth(issuers=[issuer])))) as get:
            for resource in (opaque, jwt):
                token = provider.issue(resource=resource, **options)
                assert get("/read", token).json()["user_id"] == "ada"
                assert get("/write", token).status_code == 403
            other = provider.issue(
                resource="https://other.example.com/opaque", **options
            )
            assert get("/me", other).status_code == 401
