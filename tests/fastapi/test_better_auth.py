"""The dependency better_auth_session, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from asgi import ASGIApp
from fastbearer import Key, KeySet, Signer
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.javascript import iso
from fastbearer.errors import (
    ConfigurationError,
    InvalidKeyError,
    KeySourceError,
    StoreUnavailableError,
    TokenError,
)
from fastbearer.fastapi import better_auth_session
from fastbearer.jwks import JWKSClient
from key_server import KeyServer, serving
from project import SECRET

Serve = Callable[[ASGIApp], str]
ORIGIN = "http://localhost:3000"
TOKEN, OTHER_TOKEN = "a" * 32, "b" * 32
NOW = datetime.now(UTC)
SESSION = {"id": "s1", "token": TOKEN, "userId": "u1", "expiresAt": NOW + timedelta(1)}
USER = {"id": "u1", "email": "ada@example.com", "name": "Ada \u20ac"}
SIGNING = Key.generate("EdDSA", kid="k1")
KEYS = KeySet([SIGNING.public()])
CHALLENGE = 'Bearer realm="fastbearer"'


class Sessions:
    """A store; it can be broken."""

    def __init__(self) -> None:
        self.found: dict[str, Session] = {
            TOKEN: Session(USER, SESSION, NOW + timedelta(1), "store")
        }
        self.asked: list[str] = []
        self.is_broken = False

    async def find(self, token: str, now: float) -> Session | None:
        self.asked.append(token)
        await asyncio.sleep(0)
        if self.is_broken:
            raise StoreUnavailableError("gone") from OSError("gone")
        found = self.found.get(token)
        return found if found and found.expires_at.timestamp() > now else None


class Unreachable:
    """Keys that cannot be fetched."""

    def keys(self, **_: bool) -> KeySet:
        raise KeySourceError("no keys", 7)

    async def akeys(self, **_: bool) -> KeySet:
        raise KeySourceError("no keys", 7)


def make_app(ba: BetterAuth, **options: Any) -> FastAPI:
    app = FastAPI()
    session = Depends(better_auth_session(ba, **options))

    @app.get("/me")
    @app.post("/me")
    async def me(session: Any = session) -> Any:
        if session is None:
            return None
        return {"id": session.user_id, "email": session.email, "of": session.source}

    @app.websocket("/ws")
    async def ws(socket: WebSocket, session: Any = session) -> None:
        await socket.accept()
        await socket.send_text(session.user_id)
        await socket.close()

    return app


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


def cookies(ba: BetterAuth, **options: Any) -> str:
    made = ba.write_cookies(SESSION, USER, **options)
    return "; ".join(cookie.partition(";")[0] for cookie in made)


def plugin_token(**claims: Any) -> str:
    signer = Signer(SIGNING, issuer=ORIGIN, audience=ORIGIN, lifetime=900)
    named = {"sub": "u1", "email": "ada@example.com", **claims}
    return signer.sign(named, headers={"typ": None})


def ask(url: str, method: str = "GET", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.request(method, f"{url}/me", headers=named)


def signed_in(response: httpx2.Response, source: str) -> bool:
    expected = {"id": "u1", "email": "ada@example.com", "of": source}
    return response.status_code == 200 and response.json() == expected


def test_cookies_without_a_store(serve: Serve) -> None:
    ba = BetterAuth(SECRET)
    url = serve(make_app(ba))
    for strategy in ("compact", "jwt", "jwe"):
        header = cookies(ba, strategy=strategy)
        assert signed_in(ask(url, cookie=header), "cookie")
    both = cookies(ba).split("; ")
    for header in (both[0], both[1], cookies(BetterAuth(SECRET[::-1])), "a=b"):
        response = ask(url, cookie=header)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith(CHALLENGE)
    # Several Cookie headers are one (RFC 9113 8.2.3).
    pairs = [("cookie", one) for one in both]
    assert httpx2.get(f"{url}/me", headers=pairs).status_code == 200
    assert ask(url).json() == {"detail": "Not authenticated"}


def test_expired_session_data(serve: Serve) -> None:
    past = BetterAuth(SECRET, clock=lambda: time.time() - 600)
    url = serve(make_app(BetterAuth(SECRET)))
    response = ask(url, cookie=cookies(past))
    assert response.status_code == 401
    assert response.json()["detail"] == "Token has expired. Please sign in again."


def test_cookies_with_a_store(serve: Serve, sessions: Sessions) -> None:
    ba = BetterAuth(SECRET, store=sessions)
    url = serve(make_app(ba))
    only_token = cookies(ba, strategy=None)
    for header in (only_token, cookies(ba)):
        assert signed_in(ask(url, cookie=header), "store")
    sessions.found.clear()  # signed out
    assert ask(url, cookie=cookies(ba)).status_code == 401
    assert sessions.asked == [TOKEN] * 3


def test_session_data_does_for_reads_where_it_is_asked(
    serve: Serve, sessions: Sessions
) -> None:
    ba = BetterAuth(SECRET, store=sessions)
    url = serve(make_app(ba, cached_reads=True))
    sessions.found.clear()
    assert signed_in(ask(url, cookie=cookies(ba)), "cookie")
    assert sessions.asked == []
    # What changes something is looked up, and so is what has no good data.
    assert ask(url, "POST", cookie=cookies(ba), origin=ORIGIN).status_code == 401
    assert ask(url, cookie=cookies(ba, strategy=None)).status_code == 401
    past = BetterAuth(SECRET, clock=lambda: time.time() - 600)
    assert ask(url, cookie=cookies(past)).status_code == 401
    assert sessions.asked == [TOKEN] * 3


def test_tokens_of_the_plugin_jwt(serve: Serve) -> None:
    url = serve(make_app(BetterAuth(SECRET, jwks=KEYS)))
    assert signed_in(ask(url, authorization=f"Bearer {plugin_token()}"), "jwt")
    expired = plugin_token(exp=1)
    response = ask(url, authorization=f"Bearer {expired}")
    assert (response.status_code, response.json()["detail"]) == (
        401,
        "Token has expired. Please sign in again.",
    )
    for wrong in (
        plugin_token(iss="http://localhost:1"),
        plugin_token()[:-2],
        Signer(Key.from_secret(SECRET), lifetime=9).sign({"sub": "u1"}),
        "x",
        "a.b.c",
        TOKEN,
    ):
        response = ask(url, authorization=f"Bearer {wrong}")
        assert (response.status_code, response.json()["detail"]) == (
            401,
            "Invalid token",
        )


def test_session_tokens_as_bearer_tokens(serve: Serve, sessions: Sessions) -> None:
    ba = BetterAuth(SECRET, store=sessions)
    url, lenient = serve(make_app(ba)), serve(make_app(ba, raw_tokens=True))
    signed = ba.sign_session_token(TOKEN)
    for token in (signed, signed.replace("%2F", "/").replace("%3D", "=")):
        assert signed_in(ask(url, authorization=f"Bearer {token}"), "store")
    assert ask(url, authorization=f"Bearer {TOKEN}").status_code == 401
    assert signed_in(ask(lenient, authorization=f"Bearer {TOKEN}"), "store")
    for token in (OTHER_TOKEN, TOKEN[:-1], TOKEN + ".x", plugin_token()):
        assert ask(lenient, authorization=f"Bearer {token}").status_code == 401
    storeless = serve(make_app(BetterAuth(SECRET)))
    assert ask(storeless, authorization=f"Bearer {signed}").status_code == 401


def test_a_bearer_token_wins_over_the_cookies(serve: Serve, sessions: Sessions) -> None:
    """As on the server: what was sent on purpose counts, and no other origin can."""
    ba = BetterAuth(SECRET, store=sessions, jwks=KEYS)
    url = serve(make_app(ba))
    bearer = f"Bearer {plugin_token()}"
    for cookie in (cookies(ba), cookies(ba).split("; ")[1], "better-auth.x=1"):
        assert signed_in(ask(url, cookie=cookie, authorization=bearer), "jwt")
        posted = ask(url, "POST", cookie=cookie, authorization=bearer)
        assert signed_in(posted, "jwt")
    # It counts alone: a bad one is not made good by a cookie.
    for bad in (bearer[:-8] + "A" * 8, "Bearer x", f"Bearer {TOKEN}"):
        assert ask(url, cookie=cookies(ba), authorization=bad).status_code == 401
    twice = [("authorization", bearer), ("authorization", bearer)]
    assert httpx2.get(f"{url}/me", headers=twice).status_code == 400
    # Another scheme is none of ours.
    basic = ask(url, cookie=cookies(ba), authorization="Basic YTpi")
    assert signed_in(basic, "store")


def test_a_bearer_token_that_nothing_verifies_is_passed_by(
    serve: Serve, sessions: Sessions
) -> None:
    """Somebody else's token, for a gateway perhaps, does not end a session here."""
    with_store = serve(make_app(BetterAuth(SECRET, store=sessions)))
    with_keys = serve(make_app(BetterAuth(SECRET, jwks=KEYS)))
    neither = serve(make_app(BetterAuth(SECRET)))
    cookie = cookies(BetterAuth(SECRET))
    jwt, opaque = f"Bearer {plugin_token()}", "Bearer opaque"
    assert signed_in(ask(with_store, cookie=cookie, authorization=jwt), "store")
    assert signed_in(ask(with_keys, cookie=cookie, authorization=opaque), "cookie")
    for other in (jwt, opaque):
        assert signed_in(ask(neither, cookie=cookie, authorization=other), "cookie")
        assert ask(neither, authorization=other).status_code == 401
        # The cookie then is what it always is: of no use to another site.
        posted = ask(neither, "POST", cookie=cookie, authorization=other)
        assert posted.status_code == 403


