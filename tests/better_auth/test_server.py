"""A real Better Auth server and this package believe each other, and nobody else."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, unquote

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
    better_auth,
    better_auth_servers,
    cookie_header,
    cookies_of,
)
from fastbearer import KeySet, TokenError
from fastbearer.better_auth import BetterAuth, Session
from fastbearer.better_auth.session import moment
from fastbearer.errors import (
    InvalidClaimError,
    InvalidIssuerError,
    InvalidSignatureError,
    MalformedTokenError,
    MissingClaimError,
    UnknownKeyError,
)
from fastbearer.fastapi import better_auth_session
from fastbearer.jwks import JWKSClient
from project import OTHER_SECRET
from servers import ask as ask_postgres
from servers import own_database

pytestmark = pytest.mark.node

Strategy = Literal["compact", "jwt", "jwe"]
STRATEGIES: list[Strategy] = ["compact", "jwt", "jwe"]
ALGORITHMS = ["EdDSA", "ES256", "ES512", "PS256", "RS256"]
NAME = 'Ada "L\u00f6velace" \\ /\u2028\u03a9\U0001f511\t\x01\x7f</p>'
"""What JSON escapes, and what JavaScript's does not."""

PASSWORD = "P\u00e2ssw0rd-\u212b-\ufb01"
LONG = "\u20ac" + "x" * 20_000
TOKENS: dict[str, Any] = {"bearer": {}, "jwt": {}}
LETTERS = string.ascii_letters + string.digits
TOKEN_COOKIE, DATA_COOKIE = "better-auth.session_token", "better-auth.session_data"


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    with better_auth_servers() as start:
        yield start


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> Strategy:
    found: Strategy = request.param
    return found


@pytest.fixture
def plain(start: Start, version: str) -> BetterAuthServer:
    """A server without session data, with the plugins that sign most."""
    two_factor = {"skipVerificationOnEnable": True}
    return start(
        version,
        plugins={**TOKENS, "twoFactor": two_factor, "multiSession": {}},
        emailVerification={"sendOnSignUp": True},
        socialProviders={"github": {"clientId": "some", "clientSecret": "thing"}},
    )


@pytest.fixture
def cached(start: Start, version: str, strategy: Strategy) -> BetterAuthServer:
    """A server with session data."""
    return start(version, **cookie_cache(strategy))


@pytest.fixture
def renamed(start: Start, version: str) -> BetterAuthServer:
    """A server whose cookies have other names, on https."""
    return start(
        version,
        baseURL="https://shop.example.com",
        advanced={"cookiePrefix": "shop"},
        **cookie_cache("compact", version="7"),
    )


def cookie_cache(strategy: Strategy, **more: str) -> dict[str, Any]:
    """Return the options of a server with session data, also of long data."""
    cache = {"enabled": True, "strategy": strategy, **more}
    about = {"about": {"type": "string", "required": False}}
    return {
        "session": {"cookieCache": cache},
        "user": {"additionalFields": about},
        "plugins": TOKENS,
    }


def here(server: BetterAuthServer, **options: Any) -> BetterAuth:
    """Return what a backend under the server's environment makes."""
    return BetterAuth.from_environment(server.environment, **options)


def sign_up(server: BetterAuthServer, **more: Any) -> SignedIn:
    """Sign somebody up of whom nobody has heard."""
    return server.sign_up(new_email(), PASSWORD, NAME, **more)


def new_email() -> str:
    return f"{secrets.token_hex(8)}@example.com"


def new_token() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(32))


