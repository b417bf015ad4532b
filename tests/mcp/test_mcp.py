"""MCP servers of the SDK and of fastmcp, with the clients of both, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import fastmcp
import httpx2
import pytest
from fastmcp.server.dependencies import get_access_token as fastmcp_token
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import ProtectedResourceMetadata

from asgi import BackgroundServer
from fastbearer import Key, Signer
from fastbearer.errors import ConfigurationError, KeySourceError
from fastbearer.fastapi import Auth, Settings
from fastbearer.fastapi.resource import Resource
from fastbearer.mcp import OutageMiddleware, TokenVerifier, auth_settings
from fastbearer.mcp.fastmcp import AuthProvider
from fastbearer.mcp.fastmcp import TokenVerifier as FastMCPVerifier
from project import SECRET

ISSUER = "https://id.example.com"
SCOPES = ["tasks:read"]
KEY = Key.from_secret(SECRET)


def auth_for(url: str, **more: Any) -> Auth:
    resource = Resource(f"{url}/mcp", scopes_supported=SCOPES, name="Tasks")
    settings = Settings(better_auth_secret=SECRET, jwt_issuer=ISSUER)
    return Auth(settings, resource=resource, **more)


def sdk_app(auth: Auth) -> Any:
    server = MCPServer(
        "tasks",
        token_verifier=TokenVerifier(auth),
        auth=auth_settings(auth, required_scopes=SCOPES),
    )

    @server.tool()
    def who() -> dict[str, Any]:
        """Tell whose token it is."""
        found = get_access_token()
        assert found is not None
        return found.model_dump(exclude={"token"})

    app = server.streamable_http_app()
    app.add_middleware(OutageMiddleware)
    return app


def fastmcp_app(auth: Auth) -> Any:
    server: Any = fastmcp.FastMCP(
        "tasks", auth=AuthProvider(auth, required_scopes=SCOPES)
    )

    @server.tool
    def who() -> dict[str, Any]:
        """Tell whose token it is."""
        found = fastmcp_token()
        assert found is not None
        return found.model_dump(exclude={"token"})

    return server.http_app()


APPS = {"mcp": sdk_app, "fastmcp": fastmcp_app}


@contextmanager
def served(make: Callable[[Auth], Any], **more: Any) -> Iterator[str]:
    """Serve an application that knows its own URL."""
    made: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await made[0](scope, receive, send)

    server = BackgroundServer(app)
    made.append(make(auth_for(server.url, **more)))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="module", params=APPS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with served(APPS[request.param]) as found:
        yield found


def token_for(url: str, **claims: Any) -> str:
    usual = {
        "iss": ISSUER,
        "aud": f"{url}/mcp",
        "sub": "u1",
        "client_id": "agent",
        "scope": "tasks:read tasks:write",
        "exp": int(time.time()) + 600,
    }
    found = {k: v for k, v in {**usual, **claims}.items() if v is not None}
    return Signer(KEY).sign(found)


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def ask(url: str, token: str | None = None, scheme: str = "Bearer") -> httpx2.Response:
    headers = {"Accept": "application/json, text/event-stream"}
    if token is not None:
        headers["Authorization"] = f"{scheme} {token}"
    return httpx2.post(f"{url}/mcp", json=INITIALIZE, headers=headers)


@asynccontextmanager
async def sdk_client(url: str, token: str) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def fastmcp_client(url: str, token: str) -> AsyncIterator[Any]:
    async with fastmcp.Client(f"{url}/mcp", auth=token) as client:
        yield client


CLIENTS = {"mcp": sdk_client, "fastmcp": fastmcp_client}


@pytest.mark.http
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_client_with_a_token_calls_a_tool(url: str, client: Any) -> None:
    expiry = int(time.time()) + 600

    async def call() -> Any:
        async with client(url, token_for(url, exp=expiry)) as session:
            return await session.call_tool("who", {})

    result = asyncio.run(call())
    found = result.structured_content
    found = found.get("result", found)
    assert found["client_id"] == "agent"
    assert found["subject"] == "u1"
    assert found["scopes"] == ["tasks:read", "tasks:write"]
    assert found["expires_at"] == expiry
    assert found["resource"] == f"{url}/mcp"
    assert found["claims"]["iss"] == ISSUER


@pytest.mark.http
def test_a_client_without_a_token_finds_out_how_to_sign_in(url: str) -> None:
    refused = ask(url)
    assert refused.status_code == 401
    challenge = refused.headers["www-authenticate"]
    place = f"{url}/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{place}"' in challenge
    found = httpx2.get(place, headers={"Origin": "https://inspector.example"})
    assert found.headers["access-control-allow-origin"] == "*"
    document = ProtectedResourceMetadata.model_validate(found.json())
    assert str(document.resource) == f"{url}/mcp"
    assert [str(one).rstrip("/") for one in document.authorization_servers] == [ISSUER]
    assert document.scopes_supported == SCOPES


@pytest.mark.http
@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://other.example/mcp"},
        {"aud": None},
        {"aud": []},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"nbf": 2**40},
        {"sub": None, "client_id": None},
        {"cnf": {"jkt": "x"}},
    ],
)
def test_a_token_that_is_not_for_this_server(url: str, wrong: dict[str, Any]) -> None:
    refused = ask(url, token_for(url, **wrong))
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert "resource_metadata=" in refused.headers["www-authenticate"]


@pytest.mark.http
@pytest.mark.parametrize("token", ["x", "a.b.c", "\xe9", "x" * 20_000])
def test_what_is_not_a_token(url: str, token: str) -> None:
    headers = [(b"authorization", b"Bearer " + token.encode("latin-1"))]
    headers += [(b"accept", b"application/json, text/event-stream")]
    refused = httpx2.post(f"{url}/mcp", json=INITIALIZE, headers=headers)
    assert refused.status_code == 401


@pytest.mark.http
def test_a_token_without_the_scope(url: str) -> None:
    refused = ask(url, token_for(url, scope="tasks:write"))
    assert refused.status_code == 403
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert "resource_metadata=" in challenge


@pytest.mark.http
def test_a_good_token_of_several_audiences(url: str) -> None:
    assert ask(url, token_for(url, aud=["other", f"{url}/mcp"])).status_code == 200


class Away:
    """A verifier whose issuer cannot be reached."""

    def verify(self, token: str) -> dict[str, Any]:
        raise KeySourceError("the keys cannot be fetched", 7)


@pytest.mark.http
@pytest.mark.parametrize("make", APPS.values(), ids=APPS)
def test_an_issuer_that_is_away_is_neither_a_pass_nor_a_bad_token(make: Any) -> None:
    with served(make, verifier=Away()) as url:
        answer = ask(url, token_for(url))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert "www-authenticate" not in answer.headers


def test_the_sdk_alone_says_500_while_the_issuer_is_away() -> None:
    """Never 200, and not 401, after which a client would sign in once more."""
    verifier = TokenVerifier(auth_for("https://api.example.com", verifier=Away()))
    with pytest.raises(KeySourceError):
        asyncio.run(verifier.verify_token("a.b.c"))


@pytest.mark.parametrize("name", ["client_id", "azp", "cid", "appid"])
def test_whatever_the_provider_calls_the_client(name: str) -> None:
    auth = auth_for("https://api.example.com")
    claims = {"client_id": None, name: "agent"}
    token = token_for("https://api.example.com", **claims)
    for verifier in (TokenVerifier(auth), FastMCPVerifier(auth)):
        found = asyncio.run(verifier.verify_token(token))
        assert found is not None and found.client_id == "agent"


def test_a_user_without_a_client_and_a_client_without_a_user() -> None:
    auth = auth_for("https://api.example.com")
    verifier = TokenVerifier(auth)
    url = "https://api.example.com"
    user = asyncio.run(verifier.verify_token(token_for(url, client_id=None)))
    assert user is not None and (user.client_id, user.subject) == ("u1", "u1")
    client = asyncio.run(verifier.verify_token(token_for(url, sub=None)))
    assert client is not None and (client.client_id, client.subject) == ("agent", None)


@pytest.mark.parametrize(
    ("audience", "resource"),
    [
        ("https://api.example.com/mcp", "https://api.example.com/mcp"),
        (["other", "https://api.example.com/mcp"], "https://api.example.com/mcp"),
    ],
)
def test_which_resource_a_token_is_for(audience: Any, resource: str) -> None:
    auth = auth_for("https://api.example.com")
    token = token_for("https://api.example.com", aud=audience)
    found = asyncio.run(TokenVerifier(auth).verify_token(token))
    assert found is not None and found.resource == resource


@pytest.mark.parametrize(
    ("audience", "resource"), [("tasks", "tasks"), (["tasks", "other"], None)]
)
def test_a_token_where_no_resource_is_named(audience: Any, resource: Any) -> None:
    settings = Settings(better_auth_secret=SECRET, jwt_audience="tasks")
    token = Signer(KEY, lifetime=60).sign({"sub": "u1", "aud": audience})
    found = asyncio.run(TokenVerifier(Auth(settings)).verify_token(token))
    assert found is not None and found.resource == resource


def test_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    monkeypatch.setenv("JWT_ISSUER", ISSUER)
    monkeypatch.setenv("RESOURCE_URL", "https://api.example.com/mcp")
    monkeypatch.setenv("RESOURCE_SCOPES", "tasks:read tasks:write")
    auth = Auth()
    settings = auth_settings(auth)
    assert str(settings.resource_server_url) == "https://api.example.com/mcp"
    assert str(settings.issuer_url) == ISSUER
    token = token_for("https://api.example.com")
    assert asyncio.run(TokenVerifier(auth).verify_token(token)) is not None
    routes = AuthProvider(auth).get_routes("/mcp")
    assert [one.path for one in routes] == ["/.well-known/oauth-protected-resource/mcp"]


def test_what_is_missing_is_said_at_the_start() -> None:
    bare = Auth(Settings(better_auth_secret=SECRET))
    with pytest.raises(ConfigurationError, match="RESOURCE_URL"):
        auth_settings(bare)
    with pytest.raises(ConfigurationError, match="RESOURCE_URL"):
        AuthProvider(bare)
    no_issuer = Auth(
        Settings(better_auth_secret=SECRET), resource=Resource("https://a.example")
    )
    with pytest.raises(ConfigurationError, match="authorization server"):
        auth_settings(no_issuer)


def test_a_resource_at_another_path_than_the_endpoint() -> None:
    """The SDK would tell clients of the one, and tokens would be for the other."""
    provider = AuthProvider(auth_for("https://api.example.com"))
    with pytest.raises(ConfigurationError, match="same"):
        provider.get_routes("/elsewhere")
