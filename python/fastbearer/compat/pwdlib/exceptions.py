"""The errors of pwdlib."""

__all__ = ["HasherNotAvailable", "PwdlibError", "UnknownHash"]


class PwdlibError(Exception):
    """Any of them.

    Attributes:
        message: What it says.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class HasherNotAvailable(PwdlibError):  # noqa: N818 - pwdlib's name
    """A hasher is missing; none is here."""

    def __init__(self, hasher: str) -> None:
        super().__init__(f"The {hasher} hash algorithm is not available.")


class UnknownHash(PwdlibError):  # noqa: N818 - pwdlib's name
    """No hasher knows the hash, which the message does not repeat."""

    def __init__(self, hash: str | bytes) -> None:
        self.hash = hash
        super().__init__("This hash can't be identified. Make sure it's valid.")
