"""An HTTP server of key sets that misbehaves as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from fastbearer import Key

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def jwks_text(*keys: Key, **members: Any) -> bytes:
    entries = [key.public().to_jwk() for key in keys]
    return json.dumps({"keys": entries, **members}).encode()


def answer(
    body: bytes, status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> Behaviour:
    """Return what answers so, with the length of the body."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (("Content-Length", str(len(body))), *headers):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def serving(*keys: Key, **headers: str) -> Behaviour:
    """Return what serves the keys; ``Cache_Control="..."`` names a header."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return answer(jwks_text(*keys), headers=named)


def by_path(routes: Mapping[str, Behaviour]) -> Behaviour:
    """Return what behaves as the path says, and has nothing elsewhere."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        routes.get(handler.path, answer(b"not here", 404))(handler)

    return behave


def metadata(issuer: str, jwks_uri: str | None = None, **members: Any) -> bytes:
    """Return a discovery document; its keys are at ``/keys`` unless it says so."""
    url = jwks_uri or f"{issuer.rstrip('/')}/keys"
    return json.dumps({"issuer": issuer, "jwks_uri": url, **members}).encode()


class Request(NamedTuple):
    """What came; names of headers in any case."""

    method: str
    headers: Message
    body: bytes


class KeyServer(ThreadingHTTPServer):
    """Behaves as ``behave`` says, which may be changed at any time.

    Attributes:
        hits: How many requests have come.
        paths: Their paths, with queries.
        requests: The requests: method, headers and body.
        released: Set at the end, for behaviours that wait.
    """

    daemon_threads = True

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.hits = 0
        self.paths: list[str] = []
        self.requests: list[Request] = []
        self.released = threading.Event()
        self._scheme = "http" if tls is None else "https"
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls is not None:
            # The handshake is the handler's: a client that refuses it must not stop
            # the server.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def origin(self) -> str:
        host = "127.0.0.1" if self._scheme == "http" else "localhost"
        return f"{self._scheme}://{host}:{self.port}"

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"{self.origin}/api/auth/jwks"

    def __enter__(self) -> KeyServer:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.released.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where a client has gone: some are meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: KeyServer

    def do_GET(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.hits += 1
        self.server.paths.append(self.path)
        self.server.requests.append(Request(self.command, self.headers, body))
        self.server.behave(self)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
