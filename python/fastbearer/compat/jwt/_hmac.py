"""Shared secrets (RFC 7518 3.2)."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from fastbearer._core import Key, raw_sign, raw_verify
from fastbearer.compat._shared.memo import TextMemo
from fastbearer.compat.jwt._algorithm import (
    Algorithm,
    digest_name,
    jwk_object,
    jwk_text,
)
from fastbearer.compat.jwt.exceptions import InvalidKeyError
from fastbearer.compat.jwt.types import HashlibHash, JWKDict
from fastbearer.compat.jwt.utils import base64url_decode, base64url_encode, force_bytes
from fastbearer.errors import InvalidKeyError as CoreInvalidKeyError

__all__ = ["HMACAlgorithm"]

EMPTY = "HMAC key must not be empty."
IS_JWK = (
    "The specified key looks like a JWK and should not be used directly as an HMAC"
    " secret. Load it via PyJWK / HMACAlgorithm.from_jwk first."
)
IS_ASYMMETRIC = (
    "The specified key is an asymmetric key or x509 certificate and"
    " should not be used as an HMAC secret."
)
PROBLEMS = {
    "key_is_jwk": IS_JWK,
    "key_is_pem": IS_ASYMMETRIC,
    "key_is_ssh": IS_ASYMMETRIC,
    "key_is_der": IS_ASYMMETRIC,
    "key_empty": EMPTY,
}
"""What PyJWT says to what the core refuses, by the core's reason."""


class HMACAlgorithm(Algorithm):
    """HS256, HS384 or HS512.

    Shorter secrets than the hash are taken, with a warning (RFC 7518 3.2 forbids
    them); an empty one, or one that is somebody's public key, is not.

    Args:
        hash_alg: SHA-256, SHA-384 or SHA-512.
    """

    SHA256: ClassVar[HashlibHash] = hashlib.sha256
    SHA384: ClassVar[HashlibHash] = hashlib.sha384
    SHA512: ClassVar[HashlibHash] = hashlib.sha512

    def __init__(self, hash_alg: HashlibHash) -> None:
        self.hash_alg = hash_alg
        self._name = f"HS{digest_name(hash_alg).removeprefix('sha')}"

    def prepare_key(self, key: str | bytes) -> bytes:
        """Return the secret's bytes.

        Raises:
            InvalidKeyError: The key must not be used as a secret.
            TypeError: The key is not text.
        """
        secret = force_bytes(key)
        self._core(secret)
        return secret

    def check_key_length(self, key: bytes) -> str | None:
        """Return why a secret is too short, or None."""
        least = self.hash_alg().digest_size
        if len(key) >= least:
            return None
        return (
            f"The HMAC key is {len(key)} bytes long, which is below the minimum"
            f" recommended length of {least} bytes for"
            f" {self.hash_alg().name.upper()}. See RFC 7518 Section 3.2."
        )

    def sign(self, msg: bytes, key: bytes) -> bytes:
        """Return the MAC."""
        return raw_sign(msg, self._core(key))

    def verify(self, msg: bytes, key: bytes, sig: bytes) -> bool:
        """Tell whether a MAC is right."""
        return raw_verify(msg, sig, self._core(key))

    def _core(self, secret: bytes) -> Key:
        return _cores(secret, self._name)

    @staticmethod
    def to_jwk(key_obj: str | bytes, as_dict: bool = False) -> Any:
        """Return the JWK of a secret: JSON, or a dict."""
        k = base64url_encode(force_bytes(key_obj)).decode("ascii")
        return jwk_text({"k": k, "kty": "oct"}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> bytes:
        """Return the secret of a JWK.

        Raises:
            InvalidKeyError: The JWK has no secret, or an empty one.
        """
        found = jwk_object(jwk, "oct", "Not an HMAC key")
        try:
            secret = base64url_decode(found["k"])
        except (KeyError, TypeError, ValueError):
            raise InvalidKeyError("The JWK has no k that is base64url") from None
        if not secret:
            raise InvalidKeyError(EMPTY)
        return secret


def _make_core(secret: bytes, algorithm: str) -> Key:
    try:
        return Key.from_secret(secret, algorithm, allow_short_secret=True)
    except CoreInvalidKeyError as error:
        problem = PROBLEMS.get(error.reason or "", str(error))
        raise InvalidKeyError(problem) from None


_cores = TextMemo(_make_core)
