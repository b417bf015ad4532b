"""Keys from a URL, fetched from a real server that misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from fastbearer import (
    ConfigurationError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidSignatureError,
    Key,
    KeySet,
    KeySourceError,
    MalformedTokenError,
    Signer,
    UnknownKeyError,
)
from fastbearer.jwks import JWKSClient, JWKSVerifier
from fastbearer.jwks.key_documents import LeftOut, read_keys
from fastbearer.jwks.shelf import freshness
from key_server import Behaviour, KeyServer, answer, jwks_text, serving
from waiting import HANG, until

pytestmark = pytest.mark.http

OLD = Key.generate("ES256", kid="old")
NEW = Key.generate("EdDSA", kid="new")
SHARED = Key.generate("HS256", kid="shared")


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source() -> Iterator[KeyServer]:
    with KeyServer(serving(OLD)) as server:
        yield server


def in_a_thread(client: JWKSClient, **options: bool) -> KeySet:
    return client.keys(**options)


def on_a_loop(client: JWKSClient, **options: bool) -> KeySet:
    return asyncio.run(client.akeys(**options))


def verify_in_a_thread(verifier: JWKSVerifier, token: str) -> dict[str, Any]:
    return verifier.verify(token)


def verify_on_a_loop(verifier: JWKSVerifier, token: str) -> dict[str, Any]:
    return asyncio.run(verifier.averify(token))


Keys = Callable[..., KeySet]
Verify = Callable[[JWKSVerifier, str], dict[str, Any]]
both_ways = pytest.mark.parametrize("keys", [in_a_thread, on_a_loop])
verify_both_ways = pytest.mark.parametrize(
    "verify", [verify_in_a_thread, verify_on_a_loop]
)


def signed(key: Key, **claims: Any) -> str:
    return Signer(key, lifetime=600).sign({"sub": "u1", **claims})


def kids(keys: KeySet) -> list[str | None]:
    return [key.kid for key in keys]


# --- what is fetched, and when ----------------------------------------------------


@both_ways
def test_it_is_fetched_once_while_it_is_fresh(
    source: KeyServer, clock: Clock, keys: Keys
) -> None:
    client = JWKSClient(source.url, lifetime=300, clock=clock)
    assert source.hits == 0
    assert kids(keys(client)) == ["old"]
    clock.now += 299
    assert keys(client) is keys(client)
    assert source.hits == 1
    clock.now += 1
    source.behave = serving(NEW)
    assert kids(keys(client)) == ["new"]
    assert source.hits == 2
    assert source.paths == ["/api/auth/jwks"] * 2


@both_ways
def test_the_same_text_keeps_its_keys(
    source: KeyServer, clock: Clock, keys: Keys
) -> None:
    client = JWKSClient(source.url, clock=clock)
    first = keys(client)
    clock.now += 400
    assert keys(client) is first
    assert source.hits == 2


@pytest.mark.parametrize(
    ("headers", "fresh"),
    [
        ({}, 300),
        ({"Cache_Control": "max-age=60"}, 60),
        ({"Cache_Control": "public, MAX-AGE=60, immutable"}, 60),
        ({"Cache_Control": 'private,max-age="60"'}, 60),
        ({"Cache_Control": "max-age=60", "Age": "45"}, 15),
        ({"Cache_Control": "max-age=60", "Age": "600"}, 10),
        ({"Cache_Control": "max-age=60", "Age": "-5"}, 60),
        ({"Cache_Control": "max-age=60", "Age": "soon"}, 60),
        ({"Cache_Control": "s-maxage=60"}, 300),
        ({"Cache_Control": "max-age=0"}, 10),
        ({"Cache_Control": "no-cache"}, 10),
        ({"Cache_Control": "no-store, max-age=60"}, 10),
        ({"Cache_Control": "max-age=999999999"}, 1000),
        ({"Cache_Control": "max-age=" + "9" * 5000}, 300),
        ({"Cache_Control": "max-age=-1"}, 300),
        ({"Cache_Control": "x" * 5000}, 300),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_cache_control(
    source: KeyServer, clock: Clock, headers: dict[str, str], fresh: float
) -> None:
    """It is obeyed, but never under the cool-down or over the greatest age."""
    source.behave = serving(OLD, **headers)
    client = JWKSClient(source.url, cooldown=10, max_stale=1000, clock=clock)
    client.keys()
    clock.now += fresh - 1
    client.keys()
    assert source.hits == 1
    clock.now += 1
    client.keys()
    assert source.hits == 2


@verify_both_ways
def test_a_rotated_key_is_fetched_when_a_token_names_it(
    source: KeyServer, clock: Clock, verify: Verify
) -> None:
    client = JWKSClient(source.url, cooldown=10, clock=clock)
    verifier = JWKSVerifier(client)
    assert verify(verifier, signed(OLD))["sub"] == "u1"
    source.behave = serving(NEW, OLD)
    clock.now += 10
    assert verify(verifier, signed(NEW))["sub"] == "u1"
    assert verify(verifier, signed(OLD))["sub"] == "u1"
    assert source.hits == 2


@verify_both_ways
def test_a_key_that_is_no_longer_served_is_no_longer_accepted(
    source: KeyServer, clock: Clock, verify: Verify
) -> None:
    verifier = JWKSVerifier(JWKSClient(source.url, clock=clock), cache=10)
    verify(verifier, signed(OLD))
    token = signed(OLD)
    verify(verifier, token)
    source.behave = serving(NEW)
    clock.now += 300
    with pytest.raises(InvalidAlgorithmError):
        verify(verifier, token)


def garbage() -> Iterator[tuple[str, type[Exception]]]:
    """Yield tokens that no fetch could help, and how they are refused."""
    stranger = Key.generate("ES256", kid="old")
    yield "x.y.z", MalformedTokenError
    yield signed(stranger), InvalidSignatureError
    yield signed(Key.generate("ES256")), InvalidSignatureError
    yield signed(SHARED), InvalidAlgorithmError
    yield signed(OLD, aud="elsewhere"), InvalidAudienceError


@verify_both_ways
def test_garbage_does_not_fetch(
    source: KeyServer, clock: Clock, verify: Verify
) -> None:
    verifier = JWKSVerifier(JWKSClient(source.url, cooldown=10, clock=clock))
    verify(verifier, signed(OLD))
    clock.now += 20
    for token, error in garbage():
        with pytest.raises(error):
            verify(verifier, token)
    assert source.hits == 1


@verify_both_ways
def test_unknown_kids_fetch_once_in_a_cool_down(
    source: KeyServer, clock: Clock, verify: Verify
) -> None:
    verifier = JWKSVerifier(JWKSClient(source.url, cooldown=10, clock=clock))
    verify(verifier, signed(OLD))
    for n in range(30):
        clock.now += 1
        with pytest.raises(UnknownKeyError):
            verify(verifier, signed(Key.generate("ES256", kid=f"k{n}")))
    assert source.hits == 1 + 3
    with pytest.raises(InvalidAlgorithmError):
        verify(verifier, signed(Key.generate("EdDSA", kid="k")))
    assert source.hits == 4


@verify_both_ways
def test_the_options_are_those_of_a_verifier(source: KeyServer, verify: Verify) -> None:
    verifier = JWKSVerifier(source.url, issuer="i", audience="a", require=("sub",))
    assert verify(verifier, Signer(OLD).sign({"sub": "1", "iss": "i", "aud": "a"}))
    with pytest.raises(InvalidAudienceError):
        verify(verifier, Signer(OLD).sign({"sub": "1", "iss": "i", "aud": "b"}))
    with pytest.raises(TypeError):
        JWKSVerifier(source.url, unknown=1)
    with pytest.raises(ConfigurationError):
        JWKSVerifier(source.url, leeway=-1)


def test_what_a_fetched_set_may_hold(source: KeyServer) -> None:
    """Private and symmetric keys, other kinds and broken entries are left out."""
    entries = [
        SHARED.to_jwk(private=True),
        NEW.to_jwk(private=True),
        {"kty": "unheard-of", "kid": "x"},
        {"kty": "EC", "crv": "P-256", "kid": "broken"},
        "nonsense",
        OLD.public().to_jwk(),
        OLD.public().to_jwk() | {"use": "enc", "kid": "for encryption"},
        Key.generate("ES256", kid="old").public().to_jwk(),
    ]
    source.behave = answer(json.dumps({"keys": entries}).encode())
    keys = JWKSClient(source.url).keys()
    assert kids(keys) == ["old", "old"]
    assert JWKSVerifier(source.url).verify(signed(OLD))
    with pytest.raises(InvalidAlgorithmError):
        JWKSVerifier(source.url).verify(signed(SHARED))


# --- a source that fails --------------------


def truncated(handler: BaseHTTPRequestHandler) -> None:
    body = jwks_text(OLD)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def truncated_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"5\r\n{'ke")


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:  # until the client has had enough
        handler.wfile.write(b" " * 10_000)


def waits(handler: BaseHTTPRequestHandler) -> None:
    handler.server.released.wait()  # type: ignore[attr-defined]


def drips_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.server.released.wait(0.02):  # type: ignore[attr-defined]
        handler.wfile.write(b"x")


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.released.wait(0.02):  # type: ignore[attr-defined]
        handler.wfile.write(b" ")


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def speaks_otherwise(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def huge_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000)


DEEP = b'{"keys":' + b"[" * 100_000
REDIRECT = [("Location", "/elsewhere")]
BOMB = gzip.compress(b" " * 5_000_000)

FAILURES: dict[str, Behaviour] = {
    "500": answer(b"oops", 500),
    "503": answer(jwks_text(OLD), 503),
    "404": answer(b"{}", 404),
    "204": answer(b"", 204),
    "206": answer(jwks_text(OLD), 206),
    "301": answer(jwks_text(OLD), 301, REDIRECT),
    "302": answer(jwks_text(OLD), 302, REDIRECT),
    "307": answer(b"", 307, [("Location", "http://169.254.169.254/")]),
    "truncated": truncated,
    "truncated chunks": truncated_chunks,
    "endless": endless,
    "too large": answer(jwks_text(OLD) + b" " * 300_000),
    "compressed": answer(BOMB, headers=[("Content-Encoding", "gzip")]),
    "waits": waits,
    "drips headers": drips_headers,
    "drips": drips,
    "hangs up": hangs_up,
    "speaks otherwise": speaks_otherwise,
    "huge headers": huge_headers,
    "empty": answer(b""),
    "not JSON": answer(b"<html>please sign in</html>"),
    "not UTF-8": answer(b"\xff\xfe{}"),
    "deep": answer(DEEP),
    "a list": answer(b"[]"),
    "no keys": answer(b"{}"),
    "empty keys": answer(b'{"keys": []}'),
    "keys of another type": answer(b'{"keys": {"a": 1}}'),
    "keys twice": answer(b'{"keys": [], "keys": []}'),
    "secrets only": answer(json.dumps({"keys": [SHARED.to_jwk(True)]}).encode()),
    "private only": answer(json.dumps({"keys": [OLD.to_jwk(True)]}).encode()),
}
HANGING = {"waits", "drips headers", "drips"}


def give_time(client: JWKSClient, seconds: float) -> None:
    client._reader._fetcher.timeout = client._kept.limit = seconds


def patiences(failure: str) -> Iterator[float]:
    """Yield the time that a client has: ever more, until the source has heard it."""
    seconds = 0.4 if failure in HANGING else HANG
    while seconds <= HANG:
        yield seconds
        seconds *= 2


every_failure = pytest.mark.parametrize("failure", FAILURES)


@both_ways
@every_failure
def test_without_keys_it_is_the_source_that_failed(
    source: KeyServer, clock: Clock, keys: Keys, failure: str
) -> None:
    source.behave = FAILURES[failure]
    for patience in patiences(failure):
        client = JWKSClient(source.url, timeout=patience, cooldown=10, clock=clock)
        with pytest.raises(KeySourceError, match="no keys") as caught:
            keys(client)
        if source.hits:
            break
    assert caught.value.retry_after == 10
    assert "fetched" not in str(caught.value)
    clock.now += 4
    with pytest.raises(KeySourceError) as caught:
        keys(client)
    assert caught.value.retry_after == 6
    assert source.hits == 1
    clock.now += 6
    source.behave = serving(OLD)
    give_time(client, HANG)
    assert kids(keys(client)) == ["old"]


@both_ways
@every_failure
def test_the_last_good_set_is_kept(
    source: KeyServer, clock: Clock, keys: Keys, failure: str
) -> None:
    for patience in patiences(failure):
        source.behave, source.hits = serving(OLD), 0
        client = JWKSClient(
            source.url,
            lifetime=50,
            timeout=HANG,
            cooldown=10,
            max_stale=100,
            clock=clock,
        )
        good = keys(client)
        source.behave = FAILURES[failure]
        give_time(client, patience)
        clock.now += 50
        assert keys(client) is good
        if source.hits == 2:
            break
    assert keys(client) is good
    assert source.hits == 2
    clock.now += 49
    assert keys(client) is good
    clock.now += 1
    with pytest.raises(KeySourceError):
        keys(client)
    clock.now += 10
    source.behave = serving(NEW)
    give_time(client, HANG)
    assert kids(keys(client)) == ["new"]


def test_nobody_listens(clock: Clock) -> None:
    with KeyServer(serving(OLD)) as server:
        url = server.url
    with pytest.raises(KeySourceError, match="connection refused"):
        JWKSClient(url, clock=clock).keys()


@verify_both_ways
def test_an_unknown_kid_is_no_verdict_while_the_source_fails(
    source: KeyServer, clock: Clock, verify: Verify
) -> None:
    verifier = JWKSVerifier(JWKSClient(source.url, cooldown=10, clock=clock))
    verify(verifier, signed(OLD))
    clock.now += 10
    source.behave = FAILURES["500"]
    with pytest.raises(KeySourceError):
        verify(verifier, signed(NEW))
    assert verify(verifier, signed(OLD))["sub"] == "u1"


def test_failures_are_logged_once_each(
    source: KeyServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    source.behave = FAILURES["500"]
    client = JWKSClient(source.url, clock=clock)
    for _ in range(3):
        with pytest.raises(KeySourceError):
            client.keys()
    assert caplog.messages == [f"keys not fetched from {source.url}: status 500"]


# --- many at a time --------------------


def slowly(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.1)
    serving(OLD)(handler)


def test_threads_and_loops_share_one_flight(source: KeyServer) -> None:
    source.behave = slowly
    client = JWKSClient(source.url)
    ways = [in_a_thread, on_a_loop] * 8
    with ThreadPoolExecutor(len(ways)) as threads:
        results = list(threads.map(lambda way: way(client), ways))
    assert source.hits == 1
    assert all(keys is results[0] for keys in results)


def test_many_tasks_share_one_flight(source: KeyServer) -> None:
    source.behave = slowly
    verifier = JWKSVerifier(source.url)
    token = signed(OLD)

    async def all_at_once() -> list[dict[str, Any]]:
        return await asyncio.gather(*(verifier.averify(token) for _ in range(100)))

    assert len(asyncio.run(all_at_once())) == 100
    assert source.hits == 1


def test_a_fetch_does_not_block_the_loop(source: KeyServer) -> None:
    arrived = threading.Event()

    def until_told(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        source.released.wait()
        serving(OLD)(handler)

    source.behave = until_told

    async def others_go_on() -> KeySet:
        client = JWKSClient(source.url, timeout=HANG)
        fetching = asyncio.create_task(client.akeys())
        await until(arrived.is_set)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not fetching.done()
        source.released.set()
        return await fetching

    assert kids(asyncio.run(others_go_on())) == ["old"]


def test_a_set_is_read_in_a_thread(
    source: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of keys take a while to check; no request waits for them."""
    readers = []

    def noted(body: bytes) -> tuple[KeySet, list[LeftOut]]:
        readers.append(threading.get_ident())
        return read_keys(body)

    async def loop_and_keys() -> tuple[int, KeySet]:
        return threading.get_ident(), await JWKSClient(source.url).akeys()

    monkeypatch.setattr("fastbearer.jwks.client.read_keys", noted)
    loop, keys = asyncio.run(loop_and_keys())
    assert kids(keys) == ["old"]
    assert len(readers) == 1
    assert loop not in readers


