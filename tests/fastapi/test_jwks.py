"""Tokens of a Better Auth server's jwt() plugin, as a FastAPI backend meets them."""

import asyncio
import builtins
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import httpx2
import joserfc.jwk
import joserfc.jwt
import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse

from asgi import ASGIApp
from fastbearer import ConfigurationError, Key, Signer
from fastbearer.accounts import Accounts
from fastbearer.fastapi import Auth, Settings, TokenUser
from key_server import KeyServer, answer, serving
from project import OTHER_SECRET, SECRET

PLUGIN_KEYS = {
    algorithm: Key.generate(algorithm, kid=f"row-of-{algorithm}")
    for algorithm in ("EdDSA", "ES256", "ES512", "PS256", "RS256")
}
ED = PLUGIN_KEYS["EdDSA"]
UNAVAILABLE = "Keys cannot be fetched at the moment. Please try again."


@pytest.fixture
def better_auth() -> Iterator[KeyServer]:
    with KeyServer(serving(*PLUGIN_KEYS.values())) as server:
        yield server


def plugin_token(origin: str, key: Key = ED, **claims: Any) -> str:
    """Return what the plugin signs: a header without typ, the user's fields."""
    now = int(time.time())
    payload = {
        "iat": now,
        "name": "Ada",
        "email": "ada@example.com",
        "emailVerified": False,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "id": "u1",
        "sub": "u1",
        "exp": now + 900,
        "iss": origin,
        "aud": origin,
        **claims,
    }
    present = {name: value for name, value in payload.items() if value is not None}
    return Signer(key).sign(present, headers={"typ": None})


