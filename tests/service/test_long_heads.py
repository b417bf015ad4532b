"""How much work a request can ask for by what stands before its body.

Calls are counted, not seconds: what is parsed in Python calls something for each piece.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from starlette.datastructures import Headers

from accounts_kit import CHEAP, http, make_auth
from fastbearer.accounts import Accounts
from fastbearer.accounts.languages import languages_of
from fastbearer.app import create_app
from fastbearer.better_auth.cookies import CookieNames
from fastbearer.errors import MalformedTokenError
from fastbearer.fastapi import Settings, proxies
from fastbearer.fastapi.client_address import ClientAddresses
from fastbearer.fastapi.cookie import TokenCookie
from fastbearer.fastapi.requested_url import requested_url
from fastbearer.fastapi.strict_routes import TYPE_BYTES, StrictRequest
from fastbearer.fastapi.subprotocols import offered_token
from fastbearer.fastapi.token_header import HeaderReader, TokenHeader
from project import SECRET

BYTES = 600_000
MOST_CALLS = 40_000
"""What any request may ask for; a header that is parsed to its end takes more."""

PROXY = "10.0.0.1"
Serve = Callable[[FastAPI], str]

HALVES = ("a,", 'a=b;",', 'a="', ',a="', ',a="b";c="', 'a="\\",', 'a=";,', "a=b;c,")
"""Elements of Forwarded that are none."""

PIECES: dict[str, tuple[str, ...]] = {
    "x-forwarded-for": ("1.2.3.4,", "10.0.0.1,", ",", "[::1]:1,"),
    "forwarded": ("for=1.2.3.4,", "a=b;", "for=10.0.0.1,", ",", *HALVES),
    "x-forwarded-proto": ("https,",),
    "content-type": (";", "a=b;", "charset="),
    "accept-language": ("de,",),
    "cookie": ("a%d=b;", "__Host-fastbearer=%d;", "better-auth.session_data.%d=;"),
    "authorization": ("Bearer ", "a.", " "),
    "origin": ("https://",),
    "sec-fetch-site": ("a,",),
    "host": ("a.",),
    "dpop": ("a.",),
    "user-agent": ("a ",),
    "x-fastbearer-delivery": ("a,",),
}
"""Header -> what it may be made of; "%d" is another number each time."""

HOSTILE = [(name, piece) for name, pieces in PIECES.items() for piece in pieces]


def repeated(piece: str, size: int = BYTES) -> bytes:
    if "%d" in piece:
        count = size // (len(piece) + 3)
        return "".join(piece % number for number in range(count)).encode()
    return (piece * (size // len(piece))).encode()


def service(path: Path, **settings: Any) -> FastAPI:
    """Return the service, with a route that takes a form."""
    auth = make_auth(path, **settings)
    return create_app(auth, accounts=Accounts(auth, hasher=CHEAP, password_form=True))


class Calls:
    """How often anything was called, in Python or in C."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        self.count += event in ("call", "c_call")


@contextmanager
def counted() -> Iterator[Calls]:
    calls, before = Calls(), sys.getprofile()
    sys.setprofile(calls)
    try:
        yield calls
    finally:
        sys.setprofile(before)


REQUESTS = [
    ("POST", "/api/auth/signin", "application/json"),
    ("POST", "/api/auth/token", "application/x-www-form-urlencoded"),
    ("POST", "/api/auth/signout", "application/json"),
    ("GET", "/api/auth/me", ""),
    ("GET", "/u1/tasks", ""),
    ("GET", "/healthz", ""),
]
BODIES = {
    "application/json": b'{"email": "a@b.example", "password": "correct horse"}',
    "application/x-www-form-urlencoded": b"username=a&password=b",
    "": b"",
}


async def answered(app: Any, scope: dict[str, Any], body: bytes) -> int:
    """Return the status of an answer, by ASGI alone: no server reads the head."""
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return int(statuses[0])


def scope_of(
    method: str, path: str, headers: Iterable[tuple[str, bytes]], query: bytes = b""
) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(name.encode(), value) for name, value in headers],
        "client": (PROXY, 1234),
        "server": ("127.0.0.1", 80),
    }


def work_of(app: Any, scopes: Iterable[tuple[dict[str, Any], bytes]]) -> list[int]:
    """Return how many calls each request takes."""

    async def each() -> list[int]:
        found = []
        async with app.router.lifespan_context(app):
            for scope, body in scopes:
                with counted() as calls:
                    assert await answered(app, scope, body) < 500
                found.append(calls.count)
        return found

    return asyncio.run(each())


