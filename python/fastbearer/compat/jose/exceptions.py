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
    """Any of them."""


class JWSError(JOSEError):
    """A signed text that is not accepted, or cannot be made."""


class JWSSignatureError(JWSError):
    """The signature is wrong."""


class JWSAlgorithmError(JWSError):
    """The algorithm is."""


class JWTError(JOSEError):
    """A token that is not accepted."""


class JWTClaimsError(JWTError):
    """Its claims are not."""


class ExpiredSignatureError(JWTError):
    """It has expired."""


class JWKError(JOSEError):
    """A key that cannot be used."""


class JWEError(JOSEError):
    """An encrypted text that is not accepted."""


class JWEParseError(JWEError):
    """It is not one."""


class JWEInvalidAuth(JWEError):  # noqa: N818 - python-jose's name
    """It was altered."""


class JWEAlgorithmUnsupportedError(JWEError):
    """Its algorithm is not known."""