def make_app(auth: Auth) -> FastAPI:
    app = FastAPI(lifespan=auth.lifespan)

    @app.get("/me")
    async def me(
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> TokenUser:
        return user

    @app.get("/{user_id}/tasks", dependencies=[Depends(auth.verify_user_id)])
    async def tasks(user_id: str) -> str:
        return user_id

    @app.websocket("/ws")
    async def ws(
        socket: WebSocket,
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> None:
        await socket.accept()
        await socket.send_json(dict(user))
        await socket.close()

    return app


def get(url: str, token: str) -> httpx2.Response:
    return httpx2.get(url, headers={"Authorization": f"Bearer {token}"})


Serve = Callable[[ASGIApp], str]
ADA = {"user_id": "u1", "email": "ada@example.com"}


@pytest.mark.parametrize("algorithm", PLUGIN_KEYS)
@pytest.mark.parametrize("secret", [SECRET, ""])
def test_tokens_of_the_plugin_are_accepted(
    serve: Serve, better_auth: KeyServer, algorithm: str, secret: str
) -> None:
    settings = Settings(better_auth_secret=secret, better_auth_url=better_auth.origin)
    url = serve(make_app(Auth(settings)))
    token = plugin_token(better_auth.origin, PLUGIN_KEYS[algorithm])
    for _ in range(3):
        assert get(f"{url}/me", token).json() == ADA
    assert get(f"{url}/u1/tasks", token).status_code == 200
    assert get(f"{url}/u2/tasks", token).status_code == 403
    assert better_auth.hits == 1
    assert better_auth.paths == ["/api/auth/jwks"]


def test_both_kinds_are_accepted_and_neither_is_taken_for_the_other(
    serve: Serve, better_auth: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    origin = better_auth.origin
    auth = Auth(Settings(better_auth_secret=SECRET, better_auth_url=origin))
    url = serve(make_app(auth))
    own = auth.generate_jwt_token("u2", "grace@example.com")
    assert get(f"{url}/me", own).json()["user_id"] == "u2"
    assert better_auth.hits == 0
    assert get(f"{url}/me", plugin_token(origin)).json() == ADA
    caplog.clear()
    public = ED.public().to_pem()
    confused = Key.from_secret(OTHER_SECRET, kid=ED.kid)
    es256 = PLUGIN_KEYS["ES256"]
    refused = {
        plugin_token(origin, confused): "invalid_signature",
        plugin_token(origin, Key.generate("EdDSA", kid=ED.kid)): "invalid_signature",
        plugin_token(origin, Key.generate("EdDSA", kid=es256.kid)): "invalid_algorithm",
        plugin_token("https://elsewhere.example"): "invalid_issuer",
        plugin_token(origin, aud="https://other.example"): "invalid_audience",
        plugin_token(origin, aud="better-auth:session-cache"): "invalid_audience",
        plugin_token(origin, iss=origin + "/api/auth"): "invalid_issuer",
        plugin_token(origin, aud=None): "missing_claim",
        plugin_token(origin, iss=None): "missing_claim",
        plugin_token(origin, exp=None): "missing_claim",
        plugin_token(origin, exp=1): "expired_token",
    }
    for token, code in refused.items():
        caplog.clear()
        response = get(f"{url}/me", token)
        assert response.status_code == 401
        assert caplog.messages[-1].startswith(f"token refused: {code}")
    assert public not in caplog.text


def test_tokens_of_joserfc_too(serve: Serve, better_auth: KeyServer) -> None:
    """The keys and tokens are not only ours on both sides."""
    pair = joserfc.jwk.OKPKey.generate_key("Ed25519", {"kid": "made-elsewhere"})
    body = joserfc.jwk.KeySet([pair]).as_dict(private=False)
    better_auth.behave = answer(httpx2.Response(200, json=body).content)
    origin = better_auth.origin
    url = serve(make_app(Auth(Settings(better_auth_url=origin))))
    now = int(time.time())
    claims = {"sub": "u1", "email": "e", "iss": origin, "aud": origin, "exp": now + 60}
    header = {"alg": "EdDSA", "kid": "made-elsewhere"}
    with pytest.warns(Warning, match="EdDSA"):
        token = joserfc.jwt.encode(header, claims, pair, algorithms=["EdDSA"])
    assert get(f"{url}/me", token).json() == {"user_id": "u1", "email": "e"}


def test_the_url_of_the_keys_alone(serve: Serve, better_auth: KeyServer) -> None:
    settings = Settings(
        jwks_url=f"{better_auth.origin}/keys", jwt_issuer="i", jwt_audience="a"
    )
    url = serve(make_app(Auth(settings)))
    token = plugin_token("i", aud="a")
    assert get(f"{url}/me", token).json() == ADA
    assert get(f"{url}/me", plugin_token("a", aud="i")).status_code == 401
    assert better_auth.paths == ["/keys"]


def test_a_rotated_key(serve: Serve, better_auth: KeyServer) -> None:
    origin = better_auth.origin
    url = serve(make_app(Auth(Settings(better_auth_url=origin))))
    better_auth.behave = serving(PLUGIN_KEYS["ES256"])
    token = plugin_token(origin, PLUGIN_KEYS["ES256"])
    assert get(f"{url}/me", token).status_code == 200
    # Within the cool-down the set is not asked for again: this one waits.
    better_auth.behave = serving(*PLUGIN_KEYS.values())
    assert get(f"{url}/me", plugin_token(origin)).status_code == 401
    assert better_auth.hits == 1


@pytest.mark.parametrize("path", ["/me", "/u1/tasks"])
def test_a_source_that_fails_is_a_503(
    serve: Serve, better_auth: KeyServer, path: str
) -> None:
    better_auth.behave = answer(b"a secret of the server", 500)
    origin = better_auth.origin
    auth = Auth(Settings(better_auth_secret=SECRET, better_auth_url=origin))
    url = serve(make_app(auth))
    response = get(f"{url}{path}", plugin_token(origin))
    assert response.status_code == 503
    assert response.json() == {"detail": UNAVAILABLE}
    assert 1 <= int(response.headers["Retry-After"]) <= 10
    assert get(f"{url}/me", auth.generate_jwt_token("u1", "")).status_code == 200
    assert httpx2.get(f"{url}/me").status_code == 401


def test_a_websocket_is_denied_with_a_503(better_auth: KeyServer) -> None:
    better_auth.behave = answer(b"", 500)
    origin = better_auth.origin
    app = make_app(Auth(Settings(better_auth_url=origin)))
    headers = {"Authorization": f"Bearer {plugin_token(origin)}"}
    with TestClient(app) as client:
        with (
            pytest.raises(WebSocketDenialResponse) as caught,
            client.websocket_connect("/ws", headers=headers),
        ):
            pass
        assert caught.value.status_code == 503


def test_a_websocket_is_accepted(better_auth: KeyServer) -> None:
    origin = better_auth.origin
    app = make_app(Auth(Settings(better_auth_url=origin)))
    headers = {"Authorization": f"Bearer {plugin_token(origin)}"}
    with (
        TestClient(app) as client,
        client.websocket_connect("/ws", headers=headers) as ws,
    ):
        assert ws.receive_json() == ADA


def test_the_log_says_what_it_is(
    serve: Serve, better_auth: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    auth = Auth(Settings(better_auth_secret=SECRET, better_auth_url=better_auth.origin))
    url = serve(make_app(auth))
    stranger = plugin_token(better_auth.origin, Key.generate("ES384", kid="k"))
    assert get(f"{url}/me", stranger).status_code == 401
    refused = "token refused: invalid_algorithm: alg_not_allowed"
    hint = "alg is ES384; its alg is not one that is accepted"
    assert caplog.messages == [f"{refused}; {hint}"]


def start(room: Auth | Accounts) -> None:
    """Run a lifespan, as a server does when it starts."""

    async def run() -> None:
        async with room.lifespan(None):
            pass

    asyncio.run(run())


def test_without_a_secret_nothing_can_be_signed() -> None:
    auth = Auth(Settings(better_auth_url="http://127.0.0.1:1"))
    start(auth)
    with pytest.raises(ConfigurationError, match="BETTER_AUTH_SECRET"):
        auth.generate_jwt_token("u1", "")
    with pytest.raises(ConfigurationError, match="BETTER_AUTH_SECRET"):
        start(Accounts(auth))


@pytest.mark.parametrize("url", ["http://app.example:3000", "https://u:p@app.example"])
def test_keys_that_may_not_be_fetched_stop_the_start(url: str) -> None:
    auth = Auth(Settings(better_auth_secret=SECRET, jwks_url=url, jwt_issuer="i"))
    with pytest.raises(ConfigurationError, match="JWKS URL"):
        start(auth)


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without_httpx2(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "httpx2":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_httpx2)
    with pytest.raises(ConfigurationError, match=r"fastbearer\[jwks\]"):
        start(Auth(Settings(better_auth_url="https://app.example")))