def requests_with(name: str, value: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    for method, path, media_type in REQUESTS:
        usual = {"host": b"a.example", "content-type": media_type.encode()}
        given = {**usual, name: value}
        if name == "content-type":
            given[name] = media_type.encode() + b";" + value
        yield scope_of(method, path, given.items()), BODIES[media_type]


@pytest.mark.parametrize("size", [64_000, BYTES])
@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
def test_no_header_makes_the_service_work(
    tmp_path: Path, header: Any, size: int
) -> None:
    app = service(
        tmp_path / "a.db",
        trusted_proxies="10.0.0.0/8",
        forwarded_header=header,
        throttle=True,
        throttle_requests="100000/minute",
        auth_cookie=True,
    )
    every = [
        (one, piece, *request)
        for one, piece in HOSTILE
        for request in requests_with(one, repeated(piece, size))
    ]
    found = work_of(app, [(scope, body) for _, _, scope, body in every])
    for (one, piece, scope, _), calls in zip(every, found, strict=True):
        assert calls < MOST_CALLS, (one, piece, scope["path"])


@pytest.mark.parametrize("piece", ["a&", "a%d=&", "%%41"])
def test_no_query_makes_the_service_work(tmp_path: Path, piece: str) -> None:
    app = service(tmp_path / "a.db")
    query = repeated(piece)
    scopes = [
        (scope_of(method, path, [("host", b"a.example")], query), BODIES[media_type])
        for method, path, media_type in REQUESTS
    ]
    assert max(work_of(app, scopes)) < MOST_CALLS


# --- each reader by itself: others than our routes may ask it ------------------


def behind(proxies: str | None, header: Any) -> ClientAddresses:
    settings = Settings(
        better_auth_secret=SECRET, trusted_proxies=proxies, forwarded_header=header
    )
    return ClientAddresses(lambda: settings)


EITHER = [behind("10.0.0.0/8", one) for one in ("x-forwarded-for", "forwarded")]
NOBODY = [behind(None, one) for one in ("x-forwarded-for", "forwarded")]


def of_proxy(name: str, value: bytes) -> None:
    for addresses in EITHER:
        addresses.of(scope_of("GET", "/", [(name, value)]))


def of_nobody_trusted(name: str, value: bytes) -> None:
    for addresses in NOBODY:
        addresses.of(scope_of("GET", "/", [(name, value)]))


def of_better_auth(name: str, value: bytes) -> None:
    names = CookieNames("better-auth", secure=False)
    headers = [(name.encode(), value)]
    names.similar(headers)
    try:
        _ = names.find(headers).session_data
    except MalformedTokenError:
        return


def of_token_cookie(name: str, value: bytes) -> None:
    cookie = TokenCookie("fastbearer", is_foreign=True)
    cookie.is_in(scope_of("GET", "/", [(name, value)]))


def of_token_header(name: str, value: bytes) -> None:
    headers = [(name.encode(), value)]
    for scheme in ("Bearer", "Token", None):
        reader = HeaderReader(TokenHeader(name, scheme))
        reader.read(headers)
        reader.has_ambient_scheme(headers)
        reader.flaw(headers)


def of_form(name: str, value: bytes) -> None:
    async def read() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"a=b"}

        form = b"application/x-www-form-urlencoded;"
        scope = scope_of("POST", "/", [(name, form + value)])
        with pytest.raises(HTTPException, match="Content-Type"):
            await StrictRequest(scope, receive).form()

    asyncio.run(read())


def of_languages(name: str, value: bytes) -> None:
    languages_of(Headers(raw=[(name.encode(), value)])[name])


def of_host(name: str, value: bytes) -> None:
    requested_url(scope_of("GET", "/", [(name, value)]))


READERS: dict[str, tuple[Callable[[str, bytes], None], ...]] = {
    "x-forwarded-for": (of_proxy, of_nobody_trusted),
    "forwarded": (of_proxy, of_nobody_trusted),
    "content-type": (of_form,),
    "accept-language": (of_languages,),
    "cookie": (of_better_auth, of_token_cookie),
    "authorization": (of_token_header,),
    "host": (of_host,),
}


@pytest.mark.parametrize(
    ("name", "piece", "read"),
    [(name, piece, read) for name, piece in HOSTILE for read in READERS.get(name, ())],
)
def test_no_reader_goes_on_for_ever(
    name: str, piece: str, read: Callable[[str, bytes], None]
) -> None:
    value = repeated(piece)
    with counted() as calls:
        read(name, value)
    assert calls.count < MOST_CALLS