def test_what_is_not_configured_is_not_looked_at(
    serve: Serve, sessions: Sessions
) -> None:
    ba = BetterAuth(SECRET, store=sessions, jwks=KEYS)
    bearer = f"Bearer {plugin_token()}"
    only_cookies = serve(make_app(ba, bearer=False))
    only_bearer = serve(make_app(ba, cookies=False))
    both = {"cookie": cookies(ba), "authorization": bearer}
    assert signed_in(ask(only_cookies, **both), "store")
    assert signed_in(ask(only_bearer, **both), "jwt")
    assert ask(only_cookies, authorization=bearer).status_code == 401
    assert ask(only_bearer, cookie=cookies(ba)).status_code == 401
    with pytest.raises(ConfigurationError):
        better_auth_session(ba, cookies=False, bearer=False)


# --- session data that is signed with a key -------------------------------------------


def keyed_cookies(ba: BetterAuth, key: Key = SIGNING) -> str:
    """Return cookies as of the plugin's option ``sessionCookieCache``."""
    session = {**SESSION, "expiresAt": iso(NOW + timedelta(1))}
    claims = {"session": session, "user": USER, "sid": TOKEN, "sub": "u1"}
    times = {"updatedAt": time.time() * 1000, "version": "1"}
    signer = Signer(
        key, issuer=ORIGIN, audience="better-auth:session-cache", lifetime=300
    )
    typ = {"typ": "better-auth.session-cache+jwt"}
    data = signer.sign({**claims, **times}, headers=typ)
    return f"{cookies(ba, strategy=None)}; better-auth.session_data={data}"


