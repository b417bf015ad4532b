"""Keys, told apart by their algorithm."""

from __future__ import annotations

from typing import Any

from fastbearer.compat.jose.backends import AESKey, DIRKey, ECKey, HMACKey, RSAKey
from fastbearer.compat.jose.backends.base import Key
from fastbearer.compat.jose.constants import ALGORITHMS
from fastbearer.compat.jose.exceptions import JWKError

__all__ = [
    "AESKey",
    "DIRKey",
    "ECKey",
    "HMACKey",
    "Key",
    "RSAKey",
    "construct",
    "get_key",
    "register_key",
]

NO_ALGORITHM = "Unable to find an algorithm for key"


def get_key(algorithm: str) -> Any:
    """Return the class of an algorithm's keys, or None."""
    if algorithm in ALGORITHMS.KEYS:
        return ALGORITHMS.KEYS[algorithm]
    if algorithm in ALGORITHMS.HMAC:
        return HMACKey
    if algorithm in ALGORITHMS.RSA_DS | ALGORITHMS.RSA_OAEP_ALL:
        return RSAKey
    if algorithm in ALGORITHMS.EC_DS:
        return ECKey
    if algorithm in ALGORITHMS.AES_KW | ALGORITHMS.AES_JWE_ENC:
        return AESKey
    return DIRKey if algorithm == ALGORITHMS.DIR else None


def register_key(algorithm: str, key_class: type[Key]) -> bool:
    """Let an algorithm have keys of a class of your own.

    Raises:
        TypeError: The class is not a subclass of `Key`.
    """
    if not issubclass(key_class, Key):
        raise TypeError("Key class is not a subclass of jwk.Key")
    ALGORITHMS.KEYS[algorithm] = key_class
    ALGORITHMS.SUPPORTED.add(algorithm)
    return True


def construct(key_data: Any, algorithm: str | None = None) -> Any:
    """Return the key of a secret, a PEM string or a JWK.

    Raises:
        JWKError: The key cannot be used for the algorithm, or there is no algorithm.
    """
    if not algorithm and isinstance(key_data, dict):
        algorithm = key_data.get("alg")
    key_class = get_key(algorithm) if isinstance(algorithm, str) else None
    if key_class is None:
        raise JWKError(NO_ALGORITHM)
    return key_class(key_data, algorithm)
