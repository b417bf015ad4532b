"""Cookies, scopes, the middleware, and the kit for tests of applications.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from accounts_kit import CHEAP, EMAIL, PASSWORD, bearer, make_auth
from fastbearer import Signer
from fastbearer.accounts import Accounts
from fastbearer.errors import ConfigurationError, TokenError
from fastbearer.fastapi import Auth, BearerMiddleware, Settings, TokenUser
from fastbearer.testing import (
    FrozenClock,
    cheap_hasher,
    override_user,
    signed_in,
    token_for,
)
from fastbearer.testing import bearer as bearer_of
from project import SECRET

Serve = Callable[[FastAPI], str]
SITE = "https://api.example"
CROSS = "Requests with a cookie must come from this site"
COOKIE = "__Host-fastbearer"


def auth_with(**settings: Any) -> Auth:
    return Auth(Settings(better_auth_secret=SECRET, **settings))


def make_app(auth: Auth) -> FastAPI:
    app = FastAPI()
    user = Depends(auth.verify_jwt_token)

    @app.get("/me")
    @app.post("/me")
    async def me(user: Annotated[TokenUser, user]) -> TokenUser:
        return user

    @app.get("/{user_id}/rows")
    async def rows(user: Annotated[TokenUser, Depends(auth.verify_user_id)]) -> str:
        return user["user_id"]

    @app.get("/maybe")
    async def maybe(
        user: Annotated[TokenUser | None, Depends(auth.optional_user)],
    ) -> TokenUser | None:
        return user

    @app.get("/claims")
    async def claims(
        claims: Annotated[dict[str, Any], Depends(auth.token_claims)],
    ) -> dict[str, Any]:
        return claims

    @app.get("/write")
    async def write(
        user: Annotated[
            TokenUser, Security(auth.requires, scopes=["tasks:read", "tasks:write"])
        ],
    ) -> str:
        return user["user_id"]

    @app.websocket("/ws")
    async def socket(websocket: WebSocket, user: Annotated[TokenUser, user]) -> None:
        await websocket.accept()
        await websocket.send_text(user["user_id"])
        await websocket.close()

    return app


# --- cookies


@pytest.fixture
def signed_up(tmp_path: Path) -> Iterator[TestClient]:
    """A browser's client of a service with cookies, which has signed up."""
    auth = make_auth(tmp_path / "a.db", auth_cookie=True, refresh_tokens=True)
    app = make_app(auth)
    app.include_router(Accounts(auth, hasher=CHEAP).router)
    client = TestClient(app, base_url=SITE, headers={"Sec-Fetch-Site": "same-origin"})
    with client:
        body = {"email": EMAIL, "password": PASSWORD}
        response = client.post("/api/auth/signup", json=body)
        assert response.status_code == 201
        assert set(response.json()["data"]) == {"user"}
        client.headers["x-answer"] = "; ".join(
            response.headers.get_list("set-cookie")
        ).replace('"', "")
        yield client


def cookies_of(client: TestClient) -> dict[str, str]:
    """Return them as a header: the test client sends none with a WebSocket."""
    pairs = [f"{name}={value}" for name, value in client.cookies.items()]
    return {"Cookie": "; ".join(pairs)}


def test_the_cookies_are_out_of_reach(signed_up: TestClient) -> None:
    answer = signed_up.headers["x-answer"]
    assert answer.count("HttpOnly") == answer.count("Secure") == 2
    assert answer.count("SameSite=lax") == answer.count("Path=/") == 2
    assert "Domain" not in answer
    assert COOKIE in signed_up.cookies
    assert f"{COOKIE}-refresh" in signed_up.cookies


def test_a_cookie_signs_in(signed_up: TestClient) -> None:
    assert signed_up.get("/me").json()["email"] == EMAIL
    assert signed_up.post("/me").json()["email"] == EMAIL
    headers = {"Sec-Fetch-Site": "same-origin", **cookies_of(signed_up)}
    with signed_up.websocket_connect("/ws", headers=headers) as socket:
        assert socket.receive_text()


