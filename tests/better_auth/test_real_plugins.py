"""Plugins of real Better Auth servers: their tokens and cookies, at our dependencies.

oauth-provider (tokens for third parties, with the same keys), bearer, multi-session,
anonymous, admin and one-time-token, and cookies under names of the server's own.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

from asgi import ASGIApp
from better_auth_server import (
    NEWEST,
    SECRET,
    VERSIONS,
    BetterAuthServer,
    SignedIn,
    Start,
    better_auth_servers,
    cookie_header,
    cookies_of,
    signed_in,
)
from fastbearer import TokenError, unverified_header
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.fields import Shown
from fastbearer.fastapi import Auth, Settings, better_auth_session
from fastbearer.issuers import Issuer, IssuersVerifier
from fastbearer.jwks import JWKSClient
from node_providers import BetterAuthPlugins, better_auth_plugins

pytestmark = pytest.mark.node

Serve = Callable[[ASGIApp], str]
PASSWORD = "correct horse battery"
RESOURCE = "https://api.example.com"
ALGORITHMS = ["EdDSA", "ES256", "ES512", "PS256", "RS256"]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    with better_auth_servers() as start:
        yield start


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Rows:
    """A store over the server's own tables, whose rows are read as those of SQL are."""

    def __init__(self, server: BetterAuthServer, *fields: str) -> None:
        self._server = server
        self._shown = Shown(session_fields=fields, user_fields=fields)

    async def find(self, token: str, now: float) -> Session | None:
        return await asyncio.to_thread(self._found, token, now)

    def _found(self, token: str, now: float) -> Session | None:
        for session in self._server.rows("session", token=token):
            (user,) = self._server.rows("user", id=session["userId"])
            return self._shown.session_of(session, user, token, now)
        return None


def app_of(ba: BetterAuth, auth: Auth | None = None, **options: Any) -> FastAPI:
    app = FastAPI()
    session = Depends(better_auth_session(ba, **options))

    @app.get("/me")
    async def me(session: Any = session) -> Any:
        return {"user": session.user, "session": session.session}

    if auth is not None:
        user = Depends(auth.verify_jwt_token)

        @app.get("/token")
        async def token(user: Any = user) -> Any:
            return user

    return app


def user_at(url: str, path: str = "/me", **headers: str) -> Any:
    """Return the user's id, or the status of the refusal."""
    answer = httpx2.get(f"{url}{path}", headers=headers)
    if answer.status_code != 200:
        return answer.status_code
    body = answer.json()
    return body["user"]["id"] if path == "/me" else body["user_id"]


def here(server: BetterAuthServer, **options: Any) -> BetterAuth:
    return BetterAuth.from_environment(server.environment, **options)


def sign_up(server: BetterAuthServer, **more: Any) -> SignedIn:
    return server.sign_up(f"{token_hex(8)}@example.com", PASSWORD, "Ada", **more)


# --- oauth-provider, beside jwt -----------------------------------------------------


@pytest.fixture(scope="module", params=ALGORITHMS)
def third(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BetterAuthPlugins]:
    """A server that issues tokens to its own frontend, and to third parties."""
    database = tmp_path_factory.mktemp("third") / "better-auth.db"
    oauth = {
        "loginPage": "/sign-in",
        "consentPage": "/consent",
        "resources": [{"identifier": RESOURCE, "name": "API"}],
        "enforcePerClientResources": False,
        "scopes": ["openid", "email", "offline_access"],
        "silenceWarnings": {"oauthAuthServerConfig": True, "openidConfig": True},
    }
    pair = {"jwks": {"keyPairConfig": {"alg": request.param}}}
    plugins = {"jwt": pair, "oauthProvider": oauth}
    with better_auth_plugins(database, plugins) as server:
        yield server


def third_partys(server: BetterAuthPlugins, cookie: str) -> dict[str, Any]:
    """Return the tokens that a client gets for a resource, by a code."""
    redirect = "https://third.example/callback"
    made = server.call(
        "adminCreateOAuthClient",
        {"redirect_uris": [redirect], "skip_consent": True, "scope": "openid email"},
        {"cookie": cookie},
    )
    secret = token_urlsafe(48)
    challenge = urlsafe_b64encode(sha256(secret.encode()).digest()).rstrip(b"=")
    query = {
        "response_type": "code",
        "client_id": made["client_id"],
        "redirect_uri": redirect,
        "scope": "openid email",
        "state": "state",
        "resource": RESOURCE,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    asked = f"/oauth2/authorize?{urllib.parse.urlencode(query)}"
    answer = server.request("GET", asked, cookie=cookie)
    where = answer.headers.get("location") or answer.json()["url"]
    assert "code=" in where, where
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": secret,
        "resource": RESOURCE,
    }
    client = (made["client_id"], made["client_secret"])
    tokens = server.client.post("/api/auth/oauth2/token", data=form, auth=client)
    assert tokens.status_code == 200, tokens.text
    found: dict[str, Any] = tokens.json()
    return found


