"""AES: contents, and other keys."""

from __future__ import annotations

from typing import Any

from fastbearer._core import aead_open, aead_seal, aead_sizes, aes_unwrap, aes_wrap
from fastbearer.compat.jose.backends import native
from fastbearer.compat.jose.backends.base import Key
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JWEError, JWKError
from fastbearer.compat.jose.utils import (
    base64url_decode,
    base64url_encode,
    ensure_binary,
)
from fastbearer.errors import FastbearerError

__all__ = ["ALTERED", "AESKey"]

ALTERED = "Invalid JWE Auth Tag"
KEK_BYTES = {"A128KW": 16, "A192KW": 24, "A256KW": 32}


class AESKey(Key):
    """A key of AES.

    Args:
        key: Bytes, text, or a JWK with ``k``.
        algorithm: What it encrypts.

    Raises:
        JWKError: The key cannot be used for the algorithm.
    """

    def __init__(self, key: Any, algorithm: str) -> None:
        if algorithm not in ALGORITHMS.AES_KW | ALGORITHMS.AES_JWE_ENC:
            raise JWKError(f"{algorithm} is not a valid AES algorithm")
        self._algorithm = algorithm
        try:
            if isinstance(key, dict):
                key = base64url_decode(ensure_binary(key["k"]))
            self._key = ensure_binary(key)
        except (KeyError, TypeError, ValueError):
            raise JWKError("Unable to parse an AES key from this") from None
        self._is_wrapper = algorithm in KEK_BYTES
        size = KEK_BYTES[algorithm] if self._is_wrapper else aead_sizes(algorithm)[0]
        if len(self._key) != size:
            raise JWKError(f"Key must be {size * 8} bit for alg {algorithm}")

    def encrypt(
        self, plain_text: bytes | str, aad: bytes | None = None
    ) -> tuple[bytes, bytes, bytes]:
        """Return iv, ciphertext and tag.

        Raises:
            JWEError: The key is for other keys.
        """
        if self._is_wrapper:
            raise JWEError(f"{self._algorithm} encrypts keys only")
        iv = native.get_random_bytes(aead_sizes(self._algorithm)[1])
        text = ensure_binary(plain_text)
        cipher, tag = aead_seal(self._algorithm, self._key, iv, aad or b"", text)
        return iv, cipher, tag

    def decrypt(
        self,
        cipher_text: bytes,
        iv: bytes | None = None,
        aad: bytes | None = None,
        tag: bytes | None = None,
    ) -> bytes:
        """Return the plaintext.

        Raises:
            JWEError: The text was altered, or encrypted with another key.
        """
        if self._is_wrapper:
            raise JWEError(f"{self._algorithm} decrypts keys only")
        parts = (aad or b"", ensure_binary(cipher_text), tag or b"")
        try:
            return aead_open(self._algorithm, self._key, iv or b"", *parts)
        except (FastbearerError, ValueError):
            raise JWEError(ALTERED) from None

    def wrap_key(self, key_data: bytes) -> bytes:
        """Return another key, encrypted (RFC 3394).

        Raises:
            JWEError: The key cannot be encrypted.
        """
        try:
            return aes_wrap(self._key, ensure_binary(key_data))
        except FastbearerError:
            raise JWEError("The key cannot be encrypted") from None

    def unwrap_key(self, wrapped_key: bytes) -> bytes:
        """Return another key, decrypted.

        Raises:
            JWEError: The key was altered, or encrypted with another key.
        """
        try:
            return aes_unwrap(self._key, ensure_binary(wrapped_key))
        except FastbearerError:
            raise JWEError(ALTERED) from None

    def to_dict(self) -> dict[str, Any]:
        """Return a JWK."""
        k = base64url_encode(self._key)
        return {"alg": self._algorithm, "kty": "oct", "k": k}
