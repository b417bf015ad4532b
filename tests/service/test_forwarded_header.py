"""FORWARDED_HEADER=forwarded: one header is read, whoever starts the server."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from accounts_kit import http, make_auth, make_service
from asgi import ASGIApp
from fastbearer import Key, Verifier
from fastbearer.fastapi import Auth, ForwardedScheme, Settings
from fastbearer.fastapi.client_address import ClientAddresses
from ports import free_port
from programs import started_in
from project import SECRET

Serve = Callable[[ASGIApp], str]
CLIENT = "for=198.51.100.9"
MARK = "--no-proxy-headers"

CHOSEN: list[Callable[[int], str]] = [
    lambda n: f"203.0.113.{n}",
    lambda n: f"203.0.113.{n}:4711",
    lambda n: f"203.0.113.{n}:+99",
    lambda n: f"203.0.113.{n}: 9_9",
    lambda n: f"[203.0.113.{n}]:4711",
    lambda n: f"[2001:db8:{n}::1]:4711",
    lambda n: f"2001:db8:{n}::1",
    lambda n: f"name-{n}:4711",
    lambda n: f"[name-{n}]:4711",
    lambda n: f"name-{n}",
    lambda n: f"10.0.0.{n}:4711, 127.0.0.1",
    lambda n: f"203.0.113.{n}:4711, " + "127.0.0.1, " * 1000 + "127.0.0.1",
]
"""What a client may write into X-Forwarded-For to be another one each time."""


def guesses(base: str, chosen: Callable[[int], str] | None = None) -> list[int]:
    """Return the statuses of wrong guesses, of one client that says it is many."""
    found = []
    for n in range(1, 7):
        headers = {"Forwarded": CLIENT}
        if chosen is not None:
            headers["X-Forwarded-For"] = chosen(n)
        body = {"email": "ada@example.com", "password": f"wrong guess {n}"}
        answer = http.post(f"{base}/api/auth/signin", json=body, headers=headers)
        found.append(answer.status_code)
    return found


def sign_in_from(base: str, origin: str, **headers: str) -> int:
    """Return the status of a form of an origin; 403 where that is not our own."""
    body = {"email": "bob@example.com", "password": "wrong guess"}
    given = {"Host": "shop.example", "Origin": origin, **headers}
    url = f"{base}/api/auth/signin"
    return http.post(url, json=body, headers=given).status_code


LIMITS = {"THROTTLE_REQUESTS": "4/minute", "THROTTLE_FAILURES": "1000/minute"}
SETTINGS = {
    "BETTER_AUTH_SECRET": SECRET,
    "TRUSTED_PROXIES": "127.0.0.1",
    "FORWARDED_HEADER": "forwarded",
    "MAIL_CONSOLE": "1",
    "AUTH_COOKIE": "1",
    "REQUESTS_WITHOUT_ORIGIN": "allow",
    **LIMITS,
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Run ``fastbearer serve`` behind a proxy that writes Forwarded alone."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "fastbearer", "serve", "--port", str(port)]
    environment = {**os.environ, **SETTINGS}
    with started_in(tmp_path, environment, command, url, tmp_path / "log"):
        yield url


@pytest.mark.http
def test_a_served_client_does_not_choose_its_address(served: str) -> None:
    assert guesses(served, CHOSEN[0]) == [401] * 4 + [429] * 2
    assert guesses(served, CHOSEN[1]) == [429] * 6
    assert guesses(served) == [429] * 6


@pytest.mark.http
def test_a_served_client_has_the_scheme_of_its_proxy(served: str) -> None:
    ours, other = "https://shop.example", "http://shop.example"
    https, http_ = f"{CLIENT};proto=https", f"{CLIENT};proto=http"
    assert sign_in_from(served, ours, Forwarded=https) == 401
    assert sign_in_from(served, other, Forwarded=https) == 403
    forged = {"X-Forwarded-Proto": "https", "Forwarded": http_}
    assert sign_in_from(served, ours, **forged) == 403


@pytest.mark.parametrize("number", range(len(CHOSEN)))
@pytest.mark.parametrize("trusted", ["127.0.0.1", "*"])
def test_what_uvicorn_has_taken_from_the_other_header_is_no_address(
    serve: Serve,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    trusted: str,
    number: int,
) -> None:
    limits = {name.lower(): value for name, value in LIMITS.items()}
    proxies = {"trusted_proxies": "127.0.0.1, 10.0.0.0/8"}
    forwarded = {"forwarded_header": "forwarded", "throttle": True}
    app = make_service(tmp_path / "a.db", **proxies, **forwarded, **limits)
    base = serve(ProxyHeadersMiddleware(app, trusted_hosts=trusted))
    with caplog.at_level(logging.WARNING):
        assert guesses(base, CHOSEN[number]) == [401] * 4 + [429] * 2
    told = [one for one in caplog.records if MARK in one.getMessage()]
    assert [one.levelno for one in told] == [logging.ERROR]
    # The client itself is another one, whom nobody else's guesses lock out.
    assert guesses(base) == [401] * 4 + [429] * 2


def address(
    peer: tuple[str, int] | None, *headers: tuple[str, str], header: Any = "forwarded"
) -> str | None:
    settings = Settings(
        better_auth_secret=SECRET,
        trusted_proxies="10.0.0.0/8, 2001:db8::/32",
        forwarded_header=header,
    )
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "headers": raw, "client": peer}
    return ClientAddresses(lambda: settings).of(scope)


BOTH = ("Forwarded", CLIENT)


@pytest.mark.parametrize(
    ("peer", "claimed", "found"),
    [
        # The proxy itself: what a client, or another proxy, has written is not read.
        (("10.0.0.1", 4711), "203.0.113.7", "198.51.100.9"),
        (("10.0.0.1", 4711), "203.0.113.7, 10.0.0.2:80", "198.51.100.9"),
        (("10.0.0.1", 4711), "10.0.0.1", "198.51.100.9"),
        (("2001:db8::1", 4711), "2001:db8::1:2", "198.51.100.9"),
        (("192.0.2.1", 4711), "203.0.113.7", "192.0.2.1"),
        (("10.0.0.1", 0), "", "198.51.100.9"),
        # Whom uvicorn has put in its place.
        (("10.0.0.1", 0), "10.0.0.1", "unknown"),
        (("10.0.0.1", 99), "10.0.0.1:99", "unknown"),
        (("2001:db8::1", 99), "[2001:db8::1]:99", "unknown"),
        (("192.0.2.1", 0), "192.0.2.1", "unknown"),
    ],
)
def test_who_is_connected(peer: tuple[str, int], claimed: str, found: str) -> None:
    assert address(peer, BOTH, ("X-Forwarded-For", claimed)) == found


def test_a_server_may_read_the_header_that_counts() -> None:
    """Hypercorn reads Forwarded itself; and X-Forwarded-For where that one counts."""
    assert (
        address(("203.0.113.7", 0), ("Forwarded", "for=203.0.113.7")) == "203.0.113.7"
    )
    claimed = ("X-Forwarded-For", "203.0.113.7")
    header = "x-forwarded-for"
    assert address(("203.0.113.7", 0), claimed, header=header) == "203.0.113.7"


def scheme(
    *headers: tuple[str, str], peer: str = "10.0.0.1", header: Any = "forwarded"
) -> str:
    auth = make_auth(
        Path("unused.db"), trusted_proxies="10.0.0.0/8", forwarded_header=header
    )
    return seen_by(auth, headers, peer)


def seen_by(
    auth: Auth, headers: Iterable[tuple[str, str]], peer: str = "10.0.0.1"
) -> str:
    """Return the scheme that a request has within the middleware."""
    app = FastAPI(lifespan=auth.lifespan)
    app.add_middleware(ForwardedScheme, auth=auth)

    @app.get("/scheme")
    def seen(request: Request) -> str:
        return request.url.scheme

    with TestClient(app, client=(peer, 4711)) as client:
        found = client.get("/scheme", headers=list(headers)).json()
    return str(found)


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("for=198.51.100.9;proto=https", "https"),
        ('for=198.51.100.9;proto="HTTPS"', "https"),
        ("proto=https;for=198.51.100.9, for=10.0.0.2;proto=http", "https"),
        ("for=1.2.3.4;proto=https, for=198.51.100.9;proto=http", "http"),
        ("for=1.2.3.4;proto=https, for=198.51.100.9", "http"),
        ('for="x, for=198.51.100.9;proto=https', "https"),
        ("proto=https", "https"),
        ("for=198.51.100.9;proto=javascript", "http"),
        ("for=198.51.100.9", "http"),
        ("nonsense, proto=https;;", "http"),
        ("", "http"),
    ],
)
def test_the_element_of_the_outermost_trusted_proxy_counts(
    forwarded: str, found: str
) -> None:
    assert scheme(("Forwarded", forwarded)) == found
    assert scheme(("Forwarded", forwarded), peer="192.0.2.1") == "http"
    assert scheme(("Forwarded", forwarded), header="x-forwarded-for") == "http"


@pytest.mark.parametrize(
    ("forwarded", "proto", "found"),
    [
        (CLIENT, "https", "https"),
        (CLIENT, " HTTPS", "https"),
        (CLIENT, "https, http", "http"),
        (CLIENT, "gopher", "http"),
        (f"{CLIENT};proto=http", "https", "http"),
        (f"{CLIENT};proto=gopher", "https", "http"),
    ],
)
def test_a_proxy_may_name_the_scheme_in_a_header_of_its_own(
    forwarded: str, proto: str, found: str
) -> None:
    given = ("Forwarded", forwarded), ("X-Forwarded-Proto", proto)
    assert scheme(*given) == found
    assert scheme(*given, peer="192.0.2.1") == "http"


@pytest.mark.parametrize("header", ["", "x-forwarded-for", "forwarded"])
def test_a_verifier_of_ones_own_needs_no_secret_for_it(
    header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8")
    if header:
        monkeypatch.setenv("FORWARDED_HEADER", header)
    auth = Auth(verifier=Verifier(Key.generate("HS256")))
    given = [("Forwarded", "for=198.51.100.9;proto=https")]
    found = "https" if header == "forwarded" else "http"
    assert seen_by(auth, given) == found
    assert auth.client_of({"client": ("10.0.0.1", 1), "headers": []}) == "10.0.0.1"


def test_whom_uvicorn_has_put_there_names_no_scheme() -> None:
    forged = ("X-Forwarded-For", "10.0.0.1:4711")
    assert scheme(("Forwarded", "for=1.2.3.4;proto=https"), forged) == "http"


def test_a_websocket_has_the_scheme_of_its_proxy() -> None:
    auth = make_auth(
        Path("unused.db"), trusted_proxies="10.0.0.0/8", forwarded_header="forwarded"
    )
    seen = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope.get("scheme"))
        scope["route"] = "what a middleware around all of it wants to know"

    async def each() -> None:
        headers = [(b"forwarded", b"for=198.51.100.9;proto=https")]
        for kind, before in (("websocket", "ws"), ("http", "http"), ("lifespan", None)):
            scope = {"type": kind, "client": ("10.0.0.1", 1), "headers": headers}
            scope |= {} if before is None else {"scheme": before}
            await ForwardedScheme(application, auth=auth)(scope, nothing, nothing)
            assert "route" in scope

    async def nothing(*message: Any) -> Any:
        return None

    asyncio.run(each())
    assert seen == ["wss", "https", None]
