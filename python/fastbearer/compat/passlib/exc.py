"""The errors of passlib that its common recipes meet."""

__all__ = [
    "InvalidHashError",
    "MalformedHashError",
    "MissingBackendError",
    "NullPasswordError",
    "PasslibHashWarning",
    "PasslibSecurityError",
    "PasslibSecurityWarning",
    "PasslibWarning",
    "PasswordSizeError",
    "PasswordTruncateError",
    "PasswordValueError",
    "UnknownHashError",
]


class UnknownHashError(ValueError):
    """No scheme knows the hash."""

    def __init__(self, message: str = "hash could not be identified") -> None:
        super().__init__(message)


class InvalidHashError(ValueError):
    """It is none of the scheme's."""


class MalformedHashError(InvalidHashError):
    """It is one of the scheme's, and broken."""


class MissingBackendError(RuntimeError):
    """What computes the hash is missing; it never is here."""


class PasslibSecurityError(RuntimeError):
    """Something must not be done."""


class PasswordValueError(ValueError):
    """A password that the scheme does not take."""


class NullPasswordError(PasswordValueError):
    """It has a NUL."""


class PasswordSizeError(PasswordValueError):
    """It is too long."""


class PasswordTruncateError(PasswordSizeError):
    """The scheme would forget its end."""


class PasslibWarning(UserWarning):
    """Any of them."""


class PasslibHashWarning(PasslibWarning):
    """A hash, or its settings."""


class PasslibSecurityWarning(PasslibWarning):
    """Something is not safe."""
