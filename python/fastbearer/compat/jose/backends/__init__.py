"""The kinds of keys. python-jose chooses between libraries here; we have one core."""

from fastbearer.compat.jose.backends._aes import AESKey
from fastbearer.compat.jose.backends._asymmetric import ECKey, RSAKey
from fastbearer.compat.jose.backends.base import DIRKey
from fastbearer.compat.jose.backends.native import HMACKey, get_random_bytes

__all__ = ["AESKey", "DIRKey", "ECKey", "HMACKey", "RSAKey", "get_random_bytes"]
