"""The errors of PyJWT."""

__all__ = [
    "DecodeError",
    "ExpiredSignatureError",
    "ImmatureSignatureError",
    "InvalidAlgorithmError",
    "InvalidAudienceError",
    "InvalidIssuedAtError",
    "InvalidIssuerError",
    "InvalidJTIError",
    "InvalidKeyError",
    "InvalidSignatureError",
    "InvalidSubjectError",
    "InvalidTokenError",
    "MissingCryptographyError",
    "MissingRequiredClaimError",
    "PyJWKClientConnectionError",
    "PyJWKClientError",
    "PyJWKError",
    "PyJWKSetError",
    "PyJWTError",
]


class PyJWTError(Exception):
    """The base class of all errors here."""


class InvalidTokenError(PyJWTError):
    """The token was not accepted."""


class DecodeError(InvalidTokenError):
    """The token cannot be read."""


class InvalidSignatureError(DecodeError):
    """The signature of the token is wrong."""


class ExpiredSignatureError(InvalidTokenError):
    """The time of ``exp`` has come."""


class InvalidAudienceError(InvalidTokenError):
    """``aud`` is not the one asked for."""


class InvalidIssuerError(InvalidTokenError):
    """``iss`` is not the one asked for."""


class InvalidIssuedAtError(InvalidTokenError):
    """``iat`` is not a number."""


class ImmatureSignatureError(InvalidTokenError):
    """The time of ``nbf`` or ``iat`` is still to come."""


class InvalidAlgorithmError(InvalidTokenError):
    """``alg`` is not allowed."""


class MissingRequiredClaimError(InvalidTokenError):
    """A required claim is missing.

    Attributes:
        claim: Its name.
    """

    def __init__(self, claim: str) -> None:
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class InvalidSubjectError(InvalidTokenError):
    """``sub`` is not a string, or not the one asked for."""


class InvalidJTIError(InvalidTokenError):
    """``jti`` is not a string."""


class InvalidKeyError(PyJWTError):
    """The key cannot be used."""


class PyJWKError(PyJWTError):
    """The JWK cannot be used."""


class MissingCryptographyError(PyJWKError):
    """Never raised here: no algorithm needs another package."""


class PyJWKSetError(PyJWTError):
    """The JWK Set cannot be used."""


class PyJWKClientError(PyJWTError):
    """There is no such key at the URL."""


class PyJWKClientConnectionError(PyJWKClientError):
    """The URL cannot be reached."""