def test_a_third_partys_token_is_refused_at_both_doors(
    third: BetterAuthPlugins, serve: Serve
) -> None:
    """The same keys sign it, and it is for a resource, not for the user."""
    user_id, cookie = third.sign_up(f"ada{token_hex(4)}")
    jwks = JWKSClient(f"{third.origin}/api/auth/jwks")
    ba = BetterAuth(SECRET, base_url=third.origin, jwks=jwks)
    url = serve(app_of(ba, Auth(Settings(better_auth_url=third.origin))))
    own = third.request("GET", "/token", cookie=cookie).json()["token"]
    tokens = third_partys(third, cookie)
    access = tokens["access_token"]
    assert unverified_header(access)["typ"] == "at+jwt"
    assert unverified_header(access)["kid"] == unverified_header(own)["kid"]
    for path in ("/me", "/token"):
        assert user_at(url, path, authorization=f"Bearer {own}") == user_id
        for other in (access, tokens["id_token"]):
            assert user_at(url, path, authorization=f"Bearer {other}") == 401


def test_a_third_partys_token_is_taken_by_its_resource(
    third: BetterAuthPlugins,
) -> None:
    user_id, cookie = third.sign_up(f"bob{token_hex(4)}")
    issuer = Issuer(
        f"{third.origin}/api/auth",
        keys=f"{third.origin}/api/auth/jwks",
        audience=RESOURCE,
        typ="at+jwt",
    )
    verifier = IssuersVerifier([issuer])
    access = third_partys(third, cookie)["access_token"]
    assert verifier.verify(access)["sub"] == user_id
    own = third.request("GET", "/token", cookie=cookie).json()["token"]
    with pytest.raises(Exception, match="iss"):
        verifier.verify(own)


# --- bearer -------------------------------------------------------------------------


@pytest.mark.parametrize("is_strict", [False, True])
def test_bearer_tokens(
    start: Start, serve: Serve, version: str, is_strict: bool
) -> None:
    """``raw_tokens`` is what ``requireSignature`` is there, turned around."""
    server = start(version, plugins={"bearer": {"requireSignature": is_strict}})
    ada, ba = sign_up(server), here(server, store=Rows(server))
    url = serve(app_of(ba, raw_tokens=not is_strict))
    forged = BetterAuth("another secret of thirty-two bytes").sign_session_token(
        ada.token
    )
    for token, is_good in (
        (ada.bearer, True),
        (ba.sign_session_token(ada.token), True),
        (ada.token, not is_strict),
        (forged, False),
        (ada.bearer[:-4] + "AAA=", False),
    ):
        there = server.session_of("", authorization=f"Bearer {token}")
        assert (there is not None) is is_good
        expected = ada.id if is_good else 401
        assert user_at(url, authorization=f"Bearer {token}") == expected


def test_a_bearer_token_beside_the_cookie(
    start: Start, serve: Serve, version: str
) -> None:
    """The token wins there and here; a JWT is passed by where no keys verify it."""
    server = start(version, plugins={"bearer": {}, "jwt": {}})
    ada, bob = sign_up(server), sign_up(server)
    url = serve(app_of(here(server, store=Rows(server))))
    jwt = server.get("/token", cookie=bob.cookie).json()["token"]
    for token, user_id in ((bob.bearer, bob.id), (jwt, ada.id)):
        headers = {"cookie": ada.cookie, "authorization": f"Bearer {token}"}
        there = server.session_of(**headers)
        assert there is not None and there["user"]["id"] == user_id
        assert user_at(url, **headers) == user_id
    # There a bad token is passed by; here it is what the client asks to be judged by.
    headers = {"cookie": ada.cookie, "authorization": f"Bearer {bob.bearer[:-4]}AAA="}
    there = server.session_of(**headers)
    assert there is not None and there["user"]["id"] == ada.id
    assert user_at(url, **headers) == 401


# --- multi-session ------------------------------------------------------------------