@pytest.mark.parametrize("on_loop", [False, True])
def test_a_set_is_read_within_the_time_out(
    source: KeyServer, monkeypatch: pytest.MonkeyPatch, *, on_loop: bool
) -> None:
    client = JWKSClient(source.url, timeout=0.4)
    told = threading.Event()

    def until_told(_: bytes) -> tuple[KeySet, list[LeftOut]]:
        told.wait(20)  # so that a loop that waits here fails, and does not hang
        return KeySet([OLD]), []

    async def give_up() -> None:
        try:
            await client.akeys()
        finally:
            told.set()

    monkeypatch.setattr("fastbearer.jwks.client.read_keys", until_told)
    try:
        with pytest.raises(KeySourceError, match=r"within 0\.4 seconds"):
            asyncio.run(give_up()) if on_loop else client.keys()
    finally:
        told.set()


def test_a_cancelled_caller_leaves_the_flight_to_the_others(source: KeyServer) -> None:
    arrived = threading.Event()

    def until_told(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        source.released.wait()
        serving(OLD)(handler)

    source.behave = until_told
    client = JWKSClient(source.url, timeout=HANG)

    async def first_is_cancelled() -> KeySet:
        first = asyncio.create_task(client.akeys())
        await until(arrived.is_set)
        second = asyncio.create_task(client.akeys())
        await asyncio.sleep(0)  # now it waits for the same flight
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        source.released.set()
        return await second

    assert kids(asyncio.run(first_is_cancelled())) == ["old"]
    assert source.hits == 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_loop_that_ends_leaves_nothing_behind(source: KeyServer, loop: str) -> None:
    """A server's shutdown waits for no fetch, and the fetch is not lost to others."""
    uvloop = pytest.importorskip("uvloop") if loop == "uvloop" else None
    arrived = threading.Event()

    def until_told(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        source.released.wait()
        serving(OLD)(handler)

    source.behave = until_told
    client = JWKSClient(source.url, timeout=HANG)

    async def stop_amid_a_fetch() -> None:
        fetching = asyncio.create_task(client.akeys())
        await until(arrived.is_set)
        assert asyncio.all_tasks() == {asyncio.current_task(), fetching}

    factory = uvloop.new_event_loop if uvloop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(stop_amid_a_fetch())
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(client.keys)
        source.released.set()
        assert kids(waiting.result()) == ["old"]
    assert source.hits == 1


def test_a_usable_set_serves_while_a_newer_is_fetched(
    source: KeyServer, clock: Clock
) -> None:
    client = JWKSClient(source.url, clock=clock)
    good = client.keys()
    clock.now += 300
    arrived = threading.Event()

    def until_told(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        source.released.wait()
        serving(NEW)(handler)

    source.behave = until_told
    with ThreadPoolExecutor(1) as other:
        fetching = other.submit(client.keys)
        arrived.wait()
        assert client.keys() is good
        assert asyncio.run(client.akeys()) is good
        source.released.set()
        assert kids(fetching.result()) == ["new"]
    assert source.hits == 2


# --- what may be asked --------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/jwks",
        "http://127.0.0.1.example/jwks",
        "http://localhost.example/jwks",
        "http://10.0.0.1/jwks",
        "ftp://keys.example/jwks",
        "file:///etc/passwd",
        "data:application/json,{}",
        "https:///jwks",
        "https://user:a-password@keys.example/jwks",
        "https://user@keys.example/jwks",
        "https://keys.example:99999/jwks",
        "https://keys.example/a b",
        "https://keys.example/\n",
        "https://käys.example/",
        "https://[::/",
        "",
        None,
    ],
)
def test_urls_that_are_not_fetched(url: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        JWKSClient(url)
    assert "JWKS URL" in str(caught.value)
    assert "a-password" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("https://keys.example/jwks", "HTTPS://keys.example", "http://localhost/k"),
        *("http://127.0.0.1:1/", "http://127.9.9.9/k", "http://[::1]:8000/jwks"),
    ],
)
def test_urls_that_are_fetched(url: str) -> None:
    assert JWKSClient(url).url == url