def test_a_cookie_refreshes_and_signs_out(signed_up: TestClient) -> None:
    before = dict(signed_up.cookies)
    response = signed_up.post("/api/auth/refresh")
    assert response.status_code == 200 and set(response.json()["data"]) == {"user"}
    assert signed_up.cookies[f"{COOKIE}-refresh"] != before[f"{COOKIE}-refresh"]
    assert signed_up.post("/api/auth/signout").status_code == 200
    assert not dict(signed_up.cookies)
    assert signed_up.get("/me").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://www.api.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": SITE},
        {"Origin": "https://evil.example"},
        {"Origin": "http://api.example"},
        {"Origin": "https://api.example.evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_another_site_cannot_use_the_cookie(
    signed_up: TestClient, headers: dict[str, str]
) -> None:
    del signed_up.headers["Sec-Fetch-Site"]
    response = signed_up.post("/me", headers=headers)
    assert (response.status_code, response.json()) == (403, {"detail": CROSS})
    for route in ("signin", "signup", "refresh", "signout", "change-password"):
        body = {"email": EMAIL, "password": PASSWORD}
        response = signed_up.post(f"/api/auth/{route}", json=body, headers=headers)
        assert response.status_code == 403, route
    with pytest.raises(WebSocketDenialResponse) as denied:  # noqa: SIM117
        with signed_up.websocket_connect(
            "/ws", headers={**headers, **cookies_of(signed_up)}
        ):
            pass
    assert denied.value.status_code == 403
    assert signed_up.get("/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": SITE}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}]
)
def test_this_site_can(signed_up: TestClient, headers: dict[str, str]) -> None:
    del signed_up.headers["Sec-Fetch-Site"]
    assert signed_up.post("/me", headers=headers).status_code == 200


def test_a_trusted_origin_can() -> None:
    auth = auth_with(auth_cookie=True, trusted_origins="https://app.example")
    client = TestClient(make_app(auth), base_url=SITE)
    headers = {"Cookie": f"{COOKIE}={token_for(auth=auth)}"}
    for origin, status in (("https://app.example", 200), ("https://b.example", 403)):
        headers |= {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        assert client.post("/me", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("cookie", "status"),
    [
        ("{name}={token}", 200),
        ("a=b;{name}={token} ;c=d", 200),
        ("{name}={token}; {name}={token}", 200),
        ("{name}=", 401),
        ("fastbearer={token}", 401),
        ("X{name}={token}", 401),
        ("{name}={token}x", 401),
        ("{name}", 401),
        ("é;=;;{name}", 401),
        (";" * 10_000, 401),
    ],
)
def test_what_a_cookie_header_may_be(cookie: str, status: int) -> None:
    auth = auth_with(auth_cookie=True)
    client = TestClient(make_app(auth), base_url=SITE)
    value = cookie.format(name=COOKIE, token=token_for(auth=auth))
    response = client.get("/me", headers={"Cookie": value.encode()})  # type: ignore[dict-item]
    assert response.status_code == status


def test_a_header_goes_before_a_cookie() -> None:
    auth = auth_with(auth_cookie=True)
    client = TestClient(make_app(auth), base_url=SITE)
    headers = {**bearer("bad"), "Cookie": f"{COOKIE}={token_for(auth=auth)}"}
    assert client.get("/me", headers=headers).status_code == 401
    headers |= bearer_of("someone", auth=auth)
    assert client.post("/me", headers=headers).json()["user_id"] == "someone"


def test_cookies_are_nothing_by_default() -> None:
    auth = auth_with()
    client = TestClient(make_app(auth), base_url=SITE)
    headers = {"Cookie": f"{COOKIE}={token_for(auth=auth)}"}
    assert client.get("/me", headers=headers).status_code == 401


def test_a_cookie_for_development() -> None:
    auth = auth_with(auth_cookie=True, cookie_secure=False)
    client = TestClient(make_app(auth), base_url="http://localhost")
    headers = {"Cookie": f"fastbearer={token_for(auth=auth)}"}
    assert client.get("/me", headers=headers).status_code == 200


# --- scopes


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("tasks:read tasks:write", 200),
        ("x tasks:write y tasks:read", 200),
        (["tasks:read", "tasks:write"], 200),
        ("tasks:read", 403),
        ("tasks:read tasks:writer", 403),
        ("tasks:read,tasks:write", 403),
        ("", 403),
        (7, 403),
        (None, 403),
        ({"tasks:read": 1, "tasks:write": 1}, 403),
        ([["tasks:read"], "tasks:write"], 403),
    ],
)
def test_scopes(scope: object, status: int) -> None:
    auth = auth_with()
    client = TestClient(make_app(auth))
    token = token_for("u1", auth=auth, claims={"scope": scope})
    response = client.get("/write", headers=bearer(token))
    assert response.status_code == status
    if status == 403:
        challenge = response.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert challenge.endswith('scope="tasks:read tasks:write"')


