"""RSA, elliptic and Edwards curves (RFC 7518 3.3-3.5, RFC 8037)."""

from __future__ import annotations

from typing import Any, ClassVar

from fastbearer._core import Key, raw_sign, raw_verify
from fastbearer.compat.jwks import key_of_jwk
from fastbearer.compat.jwt import ssh
from fastbearer.compat.jwt.algorithm import (
    Algorithm,
    HashAlgorithm,
    jwk_object,
    jwk_text,
)
from fastbearer.compat.jwt.exceptions import InvalidKeyError
from fastbearer.compat.jwt.types import HashlibHash, JWKDict
from fastbearer.compat.jwt.utils import force_bytes
from fastbearer.compat.parsed import Parsed
from fastbearer.compat.pyca import core_of, object_of, types_of
from fastbearer.errors import FastbearerError

__all__ = [
    "AsymmetricAlgorithm",
    "ECAlgorithm",
    "OKPAlgorithm",
    "RSAAlgorithm",
    "RSAPSSAlgorithm",
]

UNREADABLE = "Could not parse the provided public key."
NOT_TEXT = "Expecting a PEM-formatted key."
NEITHER = "Not a public or private key"
LEAST_BITS = 2048

# By the first letters of the algorithm of a key of the core.
KINDS = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
CURVES = {
    "ES256": "secp256r1",
    "ES256K": "secp256k1",
    "ES384": "secp384r1",
    "ES512": "secp521r1",
}
COORDINATES = {"P-256": 32, "P-384": 48, "P-521": 66, "secp256k1": 32}


