"""Authentication for FastAPI backends, on a native core.

Tokens are verified and signed, and passwords hashed, by a C extension over
OpenSSL. This module needs nothing else; the FastAPI layer is
``fastbearer.fastapi``.
"""

# What is imported here has a TYPE_CHECKING of its own, which type checkers know by its
# name: to import typing takes longer than all of this.

from . import jws
from ._core import Signer, Verifier, unverified_header
from .errors import (
    ClaimError,
    ConfigurationError,
    ExpiredTokenError,
    FastbearerError,
    HasherBusyError,
    ImmatureTokenError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidClaimError,
    InvalidHashError,
    InvalidIssuerError,
    InvalidKeyError,
    InvalidSignatureError,
    KeySourceError,
    MalformedTokenError,
    MissingClaimError,
    PasswordError,
    PasswordTooLongError,
    TokenError,
    UnknownKeyError,
)
from .keys import Key, KeySet
from .passwords import PasswordHash, hash_password, verify_password
from .tokens import Token

__all__ = [
    "ClaimError",
    "ConfigurationError",
    "ExpiredTokenError",
    "FastbearerError",
    "HasherBusyError",
    "ImmatureTokenError",
    "InvalidAlgorithmError",
    "InvalidAudienceError",
    "InvalidClaimError",
    "InvalidHashError",
    "InvalidIssuerError",
    "InvalidKeyError",
    "InvalidSignatureError",
    "Key",
    "KeySet",
    "KeySourceError",
    "MalformedTokenError",
    "MissingClaimError",
    "PasswordError",
    "PasswordHash",
    "PasswordTooLongError",
    "Signer",
    "Token",
    "TokenError",
    "UnknownKeyError",
    "Verifier",
    "hash_password",
    "jws",
    "unverified_header",
    "verify_password",
]

__version__ = "0.1.0"
