"""Where the token of a request may be, and which of several counts.

No ``from __future__ import annotations``: FastAPI has to see local names.
"""

from collections.abc import Callable
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, HTTPException
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from fastbearer.errors import ConfigurationError, InvalidSignatureError, TokenError
from fastbearer.fastapi import (
    Auth,
    BearerMiddleware,
    Settings,
    TokenHeader,
    TokenUser,
)
from fastbearer.fastapi.cross_site import TrustedOrigins, check_origin, without_origin
from fastbearer.testing import token_for
from project import SECRET

SITE = "https://api.example"
COOKIE = "__Host-fastbearer"
CLOUDFLARE = "Cf-Access-Jwt-Assertion"


def auth_with(settings: dict[str, Any] | None = None, **options: Any) -> Auth:
    return Auth(Settings(better_auth_secret=SECRET, **(settings or {})), **options)


def make_app(auth: Auth) -> FastAPI:
    app = FastAPI()
    user = Depends(auth.verify_jwt_token)

    @app.get("/me")
    @app.post("/me")
    async def me(user: Annotated[TokenUser, user]) -> TokenUser:
        return user

    return app


def client_of(auth: Auth) -> TestClient:
    return TestClient(make_app(auth), base_url=SITE)


def good(user_id: str = "u1", **claims: Any) -> str:
    return token_for(user_id, "", auth=auth_with(), claims=claims)


def status_and_user(client: TestClient, headers: Any, method: str = "GET") -> Any:
    response = client.request(method, "/me", headers=headers)
    user = response.json().get("user_id") if response.status_code == 200 else None
    return response.status_code, user


# --- headers


def test_a_proxy_hands_the_token_on_without_a_scheme() -> None:
    client = client_of(auth_with(header=CLOUDFLARE, scheme=None))
    assert status_and_user(client, {CLOUDFLARE: good()}) == (200, "u1")
    assert status_and_user(client, {CLOUDFLARE: f" {good()} "}) == (200, "u1")
    assert status_and_user(client, {CLOUDFLARE: f"Bearer {good()}"}) == (401, None)
    assert status_and_user(client, {CLOUDFLARE: ""}) == (401, None)
    assert status_and_user(client, {"Authorization": f"Bearer {good()}"})[0] == 401


@pytest.mark.parametrize("scheme", ["Token", "JWT", "token"])
def test_another_scheme_stands_before_the_token(scheme: str) -> None:
    client = client_of(auth_with(scheme=scheme))
    for written in (scheme, scheme.upper(), scheme.lower(), f"{scheme}  "):
        headers = {"Authorization": f"{written} {good()}"}
        assert status_and_user(client, headers) == (200, "u1")
    for other in ("Bearer ", "", scheme, f"{scheme}x "):
        assert client.get("/me", headers={"Authorization": other + good()}).json() == {
            "detail": "Not authenticated"
        }


def test_two_raw_headers_are_a_bad_request(serve: Callable[[Any], str]) -> None:
    url = serve(make_app(auth_with(header=CLOUDFLARE, scheme=None)))
    response = httpx2.get(f"{url}/me", headers=[(CLOUDFLARE, good())] * 2)
    detail = f"More than one {CLOUDFLARE} header"
    assert (response.status_code, response.json()) == (400, {"detail": detail})


def test_the_first_of_several_headers_counts() -> None:
    headers = [TokenHeader(), TokenHeader(CLOUDFLARE, None)]
    client = client_of(auth_with(header=headers))
    first, second = f"Bearer {good('first')}", good("second")
    both = {"Authorization": first, CLOUDFLARE: second}
    assert status_and_user(client, both) == (200, "first")
    assert status_and_user(client, {CLOUDFLARE: second}) == (200, "second")
    # What was sent on purpose is judged: nothing else stands in for it.
    for bad in ("Bearer x", "Bearer ", "abc", ""):
        both = {"Authorization": bad, CLOUDFLARE: second}
        assert status_and_user(client, both)[0] == 401, bad
    # A browser sends this by itself, for the proxy that has asked for it.
    both = {"Authorization": "Basic dTpw", CLOUDFLARE: second}
    assert status_and_user(client, both) == (200, "second")


