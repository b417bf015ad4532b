"""One bounded request: where it goes, what it sends, and why it has no answer."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fastbearer import ConfigurationError, __version__
from fastbearer.jwks.fetch import Fetcher, FetchError, Response
from fastbearer.jwks.request_parts import made_once
from key_server import KeyServer, answer
from private_ca import PrivateCA
from waiting import HANG

pytestmark = pytest.mark.http

SECRET = "a-secret-of-the-gateway"
OK = answer(b"{}")


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer(OK) as server:
        yield server


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCA:
    return PrivateCA(tmp_path)


def get(url: str, *, trusted: bool = True, **options: Any) -> Response:
    return asyncio.run(Fetcher(**options).get(url, trusted=trusted))


def reason(url: str, **options: Any) -> str:
    with pytest.raises(FetchError) as caught:
        get(url, **options).check()
    text = str(caught.value)
    assert "\n" not in text and SECRET not in text
    assert caught.value.__cause__ is None
    return text


# --- what is sent --------------------


def test_the_user_agent_is_our_own(server: KeyServer) -> None:
    get(server.url)
    (request,) = server.requests
    assert request.method == "GET"
    assert request.headers["User-Agent"] == f"fastbearer/{__version__}"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "identity"


def test_a_gateway_wants_a_header(server: KeyServer) -> None:
    headers = {"X-API-Key": SECRET, "user-agent": "Mozilla/5.0", "Host": "id.example"}
    get(server.url, headers=headers)
    sent = server.requests[0].headers
    assert sent["X-API-Key"] == SECRET
    assert sent.get_all("User-Agent") == ["Mozilla/5.0"]
    assert sent.get_all("Host") == ["id.example"]


def test_another_server_sees_no_header_of_the_gateway(server: KeyServer) -> None:
    headers = {"Authorization": SECRET, "User-Agent": "Mozilla/5.0"}
    get(server.url, trusted=False, headers=headers)
    sent = server.requests[0].headers
    assert "Authorization" not in sent
    assert sent["User-Agent"] == "Mozilla/5.0"


def test_a_form_is_posted(server: KeyServer) -> None:
    fetcher = Fetcher(headers={"X-API-Key": "k", "accept": "application/jwt"})
    form = {"token": "a b&c=d\u00e4", "token_type_hint": "access_token"}
    asyncio.run(fetcher.post(server.url, form, headers={"authorization": "Basic YQ=="}))
    (request,) = server.requests
    assert request.method == "POST"
    assert request.body == b"token=a+b%26c%3Dd%C3%A4&token_type_hint=access_token"
    kind = "application/x-www-form-urlencoded"
    assert request.headers.get_all("Content-Type") == [kind]
    assert request.headers.get_all("Accept") == ["application/jwt"]
    assert request.headers["Authorization"] == "Basic YQ=="
    assert request.headers["X-API-Key"] == "k"


@pytest.mark.parametrize(
    "headers",
    [
        {"X": f"{SECRET}\r\nY: 1"},
        {"X": f" {SECRET}"},
        {"X": f"{SECRET}\n"},
        {"X": f"{SECRET}\0"},
        {"X": f"\u00e4{SECRET}"},
        {"X": ""},
        {"X": 7},
        {"X": None},
        {"X": [SECRET]},
        {7: SECRET},
        {"X Y": SECRET},
        {"X:": SECRET},
        {"": SECRET},
        {"Content-Length": SECRET},
        {"transfer-encoding": SECRET},
        {"Accept-Encoding": "gzip"},
        [("X", SECRET)],
        SECRET,
    ],
    ids=ascii,
)
def test_headers_that_are_not_sent(headers: Any) -> None:
    with pytest.raises(ConfigurationError, match="headers") as caught:
        Fetcher(headers=headers)
    assert SECRET not in str(caught.value)


def test_what_is_sent_is_not_shown(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by us nor by the HTTP client, whose log has whole URLs."""
    caplog.set_level(logging.DEBUG)
    fetcher = Fetcher(headers={"X-API-Key": SECRET})
    url = f"{server.url}?key={SECRET}"

    async def both() -> None:
        await fetcher.get(url)
        await fetcher.post(url, {"token": SECRET}, headers={"Authorization": SECRET})

    asyncio.run(both())
    assert server.hits == 2
    assert SECRET not in f"{fetcher!r} {fetcher} {caplog.text}"


