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
    """Any of them."""


class InvalidTokenError(PyJWTError):
    """A token that is not accepted."""


class DecodeError(InvalidTokenError):
    """It cannot be read."""


class InvalidSignatureError(DecodeError):
    """Its signature is wrong."""


class ExpiredSignatureError(InvalidTokenError):
    """``exp`` has come."""


class InvalidAudienceError(InvalidTokenError):
    """``aud`` is not the one asked for."""


class InvalidIssuerError(InvalidTokenError):
    """``iss`` is not the one asked for."""


class InvalidIssuedAtError(InvalidTokenError):
    """``iat`` is no number."""


class ImmatureSignatureError(InvalidTokenError):
    """``nbf`` or ``iat`` is to come."""


class InvalidAlgorithmError(InvalidTokenError):
    """``alg`` is not allowed."""


class MissingRequiredClaimError(InvalidTokenError):
    """A claim that is required is not there.

    Attributes:
        claim: Its name.
    """

    def __init__(self, claim: str) -> None:
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class InvalidSubjectError(InvalidTokenError):
    """``sub`` is no string, or not the one asked for."""


class InvalidJTIError(InvalidTokenError):
    """``jti`` is no string."""


class InvalidKeyError(PyJWTError):
    """A key that cannot be used."""


class PyJWKError(PyJWTError):
    """A JWK that cannot be used."""


class MissingCryptographyError(PyJWKError):
    """Never raised here: no algorithm needs another package."""


class PyJWKSetError(PyJWTError):
    """A JWK Set that cannot be used."""


class PyJWKClientError(PyJWTError):
    """There is no such key at the URL."""


class PyJWKClientConnectionError(PyJWKClientError):
    """The URL cannot be reached."""
