"""RSA and elliptic curves."""

from __future__ import annotations

import warnings
from typing import Any

from fastbearer._core import Key as CoreKey
from fastbearer._core import raw_sign, raw_verify, rsa_oaep_open, rsa_oaep_seal
from fastbearer.compat._shared import der
from fastbearer.compat._shared.key_objects import kind_of, pem_of
from fastbearer.compat._shared.lax_jwk import COORDINATE_BYTES, key_of_jwk
from fastbearer.compat._shared.pem import CERTIFICATES, PRIVATE, PUBLIC, first_block
from fastbearer.compat.jose.backends.base import Key
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JWEError, JWKError
from fastbearer.compat.jose.utils import ensure_binary
from fastbearer.errors import FastbearerError

__all__ = ["ECKey", "OtherKindError", "RSAKey"]

PRIVATE_VERIFIES = (
    "Attempting to verify a message with a private key. This is not recommended."
)


class OtherKindError(JWKError):
    """A good key, of another kind: its turn comes with another algorithm."""


class _AsymmetricKey(Key):
    """What both kinds do alike.

    Args:
        key: PEM (a certificate too), a JWK as a dict, a key object of the
            package ``cryptography``, or anything with ``to_pem()``.
        algorithm: The one that the key is for.

    Raises:
        JWKError: The key cannot be used.
    """

    kty = ""
    algorithms: frozenset[str] = frozenset()

    def __init__(self, key: Any, algorithm: str) -> None:
        if algorithm not in self.algorithms:
            raise JWKError(f"hash_alg: {algorithm} is not valid hash algorithm")
        self._algorithm = algorithm
        self.core: CoreKey = self._read(key)

    @property
    def _for(self) -> str:
        """The core's algorithm: it has keys for signatures only."""
        return self._algorithm

    def _read(self, key: Any) -> CoreKey:
        if isinstance(key, CoreKey):
            return key
        if isinstance(key, dict):
            return self._from_jwk(key)
        text = key if isinstance(key, (str, bytes)) else _pem_of(key)
        try:
            own = CoreKey.from_pem(_block(ensure_binary(text)))
            if kind_of(own) != self.kty:
                raise OtherKindError("The key is of another kind than its algorithm")
            return CoreKey.from_pem(_block(ensure_binary(text)), self._for)
        except (FastbearerError, TypeError, ValueError) as error:
            raise JWKError(str(error)) from None

    def _from_jwk(self, jwk: dict[str, Any]) -> CoreKey:
        if jwk.get("kty") != self.kty:
            raise JWKError(
                f"Incorrect key type. Expected: '{self.kty}',"
                f" Received: {jwk.get('kty')}"
            )
        try:
            return key_of_jwk(jwk, self._for)
        except ValueError as error:
            raise JWKError(str(error)) from None

    def sign(self, msg: bytes) -> bytes:
        """Return a signature.

        Raises:
            JWKError: The key is public.
        """
        try:
            return raw_sign(msg, self.core)
        except (FastbearerError, ValueError) as error:
            raise JWKError(str(error)) from None

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Tell whether a signature is right."""
        if not self.is_public():
            warnings.warn(PRIVATE_VERIFIES, stacklevel=2)
        return raw_verify(msg, sig, self.core)

    def is_public(self) -> bool:
        """Tell whether it can verify only."""
        return not self.core.is_private

    def public_key(self) -> Any:
        """Return the public half."""
        return (
            self
            if self.is_public()
            else type(self)(self.core.public(), self._algorithm)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JWK."""
        jwk = self.core.to_jwk(private=not self.is_public())
        return {**jwk, "alg": self._algorithm}

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, type(self))
            and self.is_public() == other.is_public()
            and self.core.thumbprint() == other.core.thumbprint()
        )

    def __hash__(self) -> int:
        return hash(self.core.thumbprint())


class RSAKey(_AsymmetricKey):
    """An RSA key of 2048 to 16384 bits."""

    kty = "RSA"
    algorithms: frozenset[str] = frozenset(ALGORITHMS.RSA_DS | ALGORITHMS.RSA_OAEP_ALL)

    @property
    def _for(self) -> str:
        return "RS256" if self._wraps else self._algorithm

    @property
    def _wraps(self) -> bool:
        return self._algorithm in ALGORITHMS.RSA_OAEP_ALL

    def wrap_key(self, key_data: bytes) -> bytes:
        """Return another key, encrypted for this one.

        Raises:
            JWEError: The key cannot be encrypted.
        """
        if not self._wraps:
            raise JWEError("The key is for signatures")
        try:
            return rsa_oaep_seal(self.core, self._is_sha256, ensure_binary(key_data))
        except FastbearerError:
            raise JWEError("The key cannot be encrypted") from None

    def unwrap_key(self, wrapped_key: bytes) -> bytes:
        """Return another key, decrypted.

        Raises:
            JWEError: The key was altered, or encrypted for somebody else.
        """
        if not self._wraps:
            raise JWEError("The key is for signatures")
        try:
            return rsa_oaep_open(self.core, self._is_sha256, ensure_binary(wrapped_key))
        except FastbearerError:
            raise JWEError("Invalid JWE Auth Tag") from None

    @property
    def _is_sha256(self) -> bool:
        return self._algorithm == ALGORITHMS.RSA_OAEP_256

    def to_pem(self, pem_format: str = "PKCS8") -> bytes:
        """Return PEM; of a private key in PKCS #8 or PKCS #1.

        Raises:
            ValueError: ``pem_format`` is neither.
        """
        if pem_format not in ("PKCS8", "PKCS1"):
            raise ValueError(f"Invalid format specified: {pem_format!r}")
        text = self.core.to_pem(private=not self.is_public())
        if self.is_public() or pem_format == "PKCS8":
            return text.encode("ascii")
        return der.pem("RSA PRIVATE KEY", der.pkcs1(der.pem_content(text)))


class ECKey(_AsymmetricKey):
    """A key on the curve of its algorithm (RFC 7518 3.4)."""

    kty = "EC"
    algorithms: frozenset[str] = frozenset(ALGORITHMS.EC_DS)

    def to_pem(self) -> bytes:
        """Return PEM; of a private key in the form of SEC 1."""
        text = self.core.to_pem(private=not self.is_public())
        if self.is_public():
            return text.encode("ascii")
        return der.pem("EC PRIVATE KEY", der.sec1(der.pem_content(text)))

    # Not public, but called by those who meet signatures in DER.

    def _sig_component_length(self) -> int:
        return COORDINATE_BYTES[self.core.public().to_jwk()["crv"]]

    def _der_to_raw(self, der_signature: bytes) -> bytes:
        return der.raw_signature(der_signature, self._sig_component_length())

    def _raw_to_der(self, raw_signature: bytes) -> bytes:
        return der.signature(raw_signature)


def _block(text: bytes) -> bytes:
    if text.lstrip().startswith(b"-----BEGIN CERTIFICATE"):
        return first_block(text, CERTIFICATES) or text
    return first_block(text, PUBLIC, PRIVATE, CERTIFICATES) or text


def _pem_of(key: Any) -> bytes:
    """Return the PEM of another library's key object."""
    try:
        return bytes(key.to_pem()) if hasattr(key, "to_pem") else pem_of(key)
    except Exception as error:
        raise JWKError("The key object cannot be read") from error