def test_session_data_that_is_signed_with_a_key(serve: Serve) -> None:
    ba = BetterAuth(SECRET, jwks=KEYS)
    url = serve(make_app(ba))
    assert signed_in(ask(url, cookie=keyed_cookies(ba)), "cookie")
    other = Key.generate("EdDSA", kid="k1")
    assert ask(url, cookie=keyed_cookies(ba, other)).status_code == 401
    keyless = serve(make_app(BetterAuth(SECRET)))
    assert ask(keyless, cookie=keyed_cookies(ba)).status_code == 401


def test_a_fetch_of_the_keys_lets_others_be_served(serve: Serve) -> None:
    """A cookie and a token wait for one fetch, and neither for the other."""
    is_asked = threading.Event()

    def behave(handler: BaseHTTPRequestHandler) -> None:
        is_asked.set()
        server.released.wait()
        serving(SIGNING)(handler)

    with ThreadPoolExecutor() as pool, KeyServer(behave) as server:
        ba = BetterAuth(SECRET, jwks=JWKSClient(server.url))
        app = make_app(ba)
        app.get("/open")(lambda: True)
        url = serve(app)
        credentials = [
            {"cookie": keyed_cookies(ba)},
            {"authorization": f"Bearer {plugin_token()}"},
        ]
        asked = [pool.submit(ask, url, **headers) for headers in credentials]
        is_asked.wait()
        assert httpx2.get(f"{url}/open").status_code == 200
        server.released.set()
        assert signed_in(asked[0].result(), "cookie")
        assert signed_in(asked[1].result(), "jwt")