@pytest.mark.parametrize("piece", ["%41", "a/", "\xe9"])
@pytest.mark.parametrize("has_raw_path", [True, False])
def test_no_path_makes_a_proof_work(piece: str, has_raw_path: bool) -> None:
    scope = scope_of("GET", "/", [("host", b"a.example")])
    scope["path"] = "/" + piece * (BYTES // len(piece))
    scope["raw_path"] = scope["path"].encode() if has_raw_path else None
    with counted() as calls:
        assert requested_url(scope) is None
    assert calls.count < MOST_CALLS


def test_no_offer_makes_a_websocket_work() -> None:
    scope = {"type": "websocket", "subprotocols": ["a"] * BYTES}
    with counted() as calls:
        assert offered_token(scope) is None
    assert calls.count < MOST_CALLS


def test_cookies_of_better_auth_have_a_bound() -> None:
    """Longer than two values of session data, with all of their pieces."""
    headers = [(b"cookie", repeated("better-auth.session_%d=;", 2_000_000))]
    with counted() as calls, pytest.raises(MalformedTokenError, match="too long"):
        CookieNames("better-auth", secure=False).find(headers)
    assert calls.count < MOST_CALLS


# --- what exactly is read, and what is said -------------------------------------


def node_of(
    *lines: str, name: str = "forwarded", proxies: str | None = "10.0.0.0/8"
) -> str | None:
    scope = scope_of("GET", "/", [(name, line.encode()) for line in lines])
    return behind(proxies, name).of(scope)


LONG = "for=192.0.2.7, " * 5000


@pytest.mark.parametrize("end", ["for=203.0.113.1", "for=203.0.113.1, for=10.0.0.2"])
def test_the_end_of_a_long_header_counts(end: str) -> None:
    assert node_of(LONG + end) == "203.0.113.1"
    assert node_of(LONG, end) == "203.0.113.1"
    assert node_of(f'{LONG}by="', end) == "203.0.113.1"
    bare = end.replace("for=", "")
    assert node_of("192.0.2.7," * 9000 + bare, name="x-forwarded-for") == "203.0.113.1"


def test_a_hop_that_is_not_whole_is_none() -> None:
    """Cut in its middle it could be another address."""
    for filler in range(8000, 8200):
        line = f"203.0.113.111,{' ' * filler},10.0.0.2"
        assert node_of(line, name="x-forwarded-for") in ("203.0.113.111", "10.0.0.2")


def test_nothing_is_parsed_from_whoever_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refusing:
        def match(self, *text: object) -> None:
            raise AssertionError("it was parsed")

    monkeypatch.setattr(proxies, "PAIR", Refusing())
    assert node_of("for=1.2.3.4", proxies="10.1.0.0/16") == PROXY
    assert node_of("for=1.2.3.4", proxies=None) == PROXY
    with pytest.raises(AssertionError, match="it was parsed"):
        node_of("for=1.2.3.4")


def test_an_address_is_found_out_once_a_request() -> None:
    ours, others = (behind("10.0.0.0/8", "x-forwarded-for") for _ in range(2))
    scope = scope_of("GET", "/", [("x-forwarded-for", b"203.0.113.1")])
    assert ours.of(scope) == "203.0.113.1"
    scope["headers"] = [(b"x-forwarded-for", b"203.0.113.2")]
    assert ours.of(scope) == "203.0.113.1"
    assert others.of(scope) == "203.0.113.2"


@pytest.mark.parametrize(
    ("headers", "query", "status", "text"),
    [
        ({"X-Long": "a" * 70_000}, "", 431, "headers must have at most 65536 bytes"),
        ({f"X-{n}": "a" * 7000 for n in range(10)}, "", 431, "at most 65536 bytes"),
        ({}, "?" + "a" * 60_000, 200, "ok"),
        ({"X-Long": "a" * 60_000}, "", 200, "ok"),
    ],
)
def test_what_is_said_of_a_long_head(
    serve: Serve,
    tmp_path: Path,
    headers: dict[str, str],
    query: str,
    status: int,
    text: str,
) -> None:
    base = serve(service(tmp_path / "a.db"))
    answer = http.get(f"{base}/healthz{query}", headers=headers)
    assert answer.status_code == status
    assert text in answer.text


def test_a_long_head_is_refused_before_a_token_is_looked_for(
    serve: Serve, tmp_path: Path
) -> None:
    base = serve(service(tmp_path / "a.db"))
    headers = {"X-Long": "a" * 70_000, "Authorization": "Bearer none"}
    answer = http.post(f"{base}/api/auth/change-password", json={}, headers=headers)
    assert answer.status_code == 431, answer.text


def test_a_long_content_type_is_no_form(serve: Serve, tmp_path: Path) -> None:
    base = serve(service(tmp_path / "a.db"))
    form = "application/x-www-form-urlencoded"
    for size, text in ((TYPE_BYTES, "password"), (TYPE_BYTES + 1, "Content-Type")):
        headers = {"Content-Type": form + ";" * (size - len(form))}
        answer = http.post(f"{base}/api/auth/token", content=b"", headers=headers)
        assert answer.status_code == 400
        assert text in answer.json()["error_description"]