def test_a_query_is_not_shown(
    source: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Some services want a key in it; httpx2's own log would have it too."""
    caplog.set_level(logging.DEBUG)
    source.behave = FAILURES["500"]
    client = JWKSClient(f"{source.url}?key=a-password#a-password")
    with pytest.raises(KeySourceError) as caught:
        client.keys()
    assert f"keys not fetched from {source.url}: status 500" in caplog.messages
    assert "127.0.0.1" in caplog.text  # it is not that nothing was caught
    assert "a-password" not in f"{client!r} {caught.value} {caplog.messages}"


@pytest.mark.parametrize("name", ["lifetime", "max_stale", "cooldown", "timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_numbers_that_make_no_sense(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError):
        JWKSClient("https://keys.example", **{name: value})


def test_an_untrusted_certificate_is_not_accepted(
    source: KeyServer, tls_source: str
) -> None:
    with pytest.raises(KeySourceError, match="self-signed certificate"):
        JWKSClient(tls_source).keys()


@pytest.fixture
def tls_source() -> Iterator[str]:
    """A server whose certificate nobody has signed but itself."""
    import ssl
    import tempfile
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(certificate.public_bytes(serialization.Encoding.PEM))
        pem.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        pem.flush()
        context.load_cert_chain(pem.name)
    with KeyServer(serving(OLD)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield server.url.replace("http://127.0.0.1", "https://localhost")


def test_what_is_older_than_its_age_is_not_fresh() -> None:
    for age in (59, 60, 61, 600):
        told = {"Cache-Control": "max-age=60", "Age": str(age)}
        assert freshness(told) == max(60 - age, 0)
