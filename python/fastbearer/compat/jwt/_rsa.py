"""RSA (RFC 7518 3.3, 3.5)."""

from __future__ import annotations

from typing import Any, ClassVar

from fastbearer._core import Key
from fastbearer.compat._shared.key_objects import sign_with
from fastbearer.compat.jwt._algorithm import jwk_object, jwk_text
from fastbearer.compat.jwt._asymmetric import (
    NEITHER,
    HashingAlgorithm,
    members_of,
    object_of_jwk,
)
from fastbearer.compat.jwt.exceptions import InvalidKeyError
from fastbearer.compat.jwt.types import JWKDict

__all__ = ["RSAAlgorithm", "RSAPSSAlgorithm"]

LEAST_BITS = 2048


class RSAAlgorithm(HashingAlgorithm):
    """RS256, RS384 or RS512."""

    _kind = "RSA"
    _family: ClassVar[str] = "RS"

    def _name(self, own: Key) -> str:
        return self._family + self._bits

    def _signed_by(self, key: Any, msg: bytes) -> bytes:
        return sign_with(key, self._family, self._digest, msg)

    def check_key_length(self, key: Any) -> str | None:
        """Return why a key is too short, or None."""
        bits = getattr(key, "key_size", LEAST_BITS)
        if bits >= LEAST_BITS:
            return None
        return (
            f"The RSA key is {bits} bits long, which is below the minimum recommended"
            f" size of {LEAST_BITS} bits. See NIST SP 800-131A."
        )

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        """Return the JWK of a key: JSON, or a dict.

        Raises:
            InvalidKeyError: The object is not a key.
        """
        members = members_of(key_obj, "RSA")
        usage = {"kty": "RSA", "key_ops": ["sign" if "d" in members else "verify"]}
        return jwk_text({**usage, **members}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key object of a JWK.

        Raises:
            InvalidKeyError: The JWK is not such a key.
        """
        found = jwk_object(jwk, "RSA", "Not an RSA key")
        if not {"n", "e"} <= found.keys():
            raise InvalidKeyError(NEITHER)
        if {"d", "oth"} <= found.keys():
            raise InvalidKeyError(
                "Unsupported RSA private key: > 2 primes not supported"
            )
        primes = {"p", "q", "dp", "dq", "qi"}
        if "d" in found and 0 < len(primes & found.keys()) < len(primes):
            raise InvalidKeyError(
                "RSA key must include all parameters if any are present besides d"
            )
        return object_of_jwk(found)


class RSAPSSAlgorithm(RSAAlgorithm):
    """PS256, PS384 or PS512."""

    _family = "PS"