def test_scopes_of_a_token_and_in_the_document() -> None:
    auth = auth_with()
    app = make_app(auth)
    token = token_for("u1", auth=auth, scopes=("tasks:read", "tasks:write"))
    client = TestClient(app)
    assert client.get("/write", headers=bearer(token)).json() == "u1"
    assert client.get("/write").status_code == 401
    security = app.openapi()["paths"]["/write"]["get"]["security"]
    assert security == [{"Bearer": ["tasks:read", "tasks:write"]}]
    for scope in ("", "a b", 'a"b', "a\\b", "é", "a\n"):
        with pytest.raises(ValueError, match="a scope is"):
            auth.generate_jwt_token("u", "", scopes=[scope])


# --- the middleware


async def who(request: Request) -> JSONResponse:
    return JSONResponse([request.user, request.auth])


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(websocket.user)
    await websocket.close()


def wrapped(**options: Any) -> TestClient:
    auth = auth_with()
    app = Starlette(
        routes=[
            Route("/who", who, methods=["GET", "POST"]),
            Route("/open", lambda _: JSONResponse("open")),
            Route("/files/{name}", lambda _: JSONResponse("file")),
            WebSocketRoute("/ws", socket),
        ],
        middleware=[Middleware(BearerMiddleware, auth=auth, **options)],
    )
    return TestClient(app, headers=bearer_of("u1", "a@b.example", auth=auth))


def test_the_middleware_lets_good_tokens_through() -> None:
    client = wrapped()
    user, claims = client.get("/who").json()
    assert user == {"user_id": "u1", "email": "a@b.example"}
    assert claims["sub"] == "u1" and claims["exp"] > 0
    with client.websocket_connect("/ws") as connected:
        assert connected.receive_json() == user


def test_the_middleware_answers_as_the_dependency_does() -> None:
    auth = auth_with()
    through, beside = wrapped(), TestClient(make_app(auth))
    del through.headers["Authorization"]
    cases: list[list[tuple[str, str]]] = [
        [],
        [("Authorization", "Basic eA==")],
        [("Authorization", "Bearer x")],
        [("Authorization", "Bearer x"), ("Authorization", "Bearer y")],
        [("Authorization", f"Bearer {token_for(auth=auth, claims={'exp': 1})}")],
        [("Authorization", f"Bearer {token_for(auth=auth, claims={'sub': 7})[:-1]}")],
    ]
    for headers in cases:
        ours = through.get("/who", headers=headers)
        theirs = beside.get("/me", headers=headers)
        assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())
        key = "www-authenticate"
        assert ours.headers[key] == theirs.headers[key]
        if len(headers) > 1:  # the test client has one header of a name
            continue
        with pytest.raises(WebSocketDenialResponse) as denied:  # noqa: SIM117
            with through.websocket_connect("/ws", headers=dict(headers)):
                pass
        assert denied.value.status_code == ours.status_code


def test_a_server_without_denials_closes() -> None:
    auth = auth_with()
    sent: list[Any] = []

    async def run() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        scope = {"type": "websocket", "path": "/", "headers": []}
        middleware = BearerMiddleware(make_app(auth), auth=auth)
        await middleware(scope, receive, send)

    asyncio.run(run())
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_exempt_paths() -> None:
    client = wrapped(exempt=["/open", "/files/"])
    del client.headers["Authorization"]
    assert client.get("/open").json() == "open"
    assert client.get("/files/x").json() == "file"
    for path in ("/open/", "/opens", "/files", "/who", "//open", "/open/../who"):
        assert client.get(path).status_code == 401, path


