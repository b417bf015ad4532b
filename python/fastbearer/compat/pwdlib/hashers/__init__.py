"""The hashers."""

from __future__ import annotations

from typing import Protocol

__all__ = ["HasherProtocol", "text_of"]


class HasherProtocol(Protocol):
    """What makes and verifies hashes of one kind."""

    def identify(self, hash: str | bytes) -> bool:
        """Tell whether it is one of this kind."""
        ...

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password."""
        ...

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash."""
        ...

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Tell whether other settings made it."""
        ...


def text_of(hash: str | bytes) -> str:
    """Return a hash as text; bytes that are not ASCII are not a hash.

    Raises:
        TypeError: It is neither str nor bytes.
    """
    if isinstance(hash, str):
        return hash
    if not isinstance(hash, bytes):
        raise TypeError(f"hash must be str or bytes, not {type(hash).__name__}")
    try:
        return hash.decode("ascii")
    except UnicodeDecodeError:
        return ""