def test_several_accounts_in_one_browser(
    start: Start, serve: Serve, version: str
) -> None:
    """The active one counts; the cookies of the others are passed by."""
    server = start(version, plugins={"multiSession": {}})
    url = serve(app_of(here(server, store=Rows(server))))
    kept: dict[str, str] = {}
    people = []
    for _ in range(2):
        email = f"{token_hex(8)}@example.com"
        body = {"email": email, "password": PASSWORD, "name": "Ada"}
        answer = server.post("/sign-up/email", body, cookie=cookie_header(kept))
        kept |= cookies_of(answer.headers.get_list("set-cookie"))
        people.append(signed_in(answer))
    assert sum("session_token_multi-" in name for name in kept) == 2
    assert user_at(url, cookie=cookie_header(kept)) == people[1].id
    answer = server.post(
        "/multi-session/set-active",
        {"sessionToken": people[0].token},
        cookie=cookie_header(kept),
    )
    assert answer.status_code == 200, answer.text
    kept |= cookies_of(answer.headers.get_list("set-cookie"))
    assert user_at(url, cookie=cookie_header(kept)) == people[0].id
    # Without the active one nobody is signed in, there as here.
    others = {name: value for name, value in kept.items() if "_multi-" in name}
    assert server.session_of(cookie_header(others)) is None
    assert user_at(url, cookie=cookie_header(others)) == 401


# --- names and attributes of cookies ------------------------------------------------


@pytest.mark.parametrize("base_url", [None, "https://shop.example.com"])
def test_cookies_that_the_server_has_named_itself(
    start: Start, version: str, base_url: str | None
) -> None:
    names = {"session_token": "sid", "session_data": "sdata"}
    advanced = {"cookies": {name: {"name": own} for name, own in names.items()}}
    more = {} if base_url is None else {"baseURL": base_url}
    server = start(
        version,
        advanced=advanced,
        session={"cookieCache": {"enabled": True}},
        **more,
    )
    ada = sign_up(server)
    mark = "" if base_url is None else "__Secure-"
    assert set(ada.cookies) == {f"{mark}sid", f"{mark}sdata"}
    ba = here(server, cookie_names=names)
    read = ba.read_cookies(ada.cookie)
    assert read.user_id == ada.id
    server.delete("session", token=ada.token)
    (user,) = server.rows("user", id=ada.id)
    written = cookie_header(cookies_of(ba.write_cookies(read.session, user)))
    found = server.session_of(written)
    assert found is not None and found["user"]["id"] == ada.id


def test_cookies_for_subdomains(start: Start, version: str) -> None:
    advanced = {"crossSubDomainCookies": {"enabled": True, "domain": "example.com"}}
    server = start(version, baseURL="https://id.example.com", advanced=advanced)
    ada = sign_up(server)
    assert all("Domain=example.com" in one for one in ada.set_cookies)
    ba = here(server, store=Rows(server))
    row = {"token": ada.token}
    (written,) = ba.write_cookies(row, {}, strategy=None, domain="example.com")
    assert set(written.split("; ")) == set(ada.set_cookies[0].split("; "))


# --- other plugins that change a session or its user --------------------------------


def test_a_user_without_a_name(start: Start, serve: Serve, version: str) -> None:
    """anonymous: a user of its own, who has an address that nobody reads."""
    server = start(version, plugins={"anonymous": {}})
    answer = server.post("/sign-in/anonymous")
    ada = cookies_of(answer.headers.get_list("set-cookie"))
    url = serve(app_of(here(server, store=Rows(server, "isAnonymous"))))
    body = httpx2.get(f"{url}/me", headers={"cookie": cookie_header(ada)}).json()
    assert body["user"]["isAnonymous"] is True
    assert body["user"]["id"] == answer.json()["user"]["id"]


def test_an_administrator_in_somebody_elses_place(
    start: Start, serve: Serve, version: str
) -> None:
    """admin: a session says who is behind it; the cookie to return is passed by."""
    server = start(version, plugins={"admin": {}})
    boss, ada = sign_up(server), sign_up(server)
    server.update("user", {"role": "admin"}, id=boss.id)
    answer = server.post(
        "/admin/impersonate-user", {"userId": ada.id}, cookie=boss.cookie
    )
    assert answer.status_code == 200, answer.text
    kept = boss.cookies | cookies_of(answer.headers.get_list("set-cookie"))
    assert "better-auth.admin_session" in kept
    ba = here(server, store=Rows(server, "impersonatedBy", "role"))
    url = serve(app_of(ba))
    body = httpx2.get(f"{url}/me", headers={"cookie": cookie_header(kept)}).json()
    assert body["user"]["id"] == ada.id
    assert body["session"]["impersonatedBy"] == boss.id
    del kept["better-auth.session_token"]
    assert user_at(url, cookie=cookie_header(kept)) == 401


