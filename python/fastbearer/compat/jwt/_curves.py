"""Elliptic curves and Edwards curves (RFC 7518 3.4, RFC 8812, RFC 8037)."""

from __future__ import annotations

from typing import Any

from fastbearer._core import Key
from fastbearer.compat._shared import der
from fastbearer.compat._shared.key_objects import sign_with
from fastbearer.compat._shared.lax_jwk import COORDINATE_BYTES
from fastbearer.compat.jwt._algorithm import jwk_object, jwk_text
from fastbearer.compat.jwt._asymmetric import (
    NEITHER,
    AsymmetricAlgorithm,
    HashingAlgorithm,
    is_sealed,
    members_of,
    object_of_jwk,
)
from fastbearer.compat.jwt.exceptions import InvalidKeyError
from fastbearer.compat.jwt.types import JWKDict

__all__ = ["ECAlgorithm", "OKPAlgorithm"]

CURVES = {
    "ES256": "secp256r1",
    "ES256K": "secp256k1",
    "ES384": "secp384r1",
    "ES512": "secp521r1",
}


class ECAlgorithm(HashingAlgorithm):
    """ES256, ES256K, ES384 or ES512.

    Args:
        hash_alg: The hash; each curve has its one (RFC 7518 3.4).
        expected_curve: The name of the curve, or cryptography's class of it; None
            for any.
    """

    _kind = "EC"

    def __init__(self, hash_alg: Any, expected_curve: Any = None) -> None:
        super().__init__(hash_alg)
        self._curve = getattr(expected_curve, "name", expected_curve)

    @property
    def expected_curve(self) -> Any:
        """Cryptography's class of the curve, its name without the package, or None."""
        try:
            from cryptography.hazmat.primitives.asymmetric import ec
        except ImportError:
            return self._curve
        return None if self._curve is None else getattr(ec, self._curve.upper())

    def _checked(self, key: Key) -> Key:
        curve = CURVES.get(super()._checked(key).algorithm)
        if self._curve not in (None, curve):
            raise InvalidKeyError(
                f"The key's curve '{curve}' does not match the expected curve"
                f" '{self._curve}' for this algorithm"
            )
        return key

    def sign(self, msg: bytes, key: Any) -> bytes:
        """Return a signature: r and s (RFC 7518 3.4).

        Raises:
            InvalidKeyError: The key is public, or its curve has another hash.
        """
        if not is_sealed(key):
            self._check_hash(key)
        return super().sign(msg, key)

    def _signed_by(self, key: Any, msg: bytes) -> bytes:
        size = (key.curve.key_size + 7) // 8
        return der.raw_signature(sign_with(key, "", self._digest, msg), size)

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Tell whether a signature is right.

        Raises:
            InvalidKeyError: The key's curve has another hash.
        """
        if is_sealed(key):
            key = key.public_key()
        self._check_hash(key)
        return super().verify(msg, key, sig)

    def _check_hash(self, key: Any) -> None:
        name = self._core(key).algorithm
        if name.removeprefix("ES").removesuffix("K") != self._bits:
            raise InvalidKeyError(
                f"The key's curve '{CURVES[name]}' does not go with SHA-{self._bits}"
                " (RFC 7518 3.4)"
            )

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        """Return the JWK of a key: JSON, or a dict.

        Raises:
            InvalidKeyError: The object is not a key.
        """
        return jwk_text({"kty": "EC", **members_of(key_obj, "EC")}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key object of a JWK.

        Raises:
            InvalidKeyError: The JWK is not such a key.
        """
        problem = "Not an Elliptic curve key"
        found = jwk_object(jwk, "EC", problem)
        if not {"x", "y"} <= found.keys():
            raise InvalidKeyError(problem)
        crv = found.get("crv")
        if not isinstance(crv, str) or crv not in COORDINATE_BYTES:
            raise InvalidKeyError(f"Invalid curve: {crv}")
        size = COORDINATE_BYTES[crv]
        for name in ("x", "y"):
            text = found[name]
            if isinstance(text, str) and len(text.rstrip("=")) * 6 // 8 != size:
                raise InvalidKeyError(f"Coords should be {size} bytes for curve {crv}")
        return object_of_jwk(found)


class OKPAlgorithm(AsymmetricAlgorithm):
    """EdDSA, with Ed25519 or Ed448."""

    _kind = "OKP"
    _unreadable = NEITHER

    def __init__(self, **kwargs: Any) -> None: ...

    def _refuse_object(self, key: Any) -> None:
        self.check_crypto_key_type(key)

    @staticmethod
    def to_jwk(key: Any, as_dict: bool = False) -> Any:
        """Return the JWK of a key: JSON, or a dict.

        Raises:
            InvalidKeyError: The object is not a key.
        """
        members = members_of(key, "OKP")
        crv = members.pop("crv")
        return jwk_text({**members, "kty": "OKP", "crv": crv}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key object of a JWK.

        Raises:
            InvalidKeyError: The JWK is not such a key.
        """
        found = jwk_object(jwk, "OKP", "Not an Octet Key Pair")
        crv = found.get("crv")
        if crv not in ("Ed25519", "Ed448"):
            raise InvalidKeyError(f"Invalid curve: {crv}")
        if "x" not in found:
            raise InvalidKeyError('OKP should have "x" parameter')
        return object_of_jwk(found)
