"""How this service says who it is at a provider's endpoints (RFC 6749 2.3)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote_plus

from fastbearer import Key, Signer
from fastbearer._core import json_object
from fastbearer.errors import ConfigurationError, InvalidKeyError, MalformedTokenError
from fastbearer.utf8 import utf8_of

__all__ = ["AuthMethod", "ClientAuthentication", "PrivateKey", "Proof"]

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt"]
PrivateKey = Key | str | Mapping[str, Any] | PathLike[str]

METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
JTI_BYTES = 16

ONE_OF_BOTH = "introspection needs client_secret or private_key, and not both"
NO_CLIENT = "introspection needs client_id"
NO_SECRET = "client_secret must be a text that is not empty"
UNREADABLE_SECRET = "client_secret is not UTF-8"
UNSUITED = "auth must be client_secret_basic or client_secret_post with a secret"
UNKNOWN_METHOD = f"auth must be one of {', '.join(METHODS)}"
UNSUITED_KEY = "auth must be private_key_jwt with private_key"
NOT_PRIVATE = "private_key must be a private key of an asymmetric algorithm"
NOT_READ = "private_key is neither a PEM, a JWK nor a key file of Zitadel"
OTHER_CLIENT = "client_id is another one than the key file's"


class Proof(NamedTuple):
    """What a request has in it to show who sends it."""

    headers: dict[str, str]
    form: dict[str, str]


class ClientAuthentication:
    """Who this service is at a provider.

    Args:
        client_id: Its name there; a key file of Zitadel has it.
        client_secret: Its secret.
        private_key: Its key, in place of a secret (RFC 7523 2.2).
        auth: How the secret is sent; ``client_secret_basic`` unless given.

    Attributes:
        client_id: The name.
        method: How it is shown.

    Raises:
        ConfigurationError: There is no such way, or a value is missing or wrong.
        InvalidKeyError: The key breaks a rule.
    """

    def __init__(
        self,
        client_id: str | None,
        client_secret: str | None,
        private_key: PrivateKey | None,
        auth: AuthMethod | None = None,
    ) -> None:
        if (client_secret is None) == (private_key is None):
            raise ConfigurationError(ONE_OF_BOTH)
        if auth is not None and auth not in METHODS:
            raise ConfigurationError(UNKNOWN_METHOD)
        self._secret = client_secret
        self._key: Key | None = None
        if private_key is not None:
            self._key, named = _read(private_key)
            if client_id is not None and named not in (None, client_id):
                raise ConfigurationError(OTHER_CLIENT)
            client_id = client_id or named
        if not (isinstance(client_id, str) and utf8_of(client_id)):
            raise ConfigurationError(NO_CLIENT)
        self.client_id = client_id
        self.method = self._method(auth)

    def __repr__(self) -> str:
        return f"ClientAuthentication({self.client_id!r}, {self.method!r})"

    def _method(self, auth: AuthMethod | None) -> AuthMethod:
        if self._key is not None:
            if auth not in (None, "private_key_jwt"):
                raise ConfigurationError(UNSUITED_KEY)
            return "private_key_jwt"
        if not (isinstance(self._secret, str) and self._secret):
            raise ConfigurationError(NO_SECRET)
        if utf8_of(self._secret) is None:
            raise ConfigurationError(UNREADABLE_SECRET)
        if auth == "private_key_jwt":
            raise ConfigurationError(UNSUITED)
        return auth or "client_secret_basic"

    def proof(self, audience: str) -> Proof:
        """Return what a request needs.

        Args:
            audience: The server that an assertion is for.
        """
        if self._key is not None:
            assertion = self._assertion(self._key, audience)
            form = {
                "client_id": self.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
            return Proof({}, form)
        secret = self._secret or ""
        if self.method == "client_secret_post":
            return Proof({}, {"client_id": self.client_id, "client_secret": secret})
        # RFC 6749 2.3.1: each is form-encoded before it goes into Basic.
        pair = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
        basic = b64encode(pair.encode()).decode()
        return Proof({"Authorization": f"Basic {basic}"}, {})

    def _assertion(self, key: Key, audience: str) -> str:
        """Sign who we are, for this server and for a minute (RFC 7523 3)."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            # OpenID Connect Core 9: the server may refuse one that it has seen.
            "jti": secrets.token_urlsafe(JTI_BYTES),
        }
        return Signer(key, lifetime=ASSERTION_SECONDS).sign(claims)


def _read(given: PrivateKey) -> tuple[Key, str | None]:
    """Return a private key, and the client that its file names, if it does."""
    if isinstance(given, PathLike):
        given = _text_of(Path(given))
    key, named = _parsed(given)
    if not key.is_private or key.algorithm.startswith("HS"):
        raise ConfigurationError(NOT_PRIVATE)
    return key, named


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:  # which holds what was read: the key
        reason = "it is not text"
    raise ConfigurationError(f"private_key cannot be read: {reason}")


def _parsed(given: Any) -> tuple[Key, str | None]:
    if isinstance(given, Key):
        return given, None
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            given = json_object(given.strip())
        except MalformedTokenError:
            raise ConfigurationError(NOT_READ) from None
    if isinstance(given, Mapping):
        if "kty" in given:
            return Key.from_jwk(given), None
        return _of_key_file(given)
    if isinstance(given, str):
        return Key.from_pem(given), None
    raise ConfigurationError(NOT_READ)


def _of_key_file(file: Mapping[str, Any]) -> tuple[Key, str]:
    """Return what Zitadel's key file of an application has in it.

    A key of one of its service users has a ``userId`` in place of ``clientId``: it
    may not introspect.
    """
    key, kid, client_id = (file.get(name) for name in ("key", "keyId", "clientId"))
    if not (isinstance(key, str) and isinstance(kid, str)):
        raise ConfigurationError(NOT_READ)
    if not (isinstance(client_id, str) and client_id):
        raise ConfigurationError(
            "the key file names no client: it must be one of an application"
        )
    try:
        return Key.from_pem(key, kid=kid), client_id
    except InvalidKeyError as error:
        raise ConfigurationError(f"the key in the key file: {error}") from error