def test_a_store_does_where_the_keys_cannot_be_fetched(
    serve: Serve, sessions: Sessions
) -> None:
    ba = BetterAuth(SECRET, store=sessions, jwks=Unreachable())
    url = serve(make_app(ba, cached_reads=True))
    assert signed_in(ask(url, cookie=keyed_cookies(ba)), "store")


# --- CSRF ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": ORIGIN}, 200),
        ({"origin": "https://app.example.com"}, 200),
        ({"origin": "https://evil.example.com"}, 403),
        ({"origin": "http://localhost:3000.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"sec_fetch_site": "cross-site", "origin": ORIGIN}, 200),
        ({"referer": f"{ORIGIN}/page"}, 403),
    ],
    ids=str,
)
def test_a_cookie_counts_only_from_a_trusted_origin(
    serve: Serve, headers: dict[str, str], status: int
) -> None:
    ba = BetterAuth(SECRET, trusted_origins=["https://app.example.com"])
    url = serve(make_app(ba))
    response = ask(url, "POST", cookie=cookies(ba), **headers)
    assert response.status_code == status
    assert ask(url, "GET", cookie=cookies(ba), **headers).status_code == 200
    # Before anything is said about the cookie.
    response = ask(url, "POST", cookie="better-auth.session_token=x", **headers)
    assert response.status_code == (401 if status == 200 else status)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        *(("https://preview.example.com", 200), ("http://localhost:5173", 200)),
        *(("myapp://", 200), ("exp://192.168.1.20:8081", 200), ("null", 403)),
        *(("https://preview.example.com.evil.test", 403), ("otherapp://", 403)),
        *(("exp://192.168.evil.test:8081", 403), ("http://localhost", 403)),
    ],
)
def test_trusted_origins_may_have_wildcards(
    serve: Serve, origin: str, status: int
) -> None:
    listed = "https://*.example.com,myapp://,exp://192.168.*.*:*/**,http://localhost:*"
    environment = {"BETTER_AUTH_SECRET": SECRET, "BETTER_AUTH_TRUSTED_ORIGINS": listed}
    ba = BetterAuth.from_environment(environment, base_url="https://id.example")
    url = serve(make_app(BetterAuth.from_environment(environment)))
    cookie = cookies(ba).replace("__Secure-", "")
    assert ask(url, "POST", cookie=cookie, origin=origin).status_code == status


def test_two_origins_are_none(serve: Serve) -> None:
    ba = BetterAuth(SECRET)
    url = serve(make_app(ba))
    headers = [("cookie", cookies(ba)), ("origin", "null"), ("origin", ORIGIN)]
    assert httpx2.post(f"{url}/me", headers=headers).status_code == 403


