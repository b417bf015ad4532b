"""Keys as JSON (RFC 7517)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from fastbearer._core import key_set_max
from fastbearer.compat.jwt.algorithms import (
    Algorithm,
    get_default_algorithms,
    has_crypto,
)
from fastbearer.compat.jwt.exceptions import (
    InvalidKeyError,
    PyJWKError,
    PyJWKSetError,
    PyJWTError,
)
from fastbearer.compat.jwt.types import JWKDict

__all__ = ["PyJWK", "PyJWKSet", "PyJWTSetWithTimestamp", "has_crypto"]

BY_KTY = {"RSA": "RS256", "oct": "HS256"}
BY_CRV: dict[str, dict[Any, str]] = {
    "EC": {
        None: "ES256",
        "P-256": "ES256",
        "P-384": "ES384",
        "P-521": "ES512",
        "secp256k1": "ES256K",
    },
    "OKP": {"Ed25519": "EdDSA"},
}


class PyJWK:
    """A key that knows its algorithm.

    Args:
        jwk_data: The members of the JWK.
        algorithm: By default the JWK's ``alg``, else that of its type and curve.

    Attributes:
        algorithm_name: The algorithm.
        Algorithm: The object that signs and verifies.
        key: What that object takes.

    Raises:
        InvalidKeyError: The JWK is not a key, or has an unknown type or curve.
        PyJWKError: The algorithm is unknown.
    """

    def __init__(self, jwk_data: JWKDict, algorithm: str | None = None) -> None:
        if not isinstance(jwk_data, dict):
            raise InvalidKeyError("The JWK is not a JSON object")
        self._jwk_data = jwk_data
        if not jwk_data.get("kty"):
            raise InvalidKeyError("kty is not found")
        self.algorithm_name: str = (
            algorithm or jwk_data.get("alg") or _algorithm(jwk_data)
        )
        algorithms = get_default_algorithms()
        name: object = self.algorithm_name  # whatever the JWK has there
        if not isinstance(name, str) or name not in algorithms:
            raise PyJWKError("Unable to find an algorithm for key")
        self.Algorithm: Algorithm = algorithms[self.algorithm_name]
        try:
            self.key: Any = self.Algorithm.from_jwk(jwk_data)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise InvalidKeyError(
                f"Unable to construct key from JWK: {error}"
            ) from error

    @staticmethod
    def from_dict(obj: JWKDict, algorithm: str | None = None) -> PyJWK:
        """Return the key of a dict."""
        return PyJWK(obj, algorithm)

    @staticmethod
    def from_json(data: str, algorithm: str | None = None) -> PyJWK:
        """Return the key of a JSON text.

        Raises:
            ValueError: The text is not JSON.
        """
        return PyJWK(_parsed(data), algorithm)

    @property
    def key_type(self) -> str | None:
        """The member ``kty``."""
        return self._jwk_data.get("kty")

    @property
    def key_id(self) -> str | None:
        """The member ``kid``."""
        return self._jwk_data.get("kid")

    @property
    def public_key_use(self) -> str | None:
        """The member ``use``."""
        return self._jwk_data.get("use")


def _algorithm(jwk: JWKDict) -> str:
    kty, crv = jwk["kty"], jwk.get("crv") or None
    if not isinstance(kty, str) or kty not in {**BY_KTY, **BY_CRV}:
        raise InvalidKeyError(f"Unsupported kty: {kty}")
    if kty in BY_KTY:
        return BY_KTY[kty]
    if kty == "OKP" and crv is None:
        raise InvalidKeyError("crv is not found")
    curves = BY_CRV[kty]
    if not isinstance(crv, (str, type(None))) or crv not in curves:
        raise InvalidKeyError(f"Unsupported crv: {crv}")
    return curves[crv]


class PyJWKSet:
    """Keys of a JWK Set; those that cannot be used are left out.

    Args:
        keys: The member ``keys``.

    Attributes:
        keys: The keys.

    Raises:
        PyJWKSetError: None can be used, or there are more than 256.
    """

    def __init__(self, keys: list[JWKDict]) -> None:
        if not keys:
            raise PyJWKSetError("The JWK Set did not contain any keys")
        if not isinstance(keys, list):
            raise PyJWKSetError("Invalid JWK Set value")
        if len(keys) > key_set_max:
            raise PyJWKSetError(f"The JWK Set has more than {key_set_max} keys")
        self.keys: list[PyJWK] = list(_usable(keys))
        if not self.keys:
            raise PyJWKSetError("The JWK Set did not contain any usable keys")

    @staticmethod
    def from_dict(obj: dict[str, Any]) -> PyJWKSet:
        """Return the keys of a dict with ``keys``."""
        if not isinstance(obj, dict):
            raise PyJWKSetError("Invalid JWK Set value")
        return PyJWKSet(obj.get("keys", []))

    @staticmethod
    def from_json(data: str) -> PyJWKSet:
        """Return the keys of a JSON text.

        Raises:
            ValueError: The text is not JSON.
        """
        return PyJWKSet.from_dict(_parsed(data))

    def __getitem__(self, kid: str) -> PyJWK:
        for key in self.keys:
            if key.key_id == kid:
                return key
        raise KeyError(f"keyset has no key for kid: {kid}")

    def __iter__(self) -> Iterator[PyJWK]:
        return iter(self.keys)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply") from None


def _usable(keys: list[JWKDict]) -> Iterator[PyJWK]:
    for key in keys:
        if isinstance(key, dict):
            try:
                yield PyJWK(key)
            except PyJWTError:
                continue


class PyJWTSetWithTimestamp:
    """A JWK Set, and when it came: seconds of the monotonic clock."""

    def __init__(self, jwk_set: PyJWKSet) -> None:
        self.jwk_set = jwk_set
        self.timestamp: float = time.monotonic()

    def get_jwk_set(self) -> PyJWKSet:
        """Return the set."""
        return self.jwk_set

    def get_timestamp(self) -> float:
        """Return when it came."""
        return self.timestamp