def test_one_header_with_two_schemes() -> None:
    headers = [TokenHeader(), TokenHeader("Authorization", "Token")]
    client = client_of(auth_with(header=headers))
    for scheme in ("Bearer", "Token"):
        sent = {"Authorization": f"{scheme} {good()}"}
        assert status_and_user(client, sent) == (200, "u1")
    assert status_and_user(client, {"Authorization": f"JWT {good()}"})[0] == 401


@pytest.mark.parametrize(
    "options",
    [
        {"header": "a b"},
        {"header": ""},
        {"header": []},
        {"header": ["ok", "not ok"]},
        {"header": 5},
        {"scheme": ""},
        {"scheme": "a b"},
        {"scheme": "Bearer "},
        {"cookies": "access_token"},
        {"cookies": ["a b"]},
        {"cookies": [""]},
        {"cookies": [5]},
    ],
)
def test_what_is_no_place_for_a_token_stops_the_start(options: dict[str, Any]) -> None:
    with pytest.raises((ConfigurationError, TypeError)):
        auth_with(**options)


# --- cookies that somebody else sets


@pytest.mark.parametrize("way", ["argument", "setting"])
@pytest.mark.parametrize(
    "value",
    [
        "{token}",
        '"{token}"',
        '"Bearer {token}"',  # FastAPI's full-stack template
        "Bearer {token}",
        "bearer%20{token}",
    ],
)
def test_a_cookie_that_somebody_else_sets(way: str, value: str) -> None:
    if way == "argument":
        auth = auth_with(cookies=["access_token"])
    else:
        auth = auth_with({"token_cookies": "session, access_token"})
    client = client_of(auth)
    headers = {"Cookie": f"a=b; access_token={value.format(token=good())}"}
    assert status_and_user(client, headers) == (200, "u1")
    # It is sent by every page that posts here: the same check as for ours.
    assert client.post("/me", headers=headers).status_code == 403
    headers["Origin"] = SITE
    assert status_and_user(client, headers, "POST") == (200, "u1")


def test_such_a_cookie_has_its_whole_name() -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    for name in ("__Host-access_token", "access_token2", "Access_Token", "token"):
        assert status_and_user(client, {"Cookie": f"{name}={good()}"})[0] == 401


def test_our_own_cookie_goes_before_those_of_others() -> None:
    auth = auth_with({"auth_cookie": True}, cookies=["access_token"])
    client = client_of(auth)
    cookies = [f"access_token={good('other')}", f"{COOKIE}={good('own')}"]
    assert status_and_user(client, {"Cookie": "; ".join(cookies)}) == (200, "own")
    assert status_and_user(client, {"Cookie": cookies[0]}) == (200, "other")


def test_a_cookie_and_no_header_at_all() -> None:
    client = client_of(auth_with(header=None, cookies=["access_token"]))
    headers = {"Authorization": f"Bearer {good('header')}"}
    assert status_and_user(client, headers)[0] == 401
    headers["Cookie"] = f"access_token={good('cookie')}"
    assert status_and_user(client, headers) == (200, "cookie")


# --- a header and a cookie in one request


def test_a_cookie_and_a_bearer_token_in_one_request() -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    cookie = {"Cookie": f"access_token={good('cookie')}"}
    headers = {**cookie, "Authorization": f"Bearer {good('header')}"}
    assert status_and_user(client, headers) == (200, "header")
    # Nobody's page can send that header: where it comes from does not matter.
    headers["Origin"] = "https://evil.example"
    assert status_and_user(client, headers, "POST") == (200, "header")
    for bad in (f"Bearer {good(exp=1)}", "Bearer x", "Bearer", good(), "Token x"):
        headers = {**cookie, "Authorization": bad}
        assert status_and_user(client, headers)[0] == 401, bad


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Negotiate", "NTLM", "basic"])
def test_a_site_under_a_password_of_the_proxy(scheme: str) -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    headers = {"Authorization": f"{scheme} dTpw", "Cookie": f"access_token={good()}"}
    assert status_and_user(client, headers) == (200, "u1")
    del headers["Cookie"]
    assert status_and_user(client, headers)[0] == 401


# --- two cookies of one name


def pair(*tokens: str) -> dict[str, str]:
    return {"Cookie": "; ".join(f"access_token={token}" for token in tokens)}


