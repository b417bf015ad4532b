"""The names that python-jose has for its keys over the package cryptography."""

from fastbearer.compat.jose.backends._aes import AESKey as CryptographyAESKey
from fastbearer.compat.jose.backends._asymmetric import ECKey as CryptographyECKey
from fastbearer.compat.jose.backends._asymmetric import RSAKey as CryptographyRSAKey
from fastbearer.compat.jose.backends.native import HMACKey as CryptographyHMACKey
from fastbearer.compat.jose.backends.native import get_random_bytes

__all__ = [
    "CryptographyAESKey",
    "CryptographyECKey",
    "CryptographyHMACKey",
    "CryptographyRSAKey",
    "get_random_bytes",
]
