"""Shared secrets."""

from __future__ import annotations

import os
from typing import Any

from fastbearer._core import Key as CoreKey
from fastbearer._core import raw_sign, raw_verify
from fastbearer.compat.jose.backends.base import Key
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JWKError
from fastbearer.compat.jose.utils import (
    base64url_decode,
    base64url_encode,
    ensure_binary,
)
from fastbearer.errors import InvalidKeyError

__all__ = ["HMACKey", "get_random_bytes"]

NOT_A_TEXT = "Expecting a string- or bytes-formatted key."
NOT_A_SECRET = (
    "The specified key is an asymmetric key or x509 certificate and"
    " should not be used as an HMAC secret."
)
NOT_SECRETS = {"key_is_pem", "key_is_ssh", "key_is_jwk", "key_is_der"}
"""The core's reasons to refuse what is no secret."""


def get_random_bytes(num_bytes: int) -> bytes:
    """Return random bytes."""
    return os.urandom(num_bytes)


class HMACKey(Key):
    """A shared secret.

    Shorter ones than the hash are taken (RFC 7518 3.2 forbids them); an empty
    one, or one that is somebody's public key, is not.

    Attributes:
        prepared_key: The secret's bytes.

    Raises:
        JWKError: The key cannot be used.
    """

    def __init__(self, key: Any, algorithm: str) -> None:
        if algorithm not in ALGORITHMS.HMAC:
            raise JWKError(f"hash_alg: {algorithm} is not valid hash algorithm")
        self._algorithm = algorithm
        if isinstance(key, dict):
            key = _secret_of(key)
        if not isinstance(key, (str, bytes)):
            raise JWKError(NOT_A_TEXT)
        try:
            self.prepared_key = ensure_binary(key)
        except ValueError:
            raise JWKError("The key is not valid Unicode") from None
        try:
            self.core: CoreKey = CoreKey.from_secret(
                key, algorithm, allow_short_secret=True
            )
        except InvalidKeyError as error:
            is_no_secret = error.reason in NOT_SECRETS
            raise JWKError(NOT_A_SECRET if is_no_secret else str(error)) from None

    def sign(self, msg: bytes) -> bytes:
        """Return the MAC."""
        return raw_sign(msg, self.core)

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether a MAC is right."""
        return raw_verify(msg, sig, self.core)

    def to_dict(self) -> dict[str, Any]:
        """Return a JWK."""
        return {
            "alg": self._algorithm,
            "kty": "oct",
            "k": base64url_encode(self.prepared_key).decode("ascii"),
        }


def _secret_of(jwk: dict[str, Any]) -> bytes:
    if jwk.get("kty") != "oct":
        raise JWKError(
            f"Incorrect key type. Expected: 'oct', Received: {jwk.get('kty')}"
        )
    try:
        return base64url_decode(ensure_binary(jwk["k"]))
    except (KeyError, TypeError, ValueError) as error:
        raise JWKError("The JWK has no k that is base64url") from error