def test_the_http_clients_log_of_others_is_left_alone(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def ours_and_theirs() -> None:
        async with httpx2.AsyncClient() as http:
            await Fetcher().get(f"{server.url}?ours")
            await http.get(f"{server.url}?theirs")

    asyncio.run(ours_and_theirs())
    assert "?theirs" in caplog.text and "?ours" not in caplog.text


@pytest.mark.parametrize("name", ["timeout", "max_bytes"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_numbers_that_make_no_sense(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match="positive"):
        Fetcher(**{name: value})


# --- where it goes --------------------


@pytest.mark.parametrize(
    "url",
    [
        *("http://keycloak:8080/realms/x", "http://10.0.0.1/", "ftp://a.example", ""),
        *("http://localhost.example/", "http://notlocalhost/", "https://u:p@a.example"),
    ],
)
def test_http_to_another_machine_is_not_sent(url: str) -> None:
    assert reason(url).startswith("the URL ")


def test_http_to_another_machine_may_be_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://keycloak.invalid:{port}/realms/x"
    assert "must be https" in reason(url)
    assert "allow_http=True" in reason(url)
    assert "not resolved" in reason(url, allow_http=True)


@pytest.mark.parametrize("host", ["localhost", "web.localhost", "A.b.Localhost."])
def test_names_below_localhost_are_this_machine(server: KeyServer, host: str) -> None:
    """RFC 6761 6.3: whatever a resolver of the network may say of them."""
    get(f"http://{host}:{server.port}/Path?a=B")
    assert server.paths == ["/Path?a=B"]
    assert server.requests[0].headers.get_all("Host") == [f"{host}:{server.port}"]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KeyServer(answer(b"", 418)) as proxy:
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        get(server.url)
        get(f"http://web.localhost:{server.port}/")
        assert proxy.hits == 0
        assert get("http://keycloak.invalid/", allow_http=True).status == 418
        assert proxy.hits == 1


@pytest.mark.parametrize(
    "proxy", ["nonsense://a-secret@proxy.example", "http://u:a-secret@[", "a b"]
)
def test_a_proxy_that_cannot_be_used_is_said(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    said = reason("https://id.invalid/")
    assert "proxy of the environment" in said
    assert "a-secret" not in said


def test_a_proxy_that_refuses_is_said(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behave = answer(b"", 407)
    monkeypatch.setenv("HTTPS_PROXY", server.origin)
    said = "the connection is refused (through the proxy of the environment)"
    assert reason("https://id.invalid/") == said
    monkeypatch.setenv("NO_PROXY", "id.invalid")
    assert "proxy" not in reason("https://id.invalid/")
    assert "not resolved" in reason("https://id.invalid/")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://b.example/jwks?key=a-secret", " to https://b.example/jwks"),
        ("https://u:a-secret@b.example/jwks", " to https://b.example/jwks"),
        ("/elsewhere", ""),
        ("http://b.example/" + "x" * 300, ""),
    ],
)
def test_a_redirect_is_not_followed(
    server: KeyServer, location: str, said: str
) -> None:
    server.behave = answer(b"", 302, [("Location", location)])
    assert reason(server.url) == f"status 302: a redirect{said}, which is not followed"
    assert server.hits == 1


# --- why there is no answer --------------------


def drops(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def speaks_otherwise(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-a-secret-of-the-gateway\r\n\r\n")


def truncated(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.server.released.wait()  # type: ignore[attr-defined]


NOT_HTTP = "what answers is not HTTP, or broke off"


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (answer(b"", 500), "status 500"),
        (answer(b"", 204), "status 204"),
        (
            answer(b"", 403),
            "status 403: the server may want credentials, which headers=... can send",
        ),
        (answer(b"{}", headers=[("Content-Encoding", "br")]), "a compressed answer"),
        (answer(b" " * 2000), "more than 1000 bytes"),
        (drops, NOT_HTTP),
        (speaks_otherwise, NOT_HTTP),
        (truncated, NOT_HTTP),
    ],
)
def test_the_reason_is_said_in_a_line(
    server: KeyServer, behave: Callable[[BaseHTTPRequestHandler], None], said: str
) -> None:
    server.behave = behave
    assert reason(server.url, max_bytes=1000, timeout=HANG) == said


@pytest.mark.parametrize("other", [TimeoutError(), OSError(28, "a-secret")])
def test_an_error_that_is_being_handled_is_not_the_reason(
    server: KeyServer, other: Exception
) -> None:
    """As where a token is asked about after another way has failed."""
    server.behave = drops
    try:
        raise other
    except OSError:
        assert reason(server.url) == NOT_HTTP


def test_a_server_that_says_nothing(server: KeyServer) -> None:
    server.behave = silent
    assert reason(server.url, timeout=0.2) == "no answer within 0.2 seconds"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for host in ("127.0.0.1", "localhost", "web.localhost"):
        assert reason(f"http://{host}:{port}/") == "connection refused"


def test_a_name_that_does_not_exist() -> None:
    said = reason("https://keys.invalid/jwks")
    assert said.startswith("the name of the host is not resolved: ")


def test_https_to_a_server_that_speaks_http(server: KeyServer) -> None:
    url = server.url.replace("http:", "https:")
    assert reason(url, timeout=HANG).startswith("TLS: ")


# --- certificates --------------------


def test_a_private_ca_is_trusted_when_it_is_given(ca: PrivateCA) -> None:
    with KeyServer(OK, ca.serving("localhost")) as server:
        assert get(server.url, ssl_context=ca.trusting()).status == 200
        assert get(server.url, ssl_context=ca.file).status == 200
        assert get(server.url, ssl_context=str(ca.file)).status == 200
        said = reason(server.url)
    assert said.startswith("TLS: the certificate is not accepted: ")
    assert "ssl_context=..." in said


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [
        ("localhost", (-9, -1), "certificate has expired"),
        ("localhost", (1, 9), "certificate is not yet valid"),
        ("elsewhere.example", (-1, 1), "Hostname mismatch"),
    ],
)
def test_a_certificate_that_is_not_accepted_is_said(
    ca: PrivateCA, name: str, days: tuple[int, int], said: str
) -> None:
    with KeyServer(OK, ca.serving(name, days=days)) as server:
        assert said in reason(server.url, ssl_context=ca.file)
        assert server.hits == 0


def test_a_name_below_localhost_has_its_own_certificate(
    ca: PrivateCA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over https it is looked up as others are: a network may have such names."""
    looked_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        is_it = host in ("web.localhost", b"web.localhost")
        return looked_up("127.0.0.1" if is_it else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with KeyServer(OK, ca.serving("web.localhost")) as server:
        url = server.url.replace("localhost", "web.localhost")
        assert get(url, ssl_context=ca.file).status == 200


@pytest.mark.parametrize("given", ["/no/such/file", __file__, 7, "", "a\0b", {}])
def test_what_is_no_file_of_certificates(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="ssl_context"):
        Fetcher(ssl_context=given)


def test_certificates_of_the_environment(
    ca: PrivateCA, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_once.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        Fetcher()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    with KeyServer(OK, ca.serving("localhost")) as server:
        assert get(server.url).status == 200
    monkeypatch.undo()
    made_once.cache_clear()


def test_a_context_that_verifies_nothing_is_no_better_than_http() -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with pytest.raises(ConfigurationError, match="allow_http"):
        Fetcher(ssl_context=careless)
    Fetcher(ssl_context=careless, allow_http=True)
    with pytest.raises(ConfigurationError, match="servers"):
        Fetcher(ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


# --- around it --------------------


def test_a_cancelled_request_is_gone(server: KeyServer) -> None:
    server.behave = silent

    async def cancelled() -> None:
        async def fetch() -> Response:
            return await Fetcher(timeout=HANG).get(server.url)

        fetching: asyncio.Task[Response] = asyncio.create_task(fetch())
        while not server.hits:
            await asyncio.sleep(0.002)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(cancelled())
