"""What every algorithm can do."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NoReturn

from fastbearer.compat._shared.key_objects import hash_of, types_of
from fastbearer.compat.jwt.exceptions import InvalidKeyError
from fastbearer.compat.jwt.types import JWKDict

__all__ = [
    "Algorithm",
    "NoneAlgorithm",
    "PackagesHash",
    "digest_name",
    "jwk_object",
    "jwk_text",
]


class Algorithm(ABC):
    """An algorithm that signs and verifies; subclasses may be registered."""

    _kind: ClassVar[str | None] = None
    """Of its key objects: "RSA", "EC" or "OKP"."""

    def compute_hash_digest(self, bytestr: bytes) -> bytes:
        """Return the digest of bytes, of the algorithm's own hash.

        Raises:
            NotImplementedError: The algorithm has no hash.
        """
        hash_alg = getattr(self, "hash_alg", None)
        if hash_alg is None:
            raise NotImplementedError
        return hashlib.new(digest_name(hash_alg), bytestr).digest()

    def check_crypto_key_type(self, key: Any) -> None:
        """Refuse a key object of another kind.

        Raises:
            InvalidKeyError: The key is of another kind.
            ValueError: The algorithm has no key objects.
        """
        if self._kind is None:
            raise ValueError("only asymmetric algorithms have key objects")
        if not isinstance(key, types_of(self._kind)):
            wanted = " or ".join(cls.__name__ for cls in types_of(self._kind))
            raise InvalidKeyError(
                f"Expected one of {wanted}, got: {type(key).__name__}."
                f" Invalid Key type for {type(self).__name__}"
            )

    @abstractmethod
    def prepare_key(self, key: Any) -> Any:
        """Return the key in the form that `sign` and `verify` take."""

    @abstractmethod
    def sign(self, msg: bytes, key: Any) -> bytes:
        """Return a signature."""

    @abstractmethod
    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Tell whether a signature is right."""

    @staticmethod
    @abstractmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        """Return the JWK of a key: JSON, or a dict."""

    @staticmethod
    @abstractmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key of a JWK: JSON, or a dict."""

    def check_key_length(self, key: Any) -> str | None:
        """Return why a key is too short, or None."""
        return None


class PackagesHash:
    """The hash of that name: cryptography's class, where the package is installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Return it, made late: the package is heavy."""
        return hash_of(self._name)


class NoneAlgorithm(Algorithm):
    """No signature at all: it can be written, and never verifies."""

    def prepare_key(self, key: str | None) -> None:
        """Return None.

        Raises:
            InvalidKeyError: A key was given.
        """
        if key not in (None, ""):
            raise InvalidKeyError('When alg = "none", key value must be None.')

    def sign(self, msg: bytes, key: None) -> bytes:
        """Return nothing."""
        return b""

    def verify(self, msg: bytes, key: None, sig: bytes) -> bool:
        """Return False."""
        return False

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> NoReturn:
        """Raise NotImplementedError."""
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> NoReturn:
        """Raise NotImplementedError."""
        raise NotImplementedError


def digest_name(hash_alg: Any) -> str:
    """Return hashlib's name of a hash."""
    name = getattr(hash_alg, "name", None) or hash_alg().name
    return str(name).lower().replace("-", "")


def jwk_object(jwk: str | JWKDict, kty: str, problem: str) -> JWKDict:
    """Return the members of a JWK of one type of keys.

    Raises:
        InvalidKeyError: The JWK is not a JSON object, or has another type.
    """
    try:
        found = json.loads(jwk) if isinstance(jwk, str) else jwk
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidKeyError("Key is not valid JSON")
    if found.get("kty") != kty:
        raise InvalidKeyError(problem)
    return found


def jwk_text(jwk: JWKDict, as_dict: bool) -> Any:
    """Return a JWK in the form that was asked for."""
    return jwk if as_dict else json.dumps(jwk)
