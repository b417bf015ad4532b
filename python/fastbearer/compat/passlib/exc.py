"""The errors of passlib that its common recipes meet."""

from __future__ import annotations

from typing import Protocol

__all__ = [
    "InternalBackendError",
    "InvalidHashError",
    "MalformedHashError",
    "MissingBackendError",
    "NullPasswordError",
    "PasslibConfigWarning",
    "PasslibHashWarning",
    "PasslibRuntimeWarning",
    "PasslibSecurityError",
    "PasslibSecurityWarning",
    "PasslibWarning",
    "PasswordSizeError",
    "PasswordTruncateError",
    "PasswordValueError",
    "UnknownBackendError",
    "UnknownHashError",
]


class UnknownHashError(ValueError):
    """No scheme knows the hash.

    Attributes:
        message: What it says; never a hash.
        value: What was not known, if whoever raised it has told.
    """

    def __init__(
        self, message: str = "hash could not be identified", value: object = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.value = value


class InvalidHashError(ValueError):
    """The hash is not one of the scheme."""


class MalformedHashError(InvalidHashError):
    """It is one of the scheme's, and broken."""


class UnknownBackendError(ValueError):
    """There is no such backend."""


class MissingBackendError(RuntimeError):
    """What computes the hash is missing; it never is here."""


class InternalBackendError(RuntimeError):
    """What computes the hash has failed."""


class PasslibSecurityError(RuntimeError):
    """Something must not be done."""


class PasswordValueError(ValueError):
    """A password that the scheme does not take."""


class NullPasswordError(PasswordValueError):
    """It has a NUL."""


class PasswordSizeError(PasswordValueError):
    """It is too long.

    Attributes:
        max_size: What would not be.
    """

    def __init__(
        self,
        max_size: int | None = None,
        msg: str = "password exceeds maximum allowed size",
    ) -> None:
        super().__init__(msg)
        self.max_size = max_size


class _Truncating(Protocol):
    name: str
    truncate_size: int | None


class PasswordTruncateError(PasswordSizeError):
    """The scheme would forget its end.

    Args:
        cls: The handler.
        msg: In place of what is said.
    """

    def __init__(self, cls: _Truncating, msg: str | None = None) -> None:
        size = cls.truncate_size
        told = f"Password too long ({cls.name} truncates to {size} characters)"
        super().__init__(size, told if msg is None else msg)


class PasslibWarning(UserWarning):
    """Any of them."""


class PasslibConfigWarning(PasslibWarning):
    """A setting of a context."""


class PasslibHashWarning(PasslibWarning):
    """A hash, or its settings."""


class PasslibRuntimeWarning(PasslibWarning):
    """Something went otherwise than it should."""


class PasslibSecurityWarning(PasslibWarning):
    """Something is not safe."""
