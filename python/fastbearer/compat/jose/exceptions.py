"""The errors of python-jose."""

__all__ = [
    "ExpiredSignatureError",
    "JOSEError",
    "JWEAlgorithmUnsupportedError",
    "JWEError",
    "JWEInvalidAuth",
    "JWEParseError",
    "JWKError",
    "JWSAlgorithmError",
    "JWSError",
    "JWSSignatureError",
    "JWTClaimsError",
    "JWTError",
]


class JOSEError(Exception):
    """The base class of all errors here."""


class JWSError(JOSEError):
    """A signed token was not accepted, or cannot be made."""


class JWSSignatureError(JWSError):
    """The signature is wrong."""


class JWSAlgorithmError(JWSError):
    """The algorithm is not allowed, or unknown."""


class JWTError(JOSEError):
    """The token was not accepted."""


class JWTClaimsError(JWTError):
    """The claims of the token were not accepted."""


class ExpiredSignatureError(JWTError):
    """The token has expired."""


class JWKError(JOSEError):
    """The key cannot be used."""


class JWEError(JOSEError):
    """The encrypted text was not accepted."""


class JWEParseError(JWEError):
    """The text is not an encrypted token."""


class JWEInvalidAuth(JWEError):  # noqa: N818 - python-jose's name
    """The encrypted text was altered."""


class JWEAlgorithmUnsupportedError(JWEError):
    """The algorithm of the encrypted text is not supported."""
