"""A provider's introspection endpoint (RFC 7662) on loopback, with its documents.

    with IntrospectionServer({"an-opaque-token": {"sub": "ada"}}) as server:
        server.issuer, server.endpoint, server.questions

It judges the client as RFC 6749 2.3.1 and RFC 7523 3 say, with PyJWT: an independent
reader of assertions. ``tokens`` are those that are active; whatever else is asked about
is not. ``behave`` replaces its answers.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt

from fastbearer import Key
from key_server import Behaviour, answer

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "IntrospectionServer", "Question"]

CLIENT_ID, CLIENT_SECRET = "api:1 %", "s3cret+/=:&%\u00e9 x"
"""With the characters that client_secret_basic has to encode."""

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Question:
    """A request: its headers and the fields of its form."""

    headers: dict[str, str]
    form: dict[str, str]
    repeated: bool = False


@dataclass
class Client:
    """What the server knows of a client."""

    secret: str = CLIENT_SECRET
    methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    keys: dict[str, Key] = field(default_factory=dict)


class IntrospectionServer(ThreadingHTTPServer):
    """The endpoint, and the metadata that names it.

    Attributes:
        tokens: Token -> what is answered beside ``active``.
        clients: Name -> client.
        questions: What has been asked, in order.
        behave: In place of the answers to questions, if it is set.
        metadata: In place of the document of OpenID Connect Discovery.
        released: Set at the end, for behaviours that wait.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, tokens: dict[str, dict[str, Any]] | None = None) -> None:
        self.tokens = {} if tokens is None else tokens
        self.clients = {CLIENT_ID: Client()}
        self.questions: list[Question] = []
        self.documents = 0
        self.behave: Behaviour | None = None
        self.metadata: dict[str, Any] | None = None
        self.released = threading.Event()
        self.seen: set[str] = set()
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def endpoint(self) -> str:
        return f"{self.issuer}/oauth/v2/introspect"

    def document(self) -> dict[str, Any]:
        if self.metadata is not None:
            return self.metadata
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "introspection_endpoint": self.endpoint,
        }

    def __enter__(self) -> IntrospectionServer:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.released.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where a client has gone: some are meant to."""

    def client_of(self, question: Question) -> str | None:
        """Return who asks, if that is shown."""
        scheme, _, basic = question.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            pair = b64decode(basic, validate=True).decode("ascii")
            name, secret = map(unquote_plus, pair.split(":", 1))
            return self._with_secret(name, secret, "client_secret_basic")
        form = question.form
        if "client_secret" in form:
            name, secret = form.get("client_id", ""), form["client_secret"]
            return self._with_secret(name, secret, "client_secret_post")
        if form.get("client_assertion_type") != ASSERTION:
            return None
        return self._with_assertion(form)

    def _with_secret(self, name: str, secret: str, method: str) -> str | None:
        client = self.clients.get(name)
        if client is None or method not in client.methods or secret != client.secret:
            return None
        return name

    def _with_assertion(self, form: dict[str, str]) -> str | None:
        assertion = form["client_assertion"]
        header = jwt.get_unverified_header(assertion)
        name = jwt.decode(assertion, options={"verify_signature": False})["sub"]
        key = self.clients[name].keys[header.get("kid")]
        try:
            claims = jwt.decode(
                assertion,
                key.public().to_pem(),
                algorithms=[key.algorithm],
                audience=[self.issuer, self.endpoint],
                issuer=name,
                options={"require": ["iss", "sub", "aud", "exp", "jti"]},
            )
        except jwt.PyJWTError:
            return None
        is_new = claims["jti"] not in self.seen
        self.seen.add(claims["jti"])
        is_told = form.get("client_id", name) == name
        return name if is_new and is_told else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: IntrospectionServer

    def do_GET(self) -> None:
        self.server.documents += 1
        self._say(self.server.document())

    def do_POST(self) -> None:
        self.close_connection = True
        length = int(self.headers["Content-Length"])
        pairs = parse_qsl(
            self.rfile.read(length).decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
        )
        headers = {name.lower(): value for name, value in self.headers.items()}
        form = dict(pairs)
        question = Question(headers, form, len(form) != len(pairs))
        self.server.questions.append(question)
        if self.server.behave is not None:
            self.server.behave(self)
            return
        if headers.get("content-type") != "application/x-www-form-urlencoded":
            self._say({"error": "invalid_request"}, 400)
        elif self.server.client_of(question) is None:
            self._say({"error": "invalid_client"}, 401)
        elif question.repeated or "token" not in form:
            self._say({"error": "invalid_request"}, 400)
        else:
            found = self.server.tokens.get(form["token"])
            active = found is not None
            self._say({"active": active, **(found or {})})

    def _say(self, members: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(members).encode()
        kind = ("Content-Type", "application/json;charset=UTF-8")
        answer(body, status, [kind])(self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