def dated(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its dates as a Python program has them."""
    dates = {name for name in row if name.endswith("At")}
    return {name: moment(row[name]) if name in dates else row[name] for name in row}


def rows_of(server: BetterAuthServer, who: SignedIn) -> list[dict[str, Any]]:
    """Return the session and the user, from the tables."""
    (session,) = server.rows("session", token=who.token)
    (user,) = server.rows("user", id=who.id)
    return [dated(session), dated(user)]


def header_of(set_cookies: list[str]) -> str:
    return cookie_header(cookies_of(set_cookies))


def refused(
    call: Callable[..., Any], *arguments: str, error: type[TokenError] = TokenError
) -> None:
    with pytest.raises(error) as caught:
        call(*arguments)
    assert SECRET not in str(caught.value)


# --- what it issues is accepted -------------------------------------------------------


def test_its_session_token_is_read(plain: BetterAuthServer) -> None:
    ada, ba = sign_up(plain), here(plain)
    value = ada.cookies[TOKEN_COOKIE]
    for given in (value, unquote(value), ada.bearer):
        assert ba.read_session_token(given) == ada.token
    assert ada.bearer == unquote(value)
    assert ba.sign_session_token(ada.token) == value
    refused(BetterAuth(OTHER_SECRET).read_session_token, value)


def test_its_cookies_are_read(cached: BetterAuthServer, strategy: Strategy) -> None:
    ada, ba = sign_up(cached), here(cached)
    read = ba.read_cookies(ada.cookie)
    assert (read.user, read.source) == (ada.user, "cookie")
    assert (read.user["name"], read.email) == (NAME, ada.user["email"])
    assert [dated(read.session), dated(read.user)] == rows_of(cached, ada)
    assert read.expires_at == dated(read.session)["expiresAt"]
    dots = {"compact": 0, "jwt": 2, "jwe": 4}[strategy]
    assert ada.cookies[DATA_COOKIE].count(".") == dots
    bob = sign_up(cached)
    mixed = {**ada.cookies, TOKEN_COOKIE: bob.cookies[TOKEN_COOKIE]}
    refused(ba.read_cookies, cookie_header(mixed), error=InvalidClaimError)
    refused(BetterAuth(OTHER_SECRET).read_cookies, ada.cookie)


def test_a_session_that_ends_with_the_browser_is_read(
    cached: BetterAuthServer,
) -> None:
    ada = sign_up(cached, rememberMe=False)
    assert "better-auth.dont_remember" in ada.cookies
    assert here(cached).read_cookies(ada.cookie).user_id == ada.id


def test_its_long_session_data_is_read(cached: BetterAuthServer) -> None:
    ada = sign_up(cached, about=LONG)
    pieces = [name for name in ada.cookies if name.startswith(f"{DATA_COOKIE}.")]
    assert len(pieces) > 5 and DATA_COOKIE not in ada.cookies
    read_cookies = here(cached).read_cookies
    assert read_cookies(ada.cookie).user == {**ada.user, "about": LONG}
    del ada.cookies[pieces[-2]]
    refused(read_cookies, ada.cookie, error=MalformedTokenError)


def test_its_session_data_that_is_signed_with_a_key_is_read(start: Start) -> None:
    """1.6 has no such option."""
    plugins = {"jwt": {"sessionCookieCache": True}}
    server = start(NEWEST, **{**cookie_cache("jwt"), "plugins": plugins})
    ada = sign_up(server)
    jwks = JWKSClient(f"{server.base_url}/api/auth/jwks")
    assert here(server, jwks=jwks).read_cookies(ada.cookie).user == ada.user
    refused(here(server).read_cookies, ada.cookie, error=UnknownKeyError)
    other = BetterAuth(SECRET, base_url="http://127.0.0.1:1", jwks=jwks)
    refused(other.read_cookies, ada.cookie)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_its_tokens_are_verified(start: Start, version: str, algorithm: str) -> None:
    pair = {"jwks": {"keyPairConfig": {"alg": algorithm}}}
    server = start(version, plugins={"jwt": pair})
    ada, ba = sign_up(server), here(server)
    token = server.get("/token", cookie=ada.cookie).json()["token"]
    text = server.get("/jwks").text
    for jwks in (
        JWKSClient(f"{server.base_url}/api/auth/jwks"),
        text,
        KeySet.from_jwks(text),
    ):
        claims = ba.verify_jwt(token, jwks)
        read = ba.session_of_jwt(claims)
        assert (read.user_id, read.email) == (ada.id, ada.user["email"])
        assert read.user == ada.user
        assert claims["iss"] == claims["aud"] == server.base_url
    (key,) = KeySet.from_jwks(text)
    assert key.algorithm == algorithm
    other = BetterAuth(SECRET, base_url="http://127.0.0.1:1")
    refused(other.verify_jwt, token, text, error=InvalidIssuerError)
    altered = token[:-8] + "A" * 8
    refused(ba.verify_jwt, altered, text, error=InvalidSignatureError)


def test_its_password_hashes_are_verified(plain: BetterAuthServer) -> None:
    (account,) = plain.rows("account", userId=sign_up(plain).id)
    ba = here(plain)
    assert ba.verify_password(PASSWORD, account["password"])
    assert ba.verify_password("P\u00e2ssw0rd-\u00c5-fi", account["password"])
    assert not ba.verify_password(PASSWORD[:-1], account["password"])


# --- what is written here is accepted there -----------------------------------------


def test_cookies_from_here_are_believed(
    cached: BetterAuthServer, strategy: Strategy
) -> None:
    """The name is another than in the table: it is the cookie that was believed."""
    ada, ba = sign_up(cached), here(cached)
    session, user = rows_of(cached, ada)
    user["name"] = f"From a cookie {NAME}"
    for remember in (True, False):
        written = ba.write_cookies(session, user, strategy=strategy, remember=remember)
        cookie = header_of(written)
        found = cached.session_of(cookie)
        assert found is not None and found["user"]["name"] == user["name"]
        assert [dated(found["session"]), dated(found["user"])] == [session, user]
        assert dated(ba.read_cookies(cookie).user) == user
    cached.delete("session", token=ada.token)
    found = cached.session_of(cookie)
    assert found is not None and dated(found["user"]) == user
    looked_up = cached.get("/get-session?disableCookieCache=true", cookie=cookie)
    assert looked_up.json() is None


def test_what_it_believes_is_signed(
    cached: BetterAuthServer, strategy: Strategy
) -> None:
    """The server would not take just anything for session data."""
    ada = sign_up(cached)
    session, user = rows_of(cached, ada)
    cached.delete("session", token=ada.token)
    other = BetterAuth(OTHER_SECRET)
    forged = header_of(other.write_cookies(session, user, strategy=strategy))
    assert cached.session_of(forged) is None
    data = other.write_session_data(session, user, strategy=strategy)
    mixed = {TOKEN_COOKIE: ada.cookies[TOKEN_COOKIE], DATA_COOKIE: data}
    assert cached.session_of(cookie_header(mixed)) is None


def test_long_session_data_from_here_is_believed(
    cached: BetterAuthServer, strategy: Strategy
) -> None:
    ada, ba = sign_up(cached), here(cached)
    session, user = rows_of(cached, ada)
    user["about"] = LONG
    written = ba.write_cookies(session, user, strategy=strategy)
    assert len(written) > 5
    cached.delete("session", token=ada.token)
    found = cached.session_of(header_of(written))
    assert found is not None and found["user"]["about"] == LONG


def test_names_that_are_numbers_are_believed(
    cached: BetterAuthServer, strategy: Strategy
) -> None:
    """JavaScript orders them, and signs what it has ordered."""
    ada, ba = sign_up(cached), here(cached)
    session, user = rows_of(cached, ada)
    user["about"] = {"b": 1, "10": 2, "a": {"1": 1, "x": 2, "0": 3}, "9": 3}
    written = ba.write_cookies(session, user, strategy=strategy)
    cached.delete("session", token=ada.token)
    found = cached.session_of(header_of(written))
    assert found is not None and found["user"]["about"] == user["about"]


def test_odd_numbers_and_dates_are_believed(
    cached: BetterAuthServer, strategy: Strategy
) -> None:
    """The server writes them again before it looks at the signature."""
    ada, ba = sign_up(cached), here(cached)
    session, user = rows_of(cached, ada)
    odd = [1e21, 1e20, 2**53, 5e-324, -0.0, 1e-7, 0.1, 1.5e300, float("nan")]
    user["about"] = {"numbers": odd, "date": datetime(1, 1, 1, tzinfo=UTC)}
    written = ba.write_cookies(session, user, strategy=strategy)
    cached.delete("session", token=ada.token)
    found = cached.session_of(header_of(written))
    assert found is not None
    assert found["user"]["about"]["numbers"] == [*odd[:-1], None]
    assert found["user"]["about"]["date"] == "0001-01-01T00:00:00.000Z"


def test_a_session_row_and_a_token_from_here(plain: BetterAuthServer) -> None:
    ada, ba, token = sign_up(plain), here(plain), new_token()
    now = datetime.now(UTC)
    row = {
        "userId": ada.id,
        "expiresAt": now + timedelta(days=7),
        "createdAt": now,
        "updatedAt": now,
    }
    signed = ba.sign_session_token(token)
    assert plain.session_of(f"{TOKEN_COOKIE}={signed}") is None
    plain.insert("session", {**row, "token": token})
    for given in (signed, unquote(signed)):
        for headers in (
            {"cookie": f"{TOKEN_COOKIE}={given}"},
            {"cookie": "", "authorization": f"Bearer {given}"},
        ):
            found = plain.session_of(**headers)
            assert found is not None and found["user"]["id"] == ada.id
    (cookie,) = ba.write_cookies({**row, "token": token}, {}, strategy=None)
    assert plain.session_of(header_of([cookie])) is not None


def test_a_password_hash_from_here(plain: BetterAuthServer) -> None:
    now, email = datetime.now(UTC), new_email()
    times = {"createdAt": now, "updatedAt": now}
    user = plain.insert(
        "user", {"email": email, "name": "Bob", "emailVerified": False, **times}
    )
    account = {
        "userId": user["id"],
        "accountId": user["id"],
        "providerId": "credential",
        "password": here(plain).hash_password(PASSWORD),
    }
    plain.insert("account", {**account, **times})
    assert plain.sign_in(email, PASSWORD).id == user["id"]
    wrong = {"email": email, "password": PASSWORD[:-1]}
    assert plain.post("/sign-in/email", wrong).status_code == 401


@pytest.mark.postgres
def test_rows_from_here_in_postgresql(version: str) -> None:
    """Written in SQL, into the tables that its own migration has made."""
    now, email, token = datetime.now(UTC), new_email(), new_token()
    times = [now, now]
    with own_database() as url, better_auth(version, database_url=url) as server:
        ba = here(server)
        ask_sql = partial(ask_postgres, url)
        ask_sql(
            'INSERT INTO "user" (id, email, name, "emailVerified", "createdAt",'
            ' "updatedAt") VALUES (?, ?, ?, ?, ?, ?)',
            *("u1", email, "Bob", False, *times),
        )
        ask_sql(
            'INSERT INTO account (id, "userId", "accountId", "providerId", password,'
            ' "createdAt", "updatedAt") VALUES (?, ?, ?, ?, ?, ?, ?)',
            *("a1", "u1", "u1", "credential", ba.hash_password(PASSWORD), *times),
        )
        ask_sql(
            'INSERT INTO session (id, "userId", token, "expiresAt", "createdAt",'
            ' "updatedAt") VALUES (?, ?, ?, ?, ?, ?)',
            *("s1", "u1", token, now + timedelta(days=7), *times),
        )
        signed = f"{TOKEN_COOKIE}={ba.sign_session_token(token)}"
        found = server.session_of(signed)
        assert found is not None and found["user"]["email"] == email
        bob = server.sign_in(email, PASSWORD)
        stored = ask_sql('SELECT "userId" FROM session WHERE token = ?', bob.token)
        assert stored == [("u1",)]


# --- names, versions, secrets -------------------------------------------------------


def test_other_names_and_another_version(renamed: BetterAuthServer) -> None:
    ada = sign_up(renamed)
    names = {"__Secure-shop.session_token", "__Secure-shop.session_data"}
    assert set(ada.cookies) == names
    same: dict[str, Any] = {"cookie_prefix": "shop", "cache_version": "7"}
    for secure in (True, False):
        read = here(renamed, secure=secure, **same).read_cookies(ada.cookie)
        assert read.user == ada.user
    session, user = rows_of(renamed, ada)
    renamed.delete("session", token=ada.token)
    ba = here(renamed, **same)  # secure, as its URL is https
    cookie = header_of(ba.write_cookies(session, user))
    assert renamed.session_of(cookie) is not None
    for option in ({"cookie_prefix": "better-auth"}, {"cache_version": "1"}):
        other = here(renamed, secure=True, **{**same, **option})
        refused(other.read_cookies, ada.cookie)
        cookie = header_of(other.write_cookies(session, user))
        assert renamed.session_of(cookie) is None
    bare = here(renamed, secure=False, **same).write_cookies(session, user)
    assert renamed.session_of(header_of(bare)) is None
    refused(ba.read_cookies, header_of(bare), error=MissingClaimError)


def test_its_attributes_of_cookies(
    cached: BetterAuthServer, strategy: Strategy
) -> None:
    """A browser keeps both for the same time, and sends them to the same places."""
    for remember in (True, False):
        ada = sign_up(cached, rememberMe=remember)
        session, user = rows_of(cached, ada)
        written = here(cached).write_cookies(
            session, user, strategy=strategy, remember=remember
        )
        found = attributes(ada.set_cookies)
        found.pop("better-auth.dont_remember", None)
        assert attributes(written) == found


def test_its_attributes_of_secure_cookies(renamed: BetterAuthServer) -> None:
    ada = sign_up(renamed)
    ba = here(renamed, cookie_prefix="shop", secure=True)
    written = ba.write_cookies(*rows_of(renamed, ada))
    assert attributes(written) == attributes(ada.set_cookies)


def attributes(set_cookies: list[str]) -> dict[str, set[str]]:
    """Return name -> attributes, whose order says nothing (RFC 6265 4.1.1)."""
    parts = [one.split("; ") for one in set_cookies]
    return {pair.partition("=")[0]: set(others) for pair, *others in parts}


def test_a_rotated_secret(
    start: Start, version: str, strategy: Strategy, cached: BetterAuthServer
) -> None:
    """Both sides take the same from before: what is sealed, and nothing signed."""
    rotated = f"2:{OTHER_SECRET},1:{SECRET}"
    after = start(version, secret="", secrets=rotated, **cookie_cache(strategy))
    ba, ada, bob = here(after), sign_up(cached), sign_up(after)
    assert ba.read_cookies(bob.cookie).user == bob.user
    written = ba.write_cookies(*rows_of(cached, ada), strategy=strategy)
    assert after.session_of(header_of(written)) is not None

    assert after.session_of(ada.cookie) is None
    refused(ba.read_cookies, ada.cookie, error=InvalidSignatureError)
    refused(ba.read_session_token, ada.bearer, error=InvalidSignatureError)
    mixed = signed_anew(ba, ada)
    if strategy == "jwe":
        assert takes(after, ada, mixed)
    else:
        assert after.session_of(mixed) is None
        refused(ba.read_cookies, mixed, error=InvalidSignatureError)


def test_a_secret_beside_those_of_the_rotation(start: Start, version: str) -> None:
    """BETTER_AUTH_SECRET opens what was sealed before there was a list."""
    options = cookie_cache("jwe")
    rotated = f"5:{OTHER_SECRET}, 3:{OTHER_SECRET[::-1]}"
    before = start(version, **options)
    after = start(version, secrets=rotated, **options)
    ada = sign_up(before)
    mixed = signed_anew(here(after), ada)
    assert takes(after, ada, mixed)
    refused(BetterAuth(OTHER_SECRET).read_cookies, mixed)


def signed_anew(ba: BetterAuth, who: SignedIn) -> str:
    """Return the session data of before, with a token that is signed now."""
    signed = ba.sign_session_token(who.token)
    return cookie_header({**who.cookies, TOKEN_COOKIE: signed})


def takes(server: BetterAuthServer, who: SignedIn, cookie: str) -> bool:
    """Tell whether both sides take a cookie for somebody's, whose row is elsewhere."""
    found = server.session_of(cookie)
    assert here(server).read_cookies(cookie).user == who.user
    return found is not None and found["user"]["id"] == who.id


# --- what is signed with the same secret, and is no session -------------------------


def test_a_verification_link_signs_nobody_in(
    plain: BetterAuthServer, serve: Callable[[ASGIApp], str]
) -> None:
    ada = sign_up(plain)
    (link,) = (one for one in plain.sent if one["user"]["id"] == ada.id)
    token, ba = link["token"], here(plain)
    assert link["kind"] == "verification" and token.count(".") == 2
    refused(ba.read_session_token, token)
    refused(ba.read_session_data, token, error=MalformedTokenError)
    refused(ba.verify_jwt, token, plain.get("/jwks").text, error=UnknownKeyError)
    forged = cookie_header({**ada.cookies, DATA_COOKIE: token})
    refused(ba.read_cookies, forged, error=MalformedTokenError)
    url = serve(app_of(plain, store=Tables(plain)))
    for headers in (
        {"authorization": f"Bearer {token}"},
        {"cookie": f"{TOKEN_COOKIE}={token}"},
    ):
        assert httpx2.get(f"{url}/me", headers=headers).status_code == 401


def other_cookies(server: BetterAuthServer) -> dict[str, str]:
    """Return the cookies of the server that are signed, and are no sessions."""
    ada = sign_up(server, rememberMe=False)
    others = dict(ada.cookies)
    password = {"password": PASSWORD}
    enabled = server.post("/two-factor/enable", password, cookie=ada.cookie)
    assert enabled.status_code == 200, enabled.text
    half = server.post("/sign-in/email", {"email": ada.user["email"], **password})
    assert half.json()["twoFactorRedirect"] is True
    halfway = cookies_of(half.headers.get_list("set-cookie"))
    others.update(halfway)
    server.post("/two-factor/send-otp", cookie=cookie_header(halfway))
    (code,) = (one["otp"] for one in server.sent if is_code_of(one, ada))
    passed = server.post(
        "/two-factor/verify-otp",
        {"code": code, "trustDevice": True},
        cookie=cookie_header(halfway),
    )
    assert passed.status_code == 200, passed.text
    others.update(cookies_of(passed.headers.get_list("set-cookie")))
    del others[TOKEN_COOKIE]
    return {**others, "better-auth.state": state_like_a_token(server)}


def is_code_of(sent: dict[str, Any], who: SignedIn) -> bool:
    return bool(sent["kind"] == "otp" and sent["user"]["id"] == who.id)


def state_like_a_token(server: BetterAuthServer) -> str:
    """Return the value of a cookie ``state`` of 32 letters and digits.

    A state may have - and _ as well, and a third of them has neither.
    """
    for _ in range(1000):
        answer = server.post("/sign-in/social", {"provider": "github"})
        value = cookies_of(answer.headers.get_list("set-cookie"))["better-auth.state"]
        if value.partition(".")[0].isalnum():
            return value
    raise AssertionError("no such state")


def test_its_other_cookies_sign_nobody_in(
    plain: BetterAuthServer, serve: Callable[[ASGIApp], str]
) -> None:
    others, ba = other_cookies(plain), here(plain)
    kinds = {name.removeprefix("better-auth.").partition("-")[0] for name in others}
    assert kinds == {
        "dont_remember",
        "two_factor",
        "trust_device",
        "session_token_multi",
        "state",
    }
    session, user = rows_of(plain, sign_up(plain))
    data = ba.write_session_data(session, user)
    url = serve(app_of(plain, store=Tables(plain)))
    for name, value in others.items():
        # Under its own name, with somebody's data.
        cookie = f"{name}={value}; {DATA_COOKIE}={data}"
        refused(ba.read_cookies, cookie, error=MissingClaimError)
        headers = {"cookie": f"{name}={value}"}
        assert httpx2.get(f"{url}/me", headers=headers).status_code == 401
        # In place of the session token. The cookie of several sessions has one.
        if "_multi-" in name:
            continue
        misplaced = f"{TOKEN_COOKIE}={value}"
        refused(ba.read_cookies, f"{misplaced}; {DATA_COOKIE}={data}")
        for headers in (
            {"cookie": misplaced},
            {"authorization": f"Bearer {unquote(value)}"},
        ):
            assert httpx2.get(f"{url}/me", headers=headers).status_code == 401
        refused(ba.read_session_data, unquote(value))


# --- the dependency -----------------------------------------------------------------


class Tables:
    """A store: the server's own tables."""

    def __init__(self, server: BetterAuthServer) -> None:
        self._server = server

    async def find(self, token: str, now: float) -> Session | None:
        return await asyncio.to_thread(self._found, token)

    def _found(self, token: str) -> Session | None:
        for session in self._server.rows("session", token=token):
            (user,) = self._server.rows("user", id=session["userId"])
            return Session(user, session, moment(session["expiresAt"]), "store")
        return None


def app_of(server: BetterAuthServer, **options: Any) -> FastAPI:
    app = FastAPI()
    jwks = JWKSClient(f"{server.base_url}/api/auth/jwks")
    session = Depends(better_auth_session(here(server, jwks=jwks, **options)))

    @app.get("/me")
    @app.post("/me")
    async def me(session: Any = session) -> Any:
        return {"id": session.user_id, "email": session.email, "of": session.source}

    return app


def ask(url: str, method: str = "GET", **headers: str) -> Any:
    answer = httpx2.request(method, f"{url}/me", headers=headers)
    return answer.json() if answer.status_code == 200 else answer.status_code


def known(who: SignedIn, source: str) -> dict[str, str]:
    return {"id": who.id, "email": who.user["email"], "of": source}


def test_a_backend_without_a_store(
    cached: BetterAuthServer, serve: Callable[[ASGIApp], str]
) -> None:
    """As docs/better-auth/sessions.md says, session data outlives a sign-out."""
    server = cached
    ada, url = sign_up(server), serve(app_of(server))
    bearer = server.get("/token", cookie=ada.cookie).json()["token"]
    assert ask(url, cookie=ada.cookie) == known(ada, "cookie")
    assert ask(url, authorization=f"Bearer {bearer}") == known(ada, "jwt")
    posted = ask(url, "POST", cookie=ada.cookie, origin=server.origin)
    assert posted == known(ada, "cookie")
    evil = ask(url, "POST", cookie=ada.cookie, origin="https://evil.example")
    assert evil == 403
    assert ask(url, authorization=f"Bearer {ada.bearer}") == 401  # no store

    answer = server.post("/sign-out", cookie=ada.cookie)
    left = cookies_of([*ada.set_cookies, *answer.headers.get_list("set-cookie")])
    assert left == {}
    assert ask(url, cookie=cookie_header(left)) == 401
    # Whoever kept the cookies still has minutes, there as here.
    assert server.session_of(ada.cookie) is not None
    assert ask(url, cookie=ada.cookie) == known(ada, "cookie")
    assert ask(url, authorization=f"Bearer {bearer}") == known(ada, "jwt")


def test_a_backend_with_a_store(
    plain: BetterAuthServer, serve: Callable[[ASGIApp], str]
) -> None:
    ada, url = sign_up(plain), serve(app_of(plain, store=Tables(plain)))
    bearer = plain.get("/token", cookie=ada.cookie).json()["token"]
    assert ask(url, cookie=ada.cookie) == known(ada, "store")
    assert ask(url, authorization=f"Bearer {ada.bearer}") == known(ada, "store")
    assert ask(url, authorization=f"Bearer {quote(ada.bearer)}") == known(ada, "store")
    assert ask(url, authorization=f"Bearer {bearer}") == known(ada, "jwt")
    assert ask(url, authorization=f"Bearer {ada.token}") == 401  # not signed
    assert plain.session_of("", authorization=f"Bearer {ada.token}") is not None

    assert plain.post("/sign-out", cookie=ada.cookie).json() == {"success": True}
    assert plain.session_of(ada.cookie) is None
    assert ask(url, cookie=ada.cookie) == 401
    assert ask(url, authorization=f"Bearer {ada.bearer}") == 401
    # Good for 15 minutes, as docs/better-auth/sessions.md says.
    assert ask(url, authorization=f"Bearer {bearer}") == known(ada, "jwt")