def test_two_cookies_of_one_name_one_of_them_stale() -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    stale, foreign, fresh = good(exp=1), good("u2") + "x", good("u1")
    for others in ([stale], [foreign], ["rubbish", stale], [stale, "", foreign]):
        assert status_and_user(client, pair(*others, fresh)) == (200, "u1")
        assert status_and_user(client, pair(fresh, *others)) == (200, "u1")


def test_two_cookies_of_one_name_and_the_same_value() -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    token = good()
    assert status_and_user(client, pair(token, token)) == (200, "u1")


def test_two_good_cookies_of_one_name_are_refused() -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    response = client.get("/me", headers=pair(good("u1"), good("u2")))
    detail = {"detail": "More than one token cookie"}
    assert (response.status_code, response.json()) == (400, detail)


def test_two_bad_cookies_of_one_name_are_bad() -> None:
    client = client_of(auth_with(cookies=["access_token"]))
    response = client.get("/me", headers=pair(good(exp=1), "rubbish"))
    assert response.status_code == 401
    assert response.json()["detail"].startswith("Token has expired")


class Counting:
    """A verifier that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def verify(self, token: str) -> dict[str, Any]:
        self.asked.append(token)
        raise InvalidSignatureError("not this one")


@pytest.mark.parametrize("count", [5, 8, 9, 500])
def test_nobody_can_have_many_cookies_judged(count: int) -> None:
    verifier = Counting()
    client = client_of(Auth(verifier=verifier, cookies=["access_token"]))
    response = client.get("/me", headers=pair(*(f"t{one}" for one in range(count))))
    assert response.status_code == 400
    assert verifier.asked == []


def test_as_many_as_a_browser_may_have_are_judged() -> None:
    verifier = Counting()
    client = client_of(Auth(verifier=verifier, cookies=["access_token"]))
    assert client.get("/me", headers=pair("a", "b", "c", "d")).status_code == 401
    assert verifier.asked == ["a", "b", "c", "d"]


class Later:
    """A verifier that is awaited, over another."""

    def __init__(self, auth: Auth) -> None:
        self._verifier = auth.verifier

    def verify(self, token: str) -> dict[str, Any]:
        raise AssertionError("averify is there")

    async def averify(self, token: str) -> dict[str, Any]:
        return self._verifier.verify(token)


def test_two_cookies_and_a_verifier_that_is_awaited() -> None:
    auth = Auth(verifier=Later(auth_with()), cookies=["access_token"])
    client = client_of(auth)
    assert status_and_user(client, pair(good(exp=1), good())) == (200, "u1")
    assert client.get("/me", headers=pair(good("a"), good("b"))).status_code == 400


def test_the_good_one_of_two_cookies_is_the_token_of_the_request() -> None:
    """What signs out afterwards must end the right session."""
    auth = auth_with(cookies=["access_token"])
    app = FastAPI()

    @app.get("/token")
    async def token(
        conn: HTTPConnection,
        user: Annotated[TokenUser, Depends(auth.verify_jwt_token)],
    ) -> str | None:
        return auth.token_claims.token(conn)

    stale, fresh = good(exp=1), good()
    response = TestClient(app, base_url=SITE).get("/token", headers=pair(stale, fresh))
    assert response.json() == fresh


# --- requests that do not say where they come from


@pytest.mark.parametrize("rule", ["refuse", "allow"])
def test_a_server_posts_with_the_cookie_of_its_user(rule: str) -> None:
    """A route handler of Next.js hands the cookie on: no Origin, no Sec-Fetch-Site."""
    settings = {"requests_without_origin": rule}
    client = client_of(auth_with(settings, cookies=["access_token"]))
    headers = {"Cookie": f"access_token={good()}"}
    expected = (200, "u1") if rule == "allow" else (403, None)
    assert status_and_user(client, headers, "POST") == expected
    # Whoever says it, is asked.
    for said in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
    ):
        assert status_and_user(client, headers | said, "POST")[0] == 403, said


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    every = [(b"host", b"api.example"), *headers]
    return {"type": "http", "method": "POST", "scheme": "https", "headers": every}


def is_refused(*headers: tuple[bytes, bytes], **options: Any) -> bool:
    trusted = options.pop("trusted", frozenset())
    try:
        check_origin(scope(*headers), trusted, **options)
    except HTTPException as refusal:
        return refusal.status_code == 403
    return False


def test_a_request_without_any_cookie_cannot_ride_on_one() -> None:
    assert not is_refused()
    assert is_refused((b"cookie", b"a=b"))
    # A page of another site could sign somebody in with it.
    assert is_refused((b"origin", b"https://evil.example"))
    assert is_refused((b"sec-fetch-site", b"cross-site"))


def test_an_empty_origin_beside_another_is_no_missing_one() -> None:
    evil = (b"origin", b"https://evil.example")
    empty = (b"origin", b"")
    for headers in ((evil, empty), (empty, evil), (empty, empty)):
        assert is_refused(*headers, requests_without_origin="allow")


def test_trusted_origins_by_a_rule() -> None:
    asked: list[str] = []

    def rule(origin: str) -> bool:
        asked.append(origin)
        return origin.endswith(".example.com")

    trusted = TrustedOrigins(["https://one.example"], [rule])
    for origin, is_trusted in (
        (b"https://one.example", True),
        (b"https://a.example.com", True),
        (b"https://a.example.org", False),
        (b"null", False),
        (b"https://\xe9.example.com", False),
        (b"https://" + b"a" * 300 + b".example.com", False),
    ):
        assert (origin in trusted) is is_trusted
        assert is_refused((b"origin", origin), trusted=trusted) is not is_trusted
    assert set(asked) == {"https://a.example.com", "https://a.example.org"}
    assert "https://one.example" not in trusted


def test_the_rule_for_requests_without_an_origin_is_one_of_two() -> None:
    assert without_origin("allow") == "allow"
    for wrong in ("", "yes", None, True, ["allow"]):
        with pytest.raises(ConfigurationError):
            without_origin(wrong)


# --- the middleware, and the document


def test_the_middleware_finds_the_same_tokens() -> None:
    auth = auth_with(cookies=["access_token"])
    inner = FastAPI()

    @inner.get("/me")
    async def me(conn: HTTPConnection) -> Any:
        return conn.user

    app = BearerMiddleware(inner, auth=auth, header=CLOUDFLARE, scheme=None)
    client = TestClient(app, base_url=SITE)
    assert status_and_user(client, {CLOUDFLARE: good()}) == (200, "u1")
    assert status_and_user(client, pair(good())) == (200, "u1")
    both = {CLOUDFLARE: good("header"), **pair(good("cookie"))}
    assert status_and_user(client, both) == (200, "header")
    assert status_and_user(client, {"Authorization": f"Bearer {good()}"})[0] == 401


def schemes(auth: Auth) -> tuple[Any, Any]:
    document = make_app(auth).openapi()
    return (
        document["components"]["securitySchemes"],
        document["paths"]["/me"]["get"]["security"],
    )


def key(where: str, name: str, description: str = "<token>") -> dict[str, str]:
    return {"type": "apiKey", "in": where, "name": name, "description": description}


def test_the_document_says_where_the_token_is() -> None:
    assert schemes(auth_with(header=CLOUDFLARE, scheme=None)) == (
        {CLOUDFLARE: key("header", CLOUDFLARE)},
        [{CLOUDFLARE: []}],
    )
    assert schemes(auth_with(scheme="Token")) == (
        {"Token": key("header", "Authorization", "Token <token>")},
        [{"Token": []}],
    )
    assert schemes(auth_with(header=None, cookies=["access_token"])) == (
        {"access_token": key("cookie", "access_token")},
        [{"access_token": []}],
    )


def test_the_document_shows_each_of_several_places() -> None:
    found, needed = schemes(auth_with(cookies=["access_token"]))
    assert found == {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "access_token": key("cookie", "access_token"),
    }
    # Each entry is one way, and one is enough.
    assert needed == [{"Bearer": []}, {"access_token": []}]


class Refusing:
    def verify(self, token: str) -> dict[str, Any]:
        raise TokenError("never")


def test_several_places_are_one_dependency() -> None:
    auth = Auth(verifier=Refusing(), cookies=["access_token"])
    app = make_app(auth)
    app.dependency_overrides[auth.verify_jwt_token] = lambda: {
        "user_id": "u9",
        "email": "",
    }
    assert TestClient(app).get("/me").json()["user_id"] == "u9"