def test_optional_users() -> None:
    client = wrapped(optional=True)
    assert client.get("/who").json()[0]["user_id"] == "u1"
    del client.headers["Authorization"]
    assert client.get("/who").json() == [{}, {}]
    assert client.get("/who", headers=bearer("bad")).status_code == 401


# --- the kit


def test_a_client_that_is_signed_in() -> None:
    auth = auth_with()
    client = signed_in(make_app(auth), "u7", auth=auth)
    assert client.get("/me").json()["user_id"] == "u7"
    assert client.get("/u7/rows").json() == "u7"
    assert client.get("/u8/rows").status_code == 403


@pytest.mark.parametrize("secret", [True, False])
def test_a_user_without_a_token(secret: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BETTER_AUTH_SECRET", "AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)
    auth = auth_with() if secret else Auth()
    app = make_app(auth)
    client = TestClient(app)
    app.dependency_overrides[make_app] = make_app
    with override_user(app, "u9", auth=auth, claims={"role": "admin"}) as user:
        assert client.get("/me").json() == user
        assert client.get("/maybe").json() == user
        assert client.get("/claims").json()["role"] == "admin"
        assert client.get("/write").json() == "u9"
        assert client.get("/u9/rows").json() == "u9"
        assert client.get("/u8/rows").status_code == 403
        with client.websocket_connect("/ws") as connected:
            assert connected.receive_text() == "u9"
    assert app.dependency_overrides == {make_app: make_app}
    if secret:
        assert client.get("/me").status_code == 401


def test_a_frozen_clock() -> None:
    clock = FrozenClock()
    settings = Settings(better_auth_secret=SECRET, jwt_expiration_days=1)
    auth = Auth(settings, clock=clock)
    client = signed_in(make_app(auth), auth=auth)
    assert client.get("/claims").json()["iat"] == clock()
    clock.advance(86_399)
    assert client.get("/me").status_code == 200
    clock.advance(1)
    assert client.get("/me").status_code == 401


def test_a_cheap_hasher() -> None:
    hasher = cheap_hasher()
    assert hasher.verify("x", hasher.hash("x"))
    assert hasher.needs_rehash(hasher.hash("x")) is False


def test_the_kit_needs_httpx2() -> None:
    assert isinstance(signed_in(FastAPI(), auth=auth_with()), httpx2.Client)
    assert WebSocketDisconnect


def test_overrides_may_overlap_and_end_in_any_order() -> None:
    """What one leaves behind would let every later test in."""
    auth = auth_with()
    app = make_app(auth)
    client = TestClient(app)
    app.dependency_overrides[make_app] = make_app

    def who() -> object:
        response = client.get("/me")
        return response.json().get("user_id") if response.is_success else None

    first, second = (
        override_user(app, "a", auth=auth),
        override_user(app, "b", auth=auth),
    )
    first.__enter__()
    second.__enter__()
    assert who() == "b"
    first.__exit__(None, None, None)
    assert who() == "b"
    second.__exit__(None, None, None)
    assert who() is None
    assert app.dependency_overrides == {make_app: make_app}
    with override_user(app, "c", auth=auth), override_user(app, "d", auth=auth):
        assert who() == "d"
    assert who() is None