def test_a_token_for_one_time_is_no_session_token(
    start: Start, serve: Serve, version: str
) -> None:
    """one-time-token: it is exchanged at the server, whose session counts then."""
    server = start(version, plugins={"oneTimeToken": {}, "bearer": {}})
    ada = sign_up(server)
    url = serve(app_of(here(server, store=Rows(server)), raw_tokens=True))
    once = server.get("/one-time-token/generate", cookie=ada.cookie).json()["token"]
    assert user_at(url, authorization=f"Bearer {once}") == 401
    answer = server.post("/one-time-token/verify", {"token": once})
    assert answer.status_code == 200, answer.text
    token = answer.json()["session"]["token"]
    assert user_at(url, authorization=f"Bearer {token}") == ada.id


def test_fields_of_a_projects_own(start: Start, version: str) -> None:
    """additionalFields come along in session data; those that are hidden do not."""
    shown = {"type": "string[]", "required": False}
    hidden = {"type": "string", "required": False, "returned": False}
    server = start(
        version,
        session={
            "cookieCache": {"enabled": True},
            "additionalFields": {"place": {"type": "number", "required": False}},
        },
        user={"additionalFields": {"teams": shown, "note": hidden}},
    )
    ada = sign_up(server, teams=["a", "b"], note="secret")
    read = here(server).read_cookies(ada.cookie)
    assert read.user["teams"] == ["a", "b"] and "note" not in read.user
    assert read.session.get("place") is None


@pytest.mark.parametrize(
    "extra",
    [
        {"advanced": {"database": {"generateId": "uuid"}}},
        {"advanced": {"database": {"generateId": "serial"}}},
        {"session": {"expiresIn": 600, "updateAge": 0}},
        {"session": {"disableSessionRefresh": True, "deferSessionRefresh": True}},
        {"session": {"storeSessionInDatabase": True}},
        {"advanced": {"ipAddress": {"disableIpTracking": True}}},
        {"advanced": {"trustedProxyHeaders": True, "database": {"joins": True}}},
    ],
    ids=str,
)
def test_options_that_change_rows(
    start: Start, serve: Serve, extra: dict[str, Any]
) -> None:
    server = start(NEWEST, **extra)
    ada = sign_up(server)
    url = serve(app_of(here(server, store=Rows(server))))
    assert user_at(url, cookie=ada.cookie) == ada.id


@pytest.mark.parametrize(
    "extra",
    [
        {"session": {"cookieCache": {"refreshCache": {"updateAge": 60}}}},
        {"account": {"encryptOAuthTokens": True, "storeAccountCookie": True}},
        {"account": {"storeStateStrategy": "cookie", "skipStateCookieCheck": True}},
    ],
    ids=str,
)
@pytest.mark.parametrize("strategy", ["compact", "jwt", "jwe"])
def test_options_that_change_cookies(
    start: Start, extra: dict[str, Any], strategy: str
) -> None:
    """Other cookies may come along, under the same secret."""
    cache = {"enabled": True, "strategy": strategy}
    cache |= extra.get("session", {}).get("cookieCache", {})
    server = start(NEWEST, **{**extra, "session": {"cookieCache": cache}})
    ada = sign_up(server)
    answer = server.post(
        "/sign-in/email", {"email": ada.user["email"], "password": PASSWORD}
    )
    kept = ada.cookies | cookies_of(answer.headers.get_list("set-cookie"))
    ba, value = here(server), kept["better-auth.session_token"]
    others = {"better-auth.account_data": value, "better-auth.oauth_state": value}
    assert ba.read_cookies(cookie_header({**others, **kept})).user_id == ada.id
    del kept["better-auth.session_token"]
    with pytest.raises(TokenError):
        ba.read_cookies(cookie_header({**others, **kept}))


def test_keys_that_are_rotated(start: Start, serve: Serve) -> None:
    """The server makes a new key when the old one is due, and serves both."""
    jwks = {"rotationInterval": 1_000_000, "gracePeriod": 1_000_000}
    server = start(NEWEST, plugins={"jwt": {"jwks": jwks}})
    ada, now = sign_up(server), [0.0]
    older = server.get("/token", cookie=ada.cookie).json()["token"]
    client = JWKSClient(f"{server.base_url}/api/auth/jwks", clock=lambda: now[0])
    url = serve(app_of(here(server, jwks=client)))
    assert user_at(url, authorization=f"Bearer {older}") == ada.id
    for row in server.rows("jwks"):
        past = datetime.now(UTC) - timedelta(seconds=10)
        server.update("jwks", {"expiresAt": past}, id=row["id"])
    newer = server.get("/token", cookie=ada.cookie).json()["token"]
    assert unverified_header(newer)["kid"] != unverified_header(older)["kid"]
    now[0] += 60
    for token in (newer, older):
        assert user_at(url, authorization=f"Bearer {token}") == ada.id
