"""python-jose 3.5, as its users know it, over fastbearer's core."""

from fastbearer.compat.jose.exceptions import (
    ExpiredSignatureError,
    JOSEError,
    JWSError,
    JWTError,
)

__version__ = "3.5.0"
__all__ = ["ExpiredSignatureError", "JOSEError", "JWSError", "JWTError"]