def test_a_server_that_hands_the_cookie_on_has_no_origin(
    serve: Serve, sessions: Sessions
) -> None:
    """Like a route handler of Next.js; an option takes its requests."""
    ba = BetterAuth(SECRET, store=sessions)
    strict = serve(make_app(ba))
    lax = serve(make_app(ba, requests_without_origin="allow"))
    assert ask(strict, "POST", cookie=cookies(ba)).status_code == 403
    assert signed_in(ask(lax, "POST", cookie=cookies(ba)), "store")
    for headers in (
        *({"origin": "https://evil.example"}, {"origin": "null"}),
        *({"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}),
    ):
        answer = ask(lax, "POST", cookie=cookies(ba), **headers)
        assert answer.status_code == 403
    with pytest.raises(ConfigurationError, match="requests_without_origin"):
        better_auth_session(ba, requests_without_origin="yes")  # type: ignore[arg-type]


def test_its_own_host_may_send_a_cookie(serve: Serve) -> None:
    ba = BetterAuth(SECRET)
    url = serve(make_app(ba))
    assert ask(url, "POST", cookie=cookies(ba), origin=url).status_code == 200


def test_a_bearer_token_needs_no_origin(serve: Serve) -> None:
    url = serve(make_app(BetterAuth(SECRET, jwks=KEYS)))
    bearer = f"Bearer {plugin_token()}"
    response = ask(url, "POST", authorization=bearer, origin="https://evil.example")
    assert response.status_code == 200


def test_web_sockets(sessions: Sessions) -> None:
    ba = BetterAuth(SECRET, store=sessions)
    client = TestClient(make_app(ba))
    header = cookies(ba)
    good = {"cookie": header, "origin": ORIGIN}
    with client.websocket_connect("/ws", headers=good) as socket:
        assert socket.receive_text() == "u1"
    for headers in ({"cookie": header}, {}, {**good, "origin": "https://evil.example"}):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/ws", headers=headers),
        ):
            pass


# --- what cannot be told, and the rest ----------------------------------------------


def test_a_store_that_is_down_is_a_503(
    serve: Serve, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    ba = BetterAuth(SECRET, store=sessions)
    url = serve(make_app(ba))
    sessions.is_broken = True
    with caplog.at_level(logging.ERROR, logger="fastbearer"):
        response = ask(url, cookie=cookies(ba))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert "gone" in caplog.text and TOKEN not in caplog.text
    sessions.is_broken = False
    assert ask(url, cookie=cookies(ba)).status_code == 200


def test_keys_that_cannot_be_fetched_are_a_503(serve: Serve) -> None:
    url = serve(make_app(BetterAuth(SECRET, jwks=Unreachable())))
    response = ask(url, authorization=f"Bearer {plugin_token()}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")


class Client:
    """A client of keys, which may have newer ones."""

    def __init__(self, *sets: KeySet | Exception) -> None:
        self._sets = list(sets)

    def keys(self, *, unknown_kid: bool = False) -> KeySet:
        if unknown_kid and len(self._sets) > 1:
            del self._sets[0]
        found = self._sets[0]
        if isinstance(found, Exception):
            raise found
        return found

    async def akeys(self, *, unknown_kid: bool = False) -> KeySet:
        return self.keys(unknown_kid=unknown_kid)


NO_USE = {
    "of another algorithm": KeySet([Key.generate("ES384", kid="k1").public()]),
    "a secret": KeySet([Key.from_secret(SECRET, kid="k1")]),
    "unreadable": InvalidKeyError("no keys"),
}


@pytest.mark.parametrize("useless", NO_USE.values(), ids=NO_USE)
def test_keys_of_a_client_that_are_of_no_use_are_a_503(
    serve: Serve, useless: KeySet | Exception
) -> None:
    """Whether the token is good cannot be told at the moment: it is not refused."""
    ba = BetterAuth(SECRET, jwks=Client(useless))
    url = serve(make_app(ba))
    answer = ask(url, authorization=f"Bearer {plugin_token()}")
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    with pytest.raises(KeySourceError):
        ba.verify_jwt(plugin_token())
    assert ask(url, cookie=keyed_cookies(ba)).status_code == 503
    if isinstance(useless, KeySet):
        newer = Client(useless, KEYS)
        url = serve(make_app(BetterAuth(SECRET, jwks=newer)))
        assert signed_in(ask(url, authorization=f"Bearer {plugin_token()}"), "jwt")


def test_a_server_that_has_no_usable_keys_yet_is_a_503(serve: Serve) -> None:
    """A JWK Set with a key of another algorithm, over HTTP."""
    other, now = Key.generate("ES384", kid="k9"), [0.0]
    with KeyServer(serving(other)) as key_server:
        jwks = JWKSClient(key_server.url, clock=lambda: now[0])
        url = serve(make_app(BetterAuth(SECRET, jwks=jwks)))
        bearer = f"Bearer {plugin_token()}"
        assert ask(url, authorization=bearer).status_code == 503
        key_server.behave = serving(other, SIGNING)
        now[0] += 60
        assert signed_in(ask(url, authorization=bearer), "jwt")


@pytest.mark.parametrize(
    "name",
    [
        *(f"better-auth.session_data.{end}" for end in ("00", "01", "100", "1" * 5000)),
        *(f"better-auth.session_data.{end}" for end in ("", "x", "0x", "-1", "1e1")),
        *("better-auth.session_datax", "better-auth.session_data_0"),
        *("__Secure-better-auth.session_data.00", "__Host-better-auth.session_data.0"),
        *("other.session_data.0", "xbetter-auth.session_token", "better-auth.session"),
        "better-auth.session_token_multi-abcdefghijklmnopqrstuvwxyzabcdef",
    ],
)
def test_names_that_only_look_like_ours_are_passed_by(
    serve: Serve, sessions: Sessions, name: str
) -> None:
    ba = BetterAuth(SECRET)
    other = f"{name}=x"
    strict, optional = serve(make_app(ba)), serve(make_app(ba, optional=True))
    assert ask(strict, cookie=other).json() == {"detail": "Not authenticated"}
    assert ask(optional, cookie=other).json() is None
    for cookie in (f"{other}; {cookies(ba)}", f"{cookies(ba)}; {other}; {other}y"):
        assert signed_in(ask(strict, cookie=cookie), "cookie")
    with_token = f"{cookies(ba, strategy=None)}; {other}"
    assert ask(strict, cookie=with_token).status_code == 401
    stored = serve(make_app(BetterAuth(SECRET, store=sessions), cached_reads=True))
    assert signed_in(ask(stored, cookie=with_token), "store")


def test_pieces_of_which_one_is_missing_are_no_session_data(
    serve: Serve, sessions: Sessions
) -> None:
    """The server looks the session up then, and so do we where there is a store."""
    ba = BetterAuth(SECRET, store=sessions)
    torn = f"{cookies(ba, strategy=None)}; better-auth.session_data.1=x"
    stored = serve(make_app(ba, cached_reads=True))
    assert signed_in(ask(stored, cookie=torn), "store")
    assert ask(serve(make_app(BetterAuth(SECRET))), cookie=torn).status_code == 401


def test_a_token_that_outlives_the_calendar(serve: Serve) -> None:
    url = serve(make_app(BetterAuth(SECRET, jwks=KEYS)))
    for exp in (253_402_300_800, 2**53 - 1):
        bearer = f"Bearer {plugin_token(exp=exp)}"
        assert signed_in(ask(url, authorization=bearer), "jwt")


@pytest.mark.parametrize(
    "jwks",
    [
        *({"keys": []}, {}, "", "nothing", b"{", 5, [], True),
        KeySet([Key.from_secret(SECRET)]),
        pytest.param(
            {"keys": [Key.generate("ES384", kid="x").public().to_jwk()]},
            id="a key of another algorithm",
        ),
    ],
    ids=str,
)
def test_keys_that_are_none(jwks: Any) -> None:
    with pytest.raises(ConfigurationError, match="jwks"):
        BetterAuth(SECRET, jwks=jwks)


def test_an_optional_session(serve: Serve) -> None:
    ba = BetterAuth(SECRET, jwks=KEYS)
    url = serve(make_app(ba, optional=True))
    assert ask(url).json() is None
    assert ask(url, authorization="Basic x").json() is None
    assert ask(url, authorization="Bearer x").status_code == 401
    assert ask(url, cookie="better-auth.session_token=x").status_code == 401


def test_a_refusal_can_be_diagnosed(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    ba = BetterAuth(SECRET)
    url = serve(make_app(ba))
    with caplog.at_level(logging.WARNING, logger="fastbearer"):
        ask(url, cookie=cookies(BetterAuth(SECRET[::-1])))
        ask(url, cookie=cookies(BetterAuth(SECRET)).split("; ")[0])
        keyed = BetterAuth(SECRET, jwks=KEYS)
        at_jwt = Signer(SIGNING, issuer=ORIGIN, audience=ORIGIN, lifetime=9)
        other = at_jwt.sign({"sub": "u1"}, headers={"typ": "at+jwt"})
        ask(serve(make_app(keyed)), authorization=f"Bearer {other}")
    lines = [one.getMessage() for one in caplog.records if one.name == "fastbearer"]
    assert [line.partition("refused: ")[2] for line in lines] == [
        "invalid_signature: signature_wrong",
        "missing_claim (session_data); there is no session data",
        "invalid_claim: typ_wrong (typ)",
    ]
    assert not any(part in caplog.text for part in (TOKEN, other, SECRET))


def test_the_cause_is_kept(sessions: Sessions) -> None:
    dependency = better_auth_session(BetterAuth(SECRET, store=sessions))
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [(b"cookie", b"better-auth.session_token=x")],
    }
    from fastapi import HTTPException
    from starlette.requests import HTTPConnection

    with pytest.raises(HTTPException) as caught:
        asyncio.run(dependency(HTTPConnection(scope)))
    assert isinstance(caught.value.__cause__, TokenError)


def test_the_authorize_button_and_overrides() -> None:
    ba = BetterAuth(SECRET)
    app = FastAPI()
    dependency = better_auth_session(ba)

    @app.get("/me")
    async def me(session: Any = Depends(dependency)) -> str:  # noqa: B008 - FastAPI's
        return str(session.user_id)

    document = app.openapi()
    schemes = document["components"]["securitySchemes"]
    assert schemes == {"BetterAuth": {"type": "http", "scheme": "bearer"}}
    assert document["paths"]["/me"]["get"]["security"] == [{"BetterAuth": []}]
    stand_in = Session(USER, SESSION, NOW, "store")
    app.dependency_overrides[dependency] = lambda: stand_in
    assert TestClient(app).get("/me").json() == "u1"
    assert json.dumps(schemes)


def test_many_at_once(serve: Serve, sessions: Sessions) -> None:
    ba = BetterAuth(SECRET, store=sessions, jwks=KEYS)
    url = serve(make_app(ba))
    good = {"cookie": cookies(ba)}
    bad = {"authorization": f"Bearer {plugin_token()[:-1]}"}
    better = {"authorization": f"Bearer {plugin_token()}"}

    async def everybody() -> list[int]:
        async with httpx2.AsyncClient() as client:
            requests = [
                client.get(f"{url}/me", headers=headers)
                for headers in (good, bad, better) * 40
            ]
            return [answer.status_code for answer in await asyncio.gather(*requests)]

    assert asyncio.run(everybody()) == [200, 401, 200] * 40
