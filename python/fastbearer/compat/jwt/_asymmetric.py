"""What RSA, elliptic and Edwards curves have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from fastbearer._core import Key, raw_sign, raw_verify
from fastbearer.compat._shared.key_objects import (
    core_of,
    hash_of,
    kind_of,
    object_of,
    sign_with,
    types_of,
)
from fastbearer.compat._shared.lax_jwk import key_of_jwk
from fastbearer.compat._shared.memo import TextMemo
from fastbearer.compat._shared.pem import PRIVATE, PUBLIC, first_block
from fastbearer.compat.jwt import _ssh
from fastbearer.compat.jwt._algorithm import Algorithm, PackagesHash, digest_name
from fastbearer.compat.jwt.exceptions import InvalidKeyError
from fastbearer.compat.jwt.types import JWKDict
from fastbearer.compat.jwt.utils import force_bytes
from fastbearer.errors import FastbearerError

__all__ = [
    "NEITHER",
    "AsymmetricAlgorithm",
    "HashingAlgorithm",
    "is_sealed",
    "members_of",
    "object_of_jwk",
]

UNREADABLE = "Could not parse the provided public key."
NOT_TEXT = "Expecting a PEM-formatted key."
NEITHER = "Not a public or private key"


class AsymmetricAlgorithm(Algorithm):
    """What all of them do alike.

    A key may be PEM, a line of SSH, a key of the core, or a key object of the
    package cryptography.
    """

    _kind: ClassVar[str]
    _unreadable: ClassVar[str] = UNREADABLE

    def prepare_key(self, key: Any) -> Any:
        """Return the key object of a string, or the key object.

        Raises:
            InvalidKeyError: The key cannot be used.
            TypeError: The key is neither text nor a key object.
        """
        if isinstance(key, (str, bytes)):
            return object_of(self._read(key))
        if not isinstance(key, (Key, *types_of(self._kind))):
            self._refuse_object(key)
        if not is_sealed(key):
            self._core(key)
        return key

    def core_key(self, text: str | bytes) -> Key:
        """Return the key of the core for a string, with this algorithm.

        Raises:
            InvalidKeyError: The key cannot be used.
        """
        return self._core(self._read(text))

    def _refuse_object(self, key: Any) -> None:
        raise TypeError(NOT_TEXT)

    def _read(self, text: str | bytes) -> Key:
        """Return the key of a string, with an algorithm of its own."""
        return self._checked(_read(text, self._unreadable))

    def _checked(self, key: Key) -> Key:
        kind = kind_of(key)
        if kind != self._kind:
            raise InvalidKeyError(
                f"Expected a key of kind {self._kind}, got: {kind}."
                f" Invalid Key type for {type(self).__name__}"
            )
        return key

    def _core(self, key: Any) -> Key:
        """Return the key of the core, with this algorithm.

        Raises:
            InvalidKeyError: The key breaks a rule of the core.
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
        if is_sealed(key):
            return self._signed_by(key, force_bytes(msg))
        try:
            return raw_sign(force_bytes(msg), self._core(key))
        except FastbearerError as error:
            raise InvalidKeyError(str(error)) from None

    def _signed_by(self, key: Any, msg: bytes) -> bytes:
        """Return the signature of a key that signs by itself alone."""
        return sign_with(key, "", "", msg)

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Tell whether a signature is right.

        Raises:
            InvalidKeyError: The key breaks a rule of the core.
        """
        if is_sealed(key):
            key = key.public_key()
        return raw_verify(force_bytes(msg), force_bytes(sig), self._core(key))


class HashingAlgorithm(AsymmetricAlgorithm):
    """One with a hash.

    Args:
        hash_alg: SHA-256, SHA-384 or SHA-512, of hashlib or of cryptography.
    """

    SHA256 = PackagesHash("sha256")
    SHA384 = PackagesHash("sha384")
    SHA512 = PackagesHash("sha512")

    def __init__(self, hash_alg: Any) -> None:
        self._digest = digest_name(hash_alg)

    @property
    def hash_alg(self) -> Any:
        """The hash."""
        return hash_of(self._digest)

    @property
    def _bits(self) -> str:
        return self._digest.removeprefix("sha")


def _make_key(text: str | bytes, unreadable: str) -> Key:
    data = force_bytes(text)
    try:
        if _ssh.is_ssh(data):
            return key_of_jwk(dict(_ssh.jwk_of(data)))
        block = first_block(data, PRIVATE, PUBLIC)
        if block is not None:
            return Key.from_pem(block)
    except FastbearerError as error:
        if error.reason not in ("key_unreadable", "key_no_pem"):
            raise InvalidKeyError(str(error)) from None
    except ValueError as error:
        raise InvalidKeyError(str(error)) from None
    raise InvalidKeyError(unreadable)


_read = TextMemo(_make_key)


def object_of_jwk(jwk: JWKDict) -> Any:
    """Return the key object of a JWK.

    Raises:
        InvalidKeyError: The JWK is not a key.
    """
    try:
        return object_of(key_of_jwk(jwk))
    except ValueError as error:
        raise InvalidKeyError(str(error)) from None


def is_sealed(key: Any) -> bool:
    """Tell whether a key object keeps its private half to itself, as hardware does."""
    if isinstance(key, (str, bytes, Key)) or not hasattr(key, "private_bytes"):
        return False
    try:
        core_of(key, None)
    except NotImplementedError:
        return True
    except (FastbearerError, TypeError, ValueError):
        pass  # its own words come when it is used
    return False


def members_of(key: Any, kind: str) -> JWKDict:
    """Return the members of a key object's JWK, but for ``kty``."""
    if not isinstance(key, (Key, *types_of(kind))):
        raise InvalidKeyError(NEITHER)
    try:
        core = core_of(key, None)
        jwk = core.to_jwk(private=core.is_private)
    except (FastbearerError, TypeError, ValueError) as error:
        raise InvalidKeyError(str(error)) from None
    if kind_of(core) != kind:
        raise InvalidKeyError(NEITHER)
    return {name: jwk[name] for name in jwk if name not in ("kty", "alg", "kid")}