def test_an_override_that_ends_leaves_the_others_in_place_throughout() -> None:
    """The application may answer in another thread meanwhile."""
    auth = auth_with()
    app = make_app(auth)
    seen: list[bool] = []

    class Watched(dict[Any, Any]):
        def clear(self) -> None:
            super().clear()
            self.look()

        def pop(self, *arguments: Any) -> Any:
            found = super().pop(*arguments)
            self.look()
            return found

        def look(self) -> None:
            seen.append(make_app in self and auth.verify_jwt_token in self)

    app.dependency_overrides = Watched({make_app: make_app})
    other = auth_with()
    with override_user(app, "a", auth=auth):
        with override_user(app, "b", auth=other):
            assert other.verify_jwt_token in app.dependency_overrides
        assert other.verify_jwt_token not in app.dependency_overrides
        assert seen and all(seen)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"updateTo": "new@b.example"},
        {"userId": "u1"},
        {"requestType": "change-email-verification", "updateTo": "n@b.example"},
        {"requestType": "email-verification", "sub": "u1"},
        {"updateTo": "new@b.example", "sub": "u1"},
    ],
)
def test_a_link_of_better_auth_is_no_token(claims: dict[str, Any]) -> None:
    """It is signed with the same secret, and mailed."""
    auth = auth_with()
    client = TestClient(make_app(auth))
    link = Signer(auth.settings.signing_key(), lifetime=3600).sign(
        {"email": "a@b.example", **claims}
    )
    response = client.get("/claims", headers=bearer(link))
    assert (response.status_code, response.json()) == (401, {"detail": "Invalid token"})
    ours = auth.generate_jwt_token("u1", "a@b.example")
    assert client.get("/claims", headers=bearer(ours)).status_code == 200
    machine = Signer(auth.settings.signing_key(), lifetime=60).sign({"scope": "x"})
    assert client.get("/claims", headers=bearer(machine)).status_code == 200


# --- a verifier of one's own


class Fixed:
    """A verifier that knows one token."""

    def verify(self, token: str) -> dict[str, Any]:
        if token != "good":
            raise TokenError("another one")
        return {"sub": "u1", "exp": 4_000_000_000, "iat": 1_700_000_000}


@pytest.mark.parametrize("place", ["environment", "settings"])
def test_beside_a_verifier_what_is_configured_holds(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookies, where they come from, and what has ended."""
    if place == "environment":
        monkeypatch.setenv("AUTH_COOKIE", "1")
        monkeypatch.setenv("REVOCATION", "memory")
        auth = Auth(verifier=Fixed())
    else:
        auth = Auth(
            Settings(better_auth_secret=SECRET, auth_cookie=True, revocation="memory"),
            verifier=Fixed(),
        )
    app = make_app(auth)
    app.router.lifespan_context = auth.lifespan
    same = {"Cookie": f"{COOKIE}=good", "Sec-Fetch-Site": "same-origin"}
    with TestClient(app, base_url=SITE) as client:
        assert client.post("/me", headers=same).status_code == 200
        cross = {**same, "Sec-Fetch-Site": "cross-site"}
        assert client.post("/me", headers=cross).status_code == 403
        assert client.get("/me", headers=bearer("good")).status_code == 200
        assert auth.revocations is not None
        asyncio.run(auth.revocations.end_sessions("u1"))
        assert client.get("/me", headers=bearer("good")).status_code == 401
        assert client.post("/me", headers=same).status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BETTER_AUTH_URL", "https://id.example/keys"),
        ("JWKS_URL", "https://id.example/keys"),
        ("JWT_ISSUERS", '[{"url": "https://id.example"}]'),
        ("JWT_LEEWAY", "5"),
        ("JWT_REQUIRED", '{"tid": "a"}'),
        ("JWT_USER_CLAIM", "oid"),
        ("JWT_MAX_BYTES", "20000"),
    ],
)
def test_what_a_given_verifier_would_not_use_is_refused_at_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("JWT_ISSUER", "https://id.example")
    auth = Auth(verifier=Fixed())

    async def start() -> None:
        async with auth.lifespan(None):
            pass

    with pytest.raises(ConfigurationError, match="in place of the settings"):
        asyncio.run(start())
    monkeypatch.delenv(name)
    auth = Auth(verifier=Fixed())
    asyncio.run(start())


@pytest.mark.parametrize(
    "variable", [("COOKIE_SAMESITE", "none"), ("REVOCATION", "sometimes")]
)
def test_beside_a_verifier_what_is_unfit_stops_the_start(
    variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_COOKIE", "1")
    monkeypatch.setenv("COOKIE_SECURE", "0")
    monkeypatch.setenv(*variable)

    async def start() -> None:
        async with Auth(verifier=Fixed()).lifespan(None):
            pass

    with pytest.raises(ConfigurationError, match=variable[0]):
        asyncio.run(start())
