"""What every key can be asked."""

from __future__ import annotations

from typing import Any

from fastbearer.compat.jose.exceptions import JWKError
from fastbearer.compat.jose.utils import base64url_encode, ensure_binary

__all__ = ["DIRKey", "Key"]


class Key:
    """A key; each kind does what it can."""

    def __init__(self, key: Any, algorithm: str) -> None: ...

    def sign(self, msg: bytes) -> bytes:
        """Return a signature."""
        raise NotImplementedError

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether a signature is right."""
        raise NotImplementedError

    def public_key(self) -> Any:
        """Return the public half."""
        raise NotImplementedError

    def to_pem(self) -> bytes:
        """Return PEM."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return a JWK."""
        raise NotImplementedError

    def encrypt(self, plain_text: bytes, aad: bytes | None = None) -> Any:
        """Return what was encrypted."""
        raise NotImplementedError

    def decrypt(
        self,
        cipher_text: bytes,
        iv: bytes | None = None,
        aad: bytes | None = None,
        tag: bytes | None = None,
    ) -> bytes:
        """Return what was decrypted."""
        raise NotImplementedError

    def wrap_key(self, key_data: bytes) -> bytes:
        """Return another key, encrypted."""
        raise NotImplementedError

    def unwrap_key(self, wrapped_key: bytes) -> bytes:
        """Return another key, decrypted."""
        raise NotImplementedError


class DIRKey(Key):
    """A key that is itself the one that encrypts.

    Attributes:
        secret: Its bytes.

    Raises:
        JWKError: The key is not text.
    """

    def __init__(self, key_data: str | bytes, algorithm: str) -> None:
        try:
            self.secret: bytes = ensure_binary(key_data)
        except (TypeError, ValueError) as error:
            raise JWKError(str(error)) from None
        self._alg = algorithm

    def to_dict(self) -> dict[str, Any]:
        """Return a JWK."""
        return {
            "alg": self._alg,
            "kty": "oct",
            "k": base64url_encode(self.secret).decode("ascii"),
        }
