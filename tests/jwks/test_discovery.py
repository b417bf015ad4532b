"""An issuer that is known by its name alone: OpenID Connect Discovery and RFC 8414."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from fastbearer import (
    ConfigurationError,
    Key,
    KeySet,
    KeySourceError,
    Signer,
    UnknownKeyError,
)
from fastbearer.jwks import DiscoveredKeys, JWKSClient, JWKSVerifier
from fastbearer.jwks.fetch import FetchError
from fastbearer.jwks.metadata import metadata_urls, named_url
from key_server import Behaviour, KeyServer, answer, by_path, metadata, serving
from private_ca import PrivateCA
from waiting import HANG, until

pytestmark = pytest.mark.http

OLD = Key.generate("ES256", kid="old")
NEW = Key.generate("EdDSA", kid="new")

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer(answer(b"", 404)) as server:
        yield server


def provides(server: KeyServer) -> dict[str, Behaviour]:
    """Let a server be an issuer with keys; return its routes, which may be changed."""
    routes = {
        OPENID: answer(metadata(server.origin)),
        "/keys": serving(OLD),
    }
    server.behave = by_path(routes)
    return routes


def in_a_thread(source: DiscoveredKeys, **options: bool) -> KeySet:
    return source.keys(**options)


def on_a_loop(source: DiscoveredKeys, **options: bool) -> KeySet:
    return asyncio.run(source.akeys(**options))


Keys = Callable[..., KeySet]
both_ways = pytest.mark.parametrize("keys", [in_a_thread, on_a_loop])


def kids(keys: KeySet) -> list[str | None]:
    return [key.kid for key in keys]


def failure(source: DiscoveredKeys) -> str:
    with pytest.raises(KeySourceError) as caught:
        source.keys()
    assert "\n" not in str(caught.value)
    return (
        str(caught.value)
        .removeprefix("no keys: ")
        .removeprefix("no discovery document: ")
    )


# --- where the document is --------------------


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        (
            "https://a.example",
            f"https://a.example{OPENID}",
            f"https://a.example{OAUTH}",
        ),
        (
            "https://a.example/",
            f"https://a.example{OPENID}",
            f"https://a.example{OAUTH}",
        ),
        (
            "https://a.example/realms/x",
            f"https://a.example/realms/x{OPENID}",
            f"https://a.example{OAUTH}/realms/x",
        ),
        (
            "https://A.example:8443/realms/x/",
            f"https://A.example:8443/realms/x{OPENID}",
            f"https://A.example:8443{OAUTH}/realms/x",
        ),
    ],
)
def test_well_known_places(issuer: str, openid: str, oauth: str) -> None:
    """OpenID Connect Discovery 1.0 4.1 appends, RFC 8414 3.1 inserts."""
    assert metadata_urls(issuer) == (openid, oauth)


@both_ways
def test_the_issuer_alone_is_enough(server: KeyServer, keys: Keys) -> None:
    provides(server)
    assert kids(keys(DiscoveredKeys(server.origin))) == ["old"]
    assert server.paths == [OPENID, "/keys"]


@pytest.mark.parametrize(
    "openid",
    [
        *(
            answer(b"not here", 404),
            answer(b"", 405),
            answer(b"", 401),
            answer(b"", 204),
        ),
        answer(b"", 302, [("Location", "/login")]),
        answer(b"<!doctype html><title>app</title>"),
        answer(b"{}"),
        answer(b'{"issuer": null}'),
        answer(b'{"error": "not found"}'),
        answer(b"[]"),
    ],
)
@both_ways
def test_an_oauth_server_without_openid(
    server: KeyServer, openid: Behaviour, keys: Keys
) -> None:
    """RFC 8414: the well-known part stands between the host and the path."""
    issuer = f"{server.origin}/tenants/x"
    server.behave = by_path(
        {
            f"/tenants/x{OPENID}": openid,
            f"{OAUTH}/tenants/x": answer(metadata(issuer)),
            "/tenants/x/keys": serving(OLD),
        }
    )
    assert kids(keys(DiscoveredKeys(issuer))) == ["old"]
    assert server.paths == [
        f"/tenants/x{OPENID}",
        f"{OAUTH}/tenants/x",
        "/tenants/x/keys",
    ]


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_a_server_that_fails_now_is_not_asked_for_the_other(
    server: KeyServer, status: int
) -> None:
    """It may have the document later, and two answers must not take turns."""
    server.behave = answer(b"", status)
    assert f"{OPENID}: status {status}" in failure(DiscoveredKeys(server.origin))
    assert server.paths == [OPENID]


def test_neither_document_is_there(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"{server.origin}{OPENID}: status 404; {server.origin}{OAUTH}: status 404"
    assert failure(DiscoveredKeys(server.origin)) == said
    assert caplog.messages == [f"issuer {server.origin} not discovered: {said}"]


# --- whose document it is --------------------


@pytest.mark.parametrize("slash", [False, True])
@both_ways
def test_the_slash_at_the_end_counts(
    server: KeyServer,
    caplog: pytest.LogCaptureFixture,
    keys: Keys,
    *,
    slash: bool,
) -> None:
    """Auth0's issuer has one, Okta's has none; OpenID Connect Discovery 1.0 4.3."""
    provides(server)[OPENID] = answer(metadata(server.origin + "/" * slash))
    configured = server.origin + "/" * (not slash)
    with pytest.raises(KeySourceError):
        keys(DiscoveredKeys(configured))
    (line,) = caplog.messages
    assert f'the issuer "{server.origin}{"/" * slash}", not of "{configured}"' in line
    assert "slash at the end" in line
    assert kids(keys(DiscoveredKeys(server.origin + "/" * slash))) == ["old"]


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ("https://evil.example", '"https://evil.example"'),
        ("http://127.0.0.1", '"http://127.0.0.1"'),
        ("https://evil.example/?key=a-secret", '"https://evil.example/"'),
        ("https://u:a-secret@evil.example/", '"https://evil.example/"'),
        (
            "https://login.example/{tenantid}/v2.0",
            '"https://login.example/{tenantid}/v2.0"',
        ),
        ("a-secret\nof another line", '"a URL"'),
        ("https://evil.example/" + "x" * 5000, '"https://evil.example/xxx'),
        ("", '"a URL"'),
    ],
)
def test_another_issuer_is_refused_and_said(
    server: KeyServer, issuer: str, shown: str
) -> None:
    provides(server)[OPENID] = answer(
        json.dumps({"issuer": issuer, "jwks_uri": f"{server.origin}/keys"}).encode()
    )
    said = failure(DiscoveredKeys(server.origin))
    assert shown in said and f'"{server.origin}"' in said
    assert "a-secret" not in said and len(said) < 600
    assert server.paths == [OPENID]


def test_upper_case_counts(server: KeyServer) -> None:
    issuer = f"{server.origin}/Realm"
    server.behave = answer(metadata(f"{server.origin}/realm"))
    assert "upper and lower case" in failure(DiscoveredKeys(issuer))


def test_an_issuer_that_changes_its_name_is_not_followed(
    server: KeyServer, clock: Clock
) -> None:
    routes = provides(server)
    source = DiscoveredKeys(server.origin, clock=clock, max_stale=1000)
    good = source.keys()
    routes[OPENID] = answer(metadata("https://evil.example", f"{server.origin}/evil"))
    routes["/evil"] = serving(NEW)
    clock.now += 300
    assert source.keys() is good  # by the document that was good
    with pytest.raises(KeySourceError, match="evil"):
        asyncio.run(_after(clock, 1000, source.metadata))
    assert "/evil" not in server.paths


async def _after(clock: Clock, seconds: float, what: Callable[[], Any]) -> Any:
    clock.now += seconds
    return await what()


# --- where the keys are --------------------


@both_ways
def test_the_keys_may_be_on_another_host(server: KeyServer, keys: Keys) -> None:
    headers = {"X-API-Key": "a-secret", "User-Agent": "Mozilla/5.0"}
    with KeyServer(serving(OLD)) as elsewhere:
        provides(server)[OPENID] = answer(metadata(server.origin, elsewhere.url))
        assert kids(keys(DiscoveredKeys(server.origin, headers=headers))) == ["old"]
        assert server.paths == [OPENID]
        assert server.requests[0].headers["X-API-Key"] == "a-secret"
        (request,) = elsewhere.requests
    assert "X-API-Key" not in request.headers
    assert request.headers["User-Agent"] == "Mozilla/5.0"


def test_keys_elsewhere_that_want_the_headers_are_said(server: KeyServer) -> None:
    """Kubernetes names its keys by the address of a node, and wants a token."""
    headers = {"Authorization": "Bearer a-secret"}
    with KeyServer(answer(b"", 401)) as elsewhere:
        provides(server)[OPENID] = answer(metadata(server.origin, elsewhere.url))
        said = failure(DiscoveredKeys(server.origin, headers=headers))
        assert said.startswith(f"{elsewhere.url}: status 401: headers=... are for the")
        elsewhere.behave = serving(OLD)
        JWKSClient(elsewhere.url, headers=headers).keys()
        assert elsewhere.requests[1].headers["Authorization"] == "Bearer a-secret"


def test_the_keys_of_the_same_host_get_the_headers(server: KeyServer) -> None:
    provides(server)
    DiscoveredKeys(server.origin, headers={"X-API-Key": "k"}).keys()
    assert [request.headers["X-API-Key"] for request in server.requests] == ["k", "k"]


@pytest.mark.parametrize(
    "jwks_uri",
    [
        *("http://keys.example/jwks", "/keys", "keys", "ftp://a.example/", "", 7, None),
        *("file:///etc/passwd", "https://u:a-secret@a.example/", ["https://a.example"]),
        *("http://169.254.169.254/latest", "https://a.example/\nx"),
    ],
)
def test_places_that_keys_are_not_fetched_from(
    server: KeyServer, jwks_uri: Any
) -> None:
    provides(server)[OPENID] = answer(
        json.dumps({"issuer": server.origin, "jwks_uri": jwks_uri}).encode()
    )
    said = failure(DiscoveredKeys(server.origin))
    assert "jwks_uri" in said and "a-secret" not in said
    assert server.paths == [OPENID]


def test_keys_of_an_https_issuer_are_not_fetched_by_http(
    server: KeyServer, ca: PrivateCA
) -> None:
    server.behave = serving(OLD)
    with KeyServer(answer(b""), ca.serving("localhost")) as other:
        issuer = f"https://localhost:{other.port}"
        other.behave = answer(metadata(issuer, server.url))
        said = failure(DiscoveredKeys(issuer, ssl_context=ca.file))
        assert "is http, and the issuer is https" in said
        assert server.hits == 0


def test_another_machine_has_no_say_in_what_is_asked_here(
    server: KeyServer, ca: PrivateCA, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    looked_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        is_it = host in ("id.example", b"id.example")
        return looked_up("127.0.0.1" if is_it else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    server.behave = serving(OLD)
    with KeyServer(answer(b""), ca.serving("id.example")) as remote:
        issuer = f"https://id.example:{remote.port}"
        remote.behave = answer(metadata(issuer, server.url))
        assert "of this machine" in failure(DiscoveredKeys(issuer, ssl_context=ca.file))
        assert (remote.hits, server.hits) == (1, 0)
        allowed = DiscoveredKeys(issuer, ssl_context=ca.file, allow_http=True)
        assert kids(allowed.keys()) == ["old"]


@pytest.mark.parametrize("member", ["jwks_uri", "introspection_endpoint"])
@pytest.mark.parametrize(
    "host", ["localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "127.1"]
)
def test_no_spelling_of_this_machine_is_asked(member: str, host: str) -> None:
    told = {member: f"https://{host}:8443/x"}
    with pytest.raises(FetchError, match="is of this machine"):
        named_url(member, told, "https://id.example", allow_http=False)
    url = named_url(member, told, f"https://{host}:8443", allow_http=False)
    assert url == told[member]


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCA:
    return PrivateCA(tmp_path)


def test_an_issuer_with_a_private_ca(ca: PrivateCA) -> None:
    with KeyServer(answer(b""), ca.serving("localhost")) as server:
        provides(server)
        source = DiscoveredKeys(server.origin, ssl_context=ca.file)
        assert kids(source.keys()) == ["old"]
        assert "TLS" in failure(DiscoveredKeys(server.origin))


# --- how long it is kept --------------------


@both_ways
def test_it_is_asked_once_while_it_is_fresh(
    server: KeyServer, clock: Clock, keys: Keys
) -> None:
    provides(server)
    source = DiscoveredKeys(server.origin, clock=clock)
    first = keys(source)
    clock.now += 299
    assert keys(source) is first
    assert server.hits == 2
    clock.now += 1
    assert keys(source) is first  # the same text
    assert server.paths == [OPENID, "/keys"] * 2


@pytest.mark.parametrize(
    ("headers", "document_at"),
    [
        ([("Cache-Control", "max-age=3600")], 3600),
        ([("Cache-Control", "max-age=3600"), ("Age", "3000")], 600),
        ([("Cache-Control", "public, max-age=86400")], 7200),
        ([("Cache-Control", "no-store, max-age=3600")], 300),
        ([], 300),
    ],
)
def test_the_document_has_a_lifetime_of_its_own(
    server: KeyServer, clock: Clock, headers: list[tuple[str, str]], document_at: int
) -> None:
    """Keys are refreshed every 300 seconds here; the document by its Cache-Control."""
    routes = provides(server)
    routes[OPENID] = answer(metadata(server.origin), headers=headers)
    source = DiscoveredKeys(server.origin, clock=clock, max_stale=7200)
    source.keys()
    for passed in range(300, 7500, 300):
        clock.now += 300
        source.keys()
        if server.paths.count(OPENID) == 2:
            assert passed == document_at
            return
    pytest.fail("the document is not asked for again")


@both_ways
def test_keys_that_move_are_followed(
    server: KeyServer, clock: Clock, keys: Keys
) -> None:
    routes = provides(server)
    source = DiscoveredKeys(server.origin, clock=clock)
    assert kids(keys(source)) == ["old"]
    routes[OPENID] = answer(metadata(server.origin, f"{server.origin}/v2/keys"))
    routes["/v2/keys"] = serving(NEW)
    clock.now += 299
    assert kids(keys(source)) == ["old"]
    clock.now += 1
    assert kids(keys(source)) == ["new"]


LONG = [("Cache-Control", "max-age=80000")]


@pytest.mark.parametrize("old_place", [answer(b"gone", 410), serving(OLD)])
@both_ways
def test_keys_that_have_moved_are_looked_for_when_one_is_missing(
    server: KeyServer, clock: Clock, keys: Keys, old_place: Behaviour
) -> None:
    """The document is fresh for a day; the token names a key that is elsewhere."""
    routes = provides(server)
    routes[OPENID] = answer(metadata(server.origin), headers=LONG)
    source = DiscoveredKeys(server.origin, clock=clock)
    keys(source)
    moved = metadata(server.origin, f"{server.origin}/v2/keys")
    routes |= {OPENID: answer(moved), "/v2/keys": serving(NEW), "/keys": old_place}
    server.behave = by_path(routes)
    clock.now += 10
    assert kids(keys(source, unknown_kid=True)) == ["new"]
    assert server.paths == [OPENID, "/keys", "/keys", OPENID, "/v2/keys"]


def test_keys_that_are_gone_are_looked_for(server: KeyServer, clock: Clock) -> None:
    routes = provides(server)
    routes[OPENID] = answer(metadata(server.origin), headers=LONG)
    source = DiscoveredKeys(server.origin, clock=clock)
    source.keys()
    moved = metadata(server.origin, f"{server.origin}/v2/keys")
    routes |= {OPENID: answer(moved), "/v2/keys": serving(NEW)}
    del routes["/keys"]
    server.behave = by_path(routes)
    clock.now += 300
    assert kids(source.keys()) == ["new"]


@both_ways
def test_a_rotated_key_is_fetched_when_a_token_names_it(
    server: KeyServer, clock: Clock, keys: Keys
) -> None:
    routes = provides(server)
    verifier = JWKSVerifier(DiscoveredKeys(server.origin, clock=clock))
    verifier.verify(Signer(OLD, lifetime=60).sign({"sub": "u"}))
    routes["/keys"] = serving(OLD, NEW)
    clock.now += 10
    token = Signer(NEW, lifetime=60).sign({"sub": "u"})
    assert verifier.verify(token)["sub"] == "u"
    assert server.paths == [OPENID, "/keys", "/keys"]


def test_ten_thousand_unknown_kids(server: KeyServer, clock: Clock) -> None:
    """Whatever tokens say, a cool-down has at most a fetch of each document."""
    provides(server)
    verifier = JWKSVerifier(DiscoveredKeys(server.origin, cooldown=10, clock=clock))
    verifier.verify(Signer(OLD, lifetime=60).sign({"sub": "u"}))
    stranger = Key.generate("ES256")
    for n in range(10_000):
        clock.now += 0.01
        token = Signer(stranger).sign({"sub": "u"}, headers={"kid": f"k{n}"})
        with pytest.raises(UnknownKeyError):
            verifier.verify(token)
    assert server.paths.count("/keys") <= 11
    assert server.paths.count(OPENID) <= 11


# --- a source that fails --------------------


def half(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{")


def hangs(handler: BaseHTTPRequestHandler) -> None:
    handler.server.released.wait()  # type: ignore[attr-defined]


FAILURES: dict[str, tuple[Behaviour, str]] = {
    "500": (answer(b"", 500), "status 500"),
    "half": (half, "broke off"),
    "huge": (answer(b" " * 300_000), "more than 262144 bytes"),
    "compressed": (answer(b"", headers=[("Content-Encoding", "gzip")]), "compressed"),
    "hangs": (hangs, "no answer within"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("place", [OPENID, "/keys"])
@both_ways
def test_a_failure_is_logged_once_and_the_last_good_set_kept(
    server: KeyServer,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    keys: Keys,
    name: str,
    place: str,
) -> None:
    behave, said = FAILURES[name]
    routes = provides(server)
    source = DiscoveredKeys(server.origin, clock=clock, cooldown=10)
    good = keys(source)
    routes[place] = behave
    source._fetcher.timeout = 0.3 if name == "hangs" else HANG
    clock.now += 300
    assert keys(source) is good
    assert keys(source) is good
    (line,) = caplog.messages
    assert said in line and f"{server.origin}{place}: " in line
    source._fetcher.timeout = HANG
    provides(server)["/keys"] = serving(NEW)
    clock.now += 300
    assert kids(keys(source)) == ["new"]


@both_ways
def test_it_is_due_again_after_one_cool_down(
    server: KeyServer, clock: Clock, caplog: pytest.LogCaptureFixture, keys: Keys
) -> None:
    server.behave = answer(b"", 500)
    source = DiscoveredKeys(server.origin, cooldown=10, clock=clock)
    for tries in (1, 2, 3):
        with pytest.raises(KeySourceError) as caught:
            keys(source)
        assert caught.value.retry_after == 10
        with pytest.raises(KeySourceError):
            keys(source)
        assert server.hits == tries == len(caplog.messages)
        clock.now += 10
    provides(server)
    assert kids(keys(source)) == ["old"]


@both_ways
def test_time_that_passes_during_a_fetch_does_not_double_the_cool_down(
    server: KeyServer, keys: Keys
) -> None:
    """The document is asked for a moment after the attempt at the keys began."""
    server.behave = answer(b"", 500)

    class Ticking(Clock):
        step = 0.5

        def __call__(self) -> float:
            self.now += self.step
            return self.now

    ticking = Ticking()
    source = DiscoveredKeys(server.origin, cooldown=10, clock=ticking)
    with pytest.raises(KeySourceError):
        keys(source)
    provides(server)
    ticking.step, ticking.now = 0, source._keys._shelf._tried + 10
    assert kids(keys(source)) == ["old"]


# --- what else the document says --------------------


def test_an_issuer_of_opaque_tokens_alone(server: KeyServer, clock: Clock) -> None:
    """RFC 8414 2: jwks_uri is optional, and other members are of use without it."""
    document = {
        "issuer": server.origin,
        "introspection_endpoint": "https://x.example/i",
    }
    server.behave = by_path({OAUTH: answer(json.dumps(document).encode())})
    source = DiscoveredKeys(server.origin, clock=clock)

    async def twice() -> list[Any]:
        return [await source.metadata(), await source.metadata()]

    first, second = asyncio.run(twice())
    assert first["introspection_endpoint"] == "https://x.example/i"
    assert first is second
    with pytest.raises(TypeError):
        first["issuer"] = "https://evil.example"
    assert server.paths == [OPENID, OAUTH]
    assert "no jwks_uri" in failure(source)


# --- many at a time --------------------


def test_threads_and_loops_share_one_flight(server: KeyServer) -> None:
    routes = provides(server)
    waiting = threading.Barrier(17)

    def all_are_here(handler: BaseHTTPRequestHandler) -> None:
        waiting.wait()
        answer(metadata(server.origin))(handler)

    routes[OPENID] = all_are_here
    source = DiscoveredKeys(server.origin, timeout=HANG)

    def ask(way: Keys) -> KeySet:
        return way(source)

    boarded = source._keys._board

    def board(**options: bool) -> Any:
        flight = boarded(**options)
        waiting.wait()
        return flight

    source._keys._board = board  # type: ignore[method-assign]
    ways: list[Keys] = [in_a_thread, on_a_loop] * 8
    with ThreadPoolExecutor(len(ways)) as threads:
        results = list(threads.map(ask, ways))
    assert server.paths == [OPENID, "/keys"]
    assert all(keys is results[0] for keys in results)


def test_a_discovery_does_not_block_the_loop(server: KeyServer) -> None:
    routes = provides(server)
    arrived, told = threading.Event(), threading.Event()

    def until_told(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        told.wait()
        answer(metadata(server.origin))(handler)

    routes[OPENID] = until_told
    source = DiscoveredKeys(server.origin, timeout=HANG)

    async def others_go_on() -> KeySet:
        first = asyncio.create_task(source.akeys())
        second = asyncio.create_task(source.akeys())
        document = asyncio.create_task(source.metadata())
        await until(arrived.is_set)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not (first.done() or second.done() or document.done())
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        told.set()
        assert (await document)["issuer"] == server.origin
        return await second

    assert kids(asyncio.run(others_go_on())) == ["old"]
    assert server.paths == [OPENID, "/keys"]


# --- what may be configured --------------------


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        ("http://keycloak:8080/realms/x", "allow_http=True"),
        ("keycloak:8080/realms/x", "absolute URL"),
        ("accounts.google.com", "absolute URL"),
        ("https://u:a-secret@a.example", "no user or password"),
        ("https://a.example/?tenant=a-secret", "no query"),
        ("https://a.example/#a-secret", "no query"),
        ("https://a.example/x" + OPENID, "set it to https://a.example/x"),
        ("https://a.example" + OAUTH + "/x", "set it to https://a.example/x"),
        ("", "absolute URL"),
        (None, "absolute URL"),
    ],
)
def test_what_is_no_issuer_is_said_at_the_start(issuer: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match="the issuer") as caught:
        DiscoveredKeys(issuer)
    assert said in str(caught.value)
    assert "a-secret" not in str(caught.value)


def test_http_within_a_cluster_may_be_allowed() -> None:
    source = DiscoveredKeys("http://keycloak.invalid:8080/realms/x", allow_http=True)
    assert "not resolved" in failure(source)


@pytest.mark.parametrize("name", ["lifetime", "max_stale", "cooldown", "timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_numbers_that_make_no_sense(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError):
        DiscoveredKeys("https://id.example", **{name: value})


def test_what_is_shown_of_a_source(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "fastbearer")
    server.behave = answer(b"", 500)
    source = DiscoveredKeys(server.origin, headers={"X-API-Key": "a-secret"})
    said = failure(source)
    assert repr(source) == f"DiscoveredKeys('{server.origin}')"
    assert "a-secret" not in f"{said} {caplog.messages}"
