"""Whether a signature is right, by the standard library and by `cryptography`."""

from __future__ import annotations

import hmac
from functools import cache
from typing import Any

from fastbearer import Key

from .fixed_keys import SECRET

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
except ImportError:  # a Python for which it has no wheel
    hashes = None  # type: ignore[assignment]

HAS_SECOND_OPINION = hashes is not None
SHA = {"256": "SHA256", "384": "SHA384", "512": "SHA512", "56K": "SHA256"}


@cache
def second_key(pem: str) -> Any:
    return load_pem_public_key(pem.encode())


@cache
def pem_of(key: Key) -> str:
    return key.to_pem()


def is_hmac(alg: str, message: bytes, claimed: bytes, secret: bytes) -> bool:
    digest = f"sha{alg[2:]}"
    return hmac.compare_digest(hmac.digest(secret, message, digest), claimed)


def is_ecdsa(key: Any, algorithm: Any, message: bytes, claimed: bytes) -> bool:
    half = (key.curve.key_size + 7) // 8
    if len(claimed) != 2 * half:
        return False
    r, s = (int.from_bytes(part, "big") for part in (claimed[:half], claimed[half:]))
    der = utils.encode_dss_signature(r, s)
    return passes(key, der, message, ec.ECDSA(algorithm))


def passes(key: Any, claimed: bytes, *how: Any) -> bool:
    try:
        key.verify(claimed, *how)
    except InvalidSignature:
        return False
    return True


def is_signature(key: Key, alg: str, message: bytes, claimed: bytes) -> bool:
    """Tell whether a key of `fixed_keys` made it with that algorithm."""
    if alg.startswith("HS"):
        return is_hmac(alg, message, claimed, SECRET.encode())
    other = second_key(pem_of(key))
    if alg.startswith("Ed"):
        return passes(other, claimed, message)
    algorithm = getattr(hashes, SHA[alg[-3:]])()
    if alg.startswith("ES"):
        return is_ecdsa(other, algorithm, message, claimed)
    if len(claimed) != other.key_size // 8:
        return False
    if alg.startswith("RS"):
        return passes(other, claimed, message, padding.PKCS1v15(), algorithm)
    salt = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    return passes(other, claimed, message, salt, algorithm)
