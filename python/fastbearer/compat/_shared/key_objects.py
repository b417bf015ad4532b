"""Key objects of the package cryptography, which need not be installed.

Whoever brings such an object has the package. Where it is not installed, a key of the
core stands in for an object that is asked for.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from typing import Any

from fastbearer._core import Key
from fastbearer.compat._shared.memo import ObjectMemo

__all__ = [
    "core_of",
    "hash_of",
    "is_installed",
    "kind_of",
    "object_of",
    "pem_of",
    "sign_with",
    "types_of",
]


KINDS = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The ``kty`` of a key of the core, by the first letters of its algorithm."""


def kind_of(key: Key) -> str:
    """Return the ``kty`` of a key (RFC 7517 4.1)."""
    return KINDS[key.algorithm[:2]]


@cache
def is_installed() -> bool:
    """Tell whether the package can be imported."""
    return find_spec("cryptography") is not None


def pem_of(key: Any) -> bytes:
    """Return the PEM of a key object.

    Raises:
        TypeError: The object is not a key.
    """
    from cryptography.hazmat.primitives import serialization as forms

    if hasattr(key, "private_bytes"):
        return bytes(
            key.private_bytes(
                forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
            )
        )
    if hasattr(key, "public_bytes"):
        return bytes(
            key.public_bytes(
                forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo
            )
        )
    raise TypeError("not a key of the package cryptography")


@cache
def types_of(kind: str) -> tuple[type, ...]:
    """Return the classes of key objects of a kind of keys.

    Args:
        kind: "RSA", "EC" or "OKP".
    """
    if not is_installed():
        return (Key,)
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    return {
        "RSA": (rsa.RSAPrivateKey, rsa.RSAPublicKey),
        "EC": (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey),
        "OKP": (
            ed25519.Ed25519PrivateKey,
            ed25519.Ed25519PublicKey,
            ed448.Ed448PrivateKey,
            ed448.Ed448PublicKey,
        ),
    }[kind]


@cache
def hash_of(name: str) -> Any:
    """Return the package's class of a hash, or hashlib's function without it.

    Args:
        name: hashlib's name, like "sha256".
    """
    if not is_installed():
        return getattr(hashlib, name)
    from cryptography.hazmat.primitives import hashes

    return getattr(hashes, name.upper())


def sign_with(key: Any, padding: str, name: str, message: bytes) -> bytes:
    """Return the signature of a key object that does not give its private half away.

    Such objects stand for a key in other hardware. An ECDSA signature is in DER.

    Args:
        key: The object.
        padding: "RS" or "PS" for RSA; others ignore it.
        name: hashlib's name of the hash.
        message: What to sign.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.asymmetric import padding as paddings

    digest: Any = hash_of(name)() if name else None
    if isinstance(key, rsa.RSAPrivateKey):
        if padding == "RS":
            return key.sign(message, paddings.PKCS1v15(), digest)
        salted = paddings.PSS(paddings.MGF1(digest), digest.digest_size)
        return key.sign(message, salted, digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(digest))
    return bytes(key.sign(message))


def _make_object(key: Key) -> Any:
    if not is_installed():
        return key
    from cryptography.hazmat.primitives import serialization as forms

    pem = key.to_pem(private=key.is_private).encode("ascii")
    # The core has judged the key. To prove its primes once more would take minutes for
    # the widest, and no other thread would run meanwhile.
    made: Any = (
        forms.load_pem_private_key(
            pem, password=None, unsafe_skip_rsa_key_validation=True
        )
        if key.is_private
        else forms.load_pem_public_key(pem)
    )
    core_of.remember(key, made, None)
    return made


def _make_core(key: Any, algorithm: str | None) -> Key:
    if not isinstance(key, Key):
        if algorithm is None:
            return Key.from_pem(pem_of(key))
        own = core_of(key, None)
        return core_of(own, algorithm)
    if algorithm in (None, key.algorithm):
        return key
    return Key.from_pem(key.to_pem(private=key.is_private), algorithm)


object_of = ObjectMemo(_make_object)
"""Returns the key object of a key of the core, the same object every time."""

core_of: ObjectMemo[Key] = ObjectMemo(_make_core)
"""Returns the key of the core for a key object and an algorithm (None: its own).

Raises InvalidKeyError where the key breaks a rule of the core.
"""
