"""An HTTP server of key sets that misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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


class KeyServer(ThreadingHTTPServer):
    """Behaves as ``behave`` says, which may be changed at any time.

    Attributes:
        hits: How many requests have come.
        released: Set at the end, for behaviours that wait.
    """

    daemon_threads = True

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.hits = 0
        self.paths: list[str] = []
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

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
        self.server.hits += 1
        self.server.paths.append(self.path)
        self.server.behave(self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