class AsymmetricAlgorithm(Algorithm):
    """What all of them do alike.

    A key may be PEM, a line of SSH, a key of the core, or a key object of the
    package cryptography.
    """

    _kind: ClassVar[str]

    def prepare_key(self, key: Any) -> Any:
        """Return the key object of a text, or the key object.

        Raises:
            InvalidKeyError: It cannot be used.
            TypeError: It is no text, nor a key object.
        """
        if isinstance(key, (str, bytes)):
            return object_of(self._read(key))
        if not isinstance(key, (Key, *types_of(self._kind))):
            self._refuse_object(key)
        self._core(key)
        return key

    def core_key(self, text: str | bytes) -> Key:
        """Return the key of the core for a text, with this algorithm.

        Raises:
            InvalidKeyError: It cannot be used.
        """
        return self._core(self._read(text))

    def _refuse_object(self, key: Any) -> None:
        raise TypeError(NOT_TEXT)

    def _read(self, text: str | bytes) -> Key:
        """Return the key of a text, with an algorithm of its own."""
        return self._checked(_read(text))

    def _checked(self, key: Key) -> Key:
        kind = _kind(key)
        if kind != self._kind:
            raise InvalidKeyError(
                f"Expected a key of kind {self._kind}, got: {kind}."
                f" Invalid Key type for {type(self).__name__}"
            )
        return key

    def _core(self, key: Any) -> Key:
        """Return the key of the core, with this algorithm.

        Raises:
            InvalidKeyError: It breaks a rule of the core.
        """
        try:
            own = self._checked(core_of(key, None))
            return core_of(key, self._name(own))
        except (FastbearerError, AttributeError, TypeError, ValueError) as error:
            raise InvalidKeyError(str(error)) from None

    def _name(self, own: Key) -> str:
        """Return the core's name of the algorithm, for a key."""
        return own.algorithm

    def sign(self, msg: bytes, key: Any) -> bytes:
        """Return a signature.

        Raises:
            InvalidKeyError: The key is public, or breaks a rule of the core.
        """
        try:
            return raw_sign(force_bytes(msg), self._core(key))
        except FastbearerError as error:
            raise InvalidKeyError(str(error)) from None

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Tell whether a signature is right.

        Raises:
            InvalidKeyError: The key breaks a rule of the core.
        """
        return raw_verify(force_bytes(msg), force_bytes(sig), self._core(key))


class RSAAlgorithm(AsymmetricAlgorithm, HashAlgorithm):
    """RS256, RS384 or RS512."""

    _kind = "RSA"
    _family: ClassVar[str] = "RS"

    def _name(self, own: Key) -> str:
        return self._family + self._bits

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
            InvalidKeyError: It is no key.
        """
        members = _members(key_obj, "RSA")
        usage = {"kty": "RSA", "key_ops": ["sign" if "d" in members else "verify"]}
        return jwk_text({**usage, **members}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key object of a JWK.

        Raises:
            InvalidKeyError: It is none.
        """
        found = jwk_object(jwk, "RSA", "Not an RSA key")
        if not {"n", "e"} <= found.keys():
            raise InvalidKeyError(NEITHER)
        if "oth" in found:
            raise InvalidKeyError(
                "Unsupported RSA private key: > 2 primes not supported"
            )
        primes = {"p", "q", "dp", "dq", "qi"}
        if "d" in found and 0 < len(primes & found.keys()) < len(primes):
            raise InvalidKeyError(
                "RSA key must include all parameters if any are present besides d"
            )
        return _object(found)


class RSAPSSAlgorithm(RSAAlgorithm):
    """PS256, PS384 or PS512."""

    _family = "PS"


class ECAlgorithm(AsymmetricAlgorithm, HashAlgorithm):
    """ES256, ES256K, ES384 or ES512.

    Args:
        hash_alg: The hash; each curve has its one (RFC 7518 3.4).
        expected_curve: The name of the curve, or cryptography's class of it; None
            for any.
    """

    _kind = "EC"

    def __init__(self, hash_alg: HashlibHash, expected_curve: Any = None) -> None:
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
        self._check_hash(key)
        return super().sign(msg, key)

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Tell whether a signature is right.

        Raises:
            InvalidKeyError: The key's curve has another hash.
        """
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
            InvalidKeyError: It is no key.
        """
        return jwk_text({"kty": "EC", **_members(key_obj, "EC")}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key object of a JWK.

        Raises:
            InvalidKeyError: It is none.
        """
        problem = "Not an Elliptic curve key"
        found = jwk_object(jwk, "EC", problem)
        if not {"x", "y"} <= found.keys():
            raise InvalidKeyError(problem)
        crv = found.get("crv")
        if not isinstance(crv, str) or crv not in COORDINATES:
            raise InvalidKeyError(f"Invalid curve: {crv}")
        size = COORDINATES[crv]
        for name in ("x", "y"):
            text = found[name]
            if isinstance(text, str) and len(text.rstrip("=")) * 6 // 8 != size:
                raise InvalidKeyError(f"Coords should be {size} bytes for curve {crv}")
        return _object(found)


class OKPAlgorithm(AsymmetricAlgorithm):
    """EdDSA, with Ed25519 or Ed448."""

    _kind = "OKP"

    def __init__(self, **kwargs: Any) -> None: ...

    def _refuse_object(self, key: Any) -> None:
        self.check_crypto_key_type(key)

    def _read(self, text: str | bytes) -> Key:
        try:
            return super()._read(text)
        except InvalidKeyError as error:
            raise InvalidKeyError(
                NEITHER if str(error) == UNREADABLE else str(error)
            ) from None

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> Any:
        """Return the JWK of a key: JSON, or a dict.

        Raises:
            InvalidKeyError: It is no key.
        """
        members = _members(key_obj, "OKP")
        crv = members.pop("crv")
        return jwk_text({**members, "kty": "OKP", "crv": crv}, as_dict)

    @staticmethod
    def from_jwk(jwk: str | JWKDict) -> Any:
        """Return the key object of a JWK.

        Raises:
            InvalidKeyError: It is none.
        """
        found = jwk_object(jwk, "OKP", "Not an Octet Key Pair")
        crv = found.get("crv")
        if crv not in ("Ed25519", "Ed448"):
            raise InvalidKeyError(f"Invalid curve: {crv}")
        if "x" not in found:
            raise InvalidKeyError('OKP should have "x" parameter')
        return _object(found)


def _kind(key: Key) -> str:
    return KINDS[key.algorithm[:2]]


def _make_key(text: str | bytes) -> Key:
    data = force_bytes(text)
    try:
        if ssh.is_ssh(data):
            return key_of_jwk(dict(ssh.jwk_of(data)))
        if b"BEGIN CERTIFICATE" not in data:
            return Key.from_pem(data)
    except (FastbearerError, ValueError) as error:
        reason = str(error)
        if "could be read" not in reason:
            raise InvalidKeyError(reason) from None
    raise InvalidKeyError(UNREADABLE)


_read = Parsed(_make_key)


def _object(jwk: JWKDict) -> Any:
    try:
        return object_of(key_of_jwk(jwk))
    except (FastbearerError, TypeError, ValueError) as error:
        raise InvalidKeyError(str(error)) from None


def _members(key: Any, kind: str) -> JWKDict:
    """Return the members of a key object's JWK, but for ``kty``."""
    if not isinstance(key, (Key, *types_of(kind))):
        raise InvalidKeyError(NEITHER)
    try:
        core = core_of(key, None)
        jwk = core.to_jwk(private=core.is_private)
    except (FastbearerError, TypeError, ValueError) as error:
        raise InvalidKeyError(str(error)) from None
    if _kind(core) != kind:
        raise InvalidKeyError(NEITHER)
    return {name: jwk[name] for name in jwk if name not in ("kty", "alg", "kid")}
