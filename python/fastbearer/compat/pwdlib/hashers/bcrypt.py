"""bcrypt."""

from __future__ import annotations

from typing import Literal

from fastbearer.compat.passlib.hash import bcrypt
from fastbearer.errors import PasswordTooLongError
from fastbearer.hash_slots import password_hash

__all__ = ["BcryptHasher"]

BYTES = 72


class BcryptHasher:
    """bcrypt.

    Args:
        rounds: The cost: 2 ** rounds steps.
        prefix: "2b" or "2a".
    """

    def __init__(self, rounds: int = 12, prefix: Literal["2a", "2b"] = "2b") -> None:
        self._handler = bcrypt.using(rounds=rounds, ident=prefix)
        self._prefix = prefix
        self._rounds = rounds

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Tell whether it is bcrypt's."""
        return bcrypt.identify(hash)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password.

        Args:
            password: At most 72 bytes.
            salt: In bcrypt's own form, ``$2b$12$`` and 22 characters.

        Raises:
            ValueError: It is longer.
        """
        size = len(password.encode() if isinstance(password, str) else password)
        if size > BYTES:
            raise ValueError("password cannot be longer than 72 bytes")
        if salt is None:
            return str(self._handler.hash(password))
        try:
            return password_hash(password, salt)
        except PasswordTooLongError as error:
            raise ValueError(str(error)) from None

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash."""
        try:
            return bcrypt.verify(password, hash)
        except ValueError:
            return False

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Tell whether another cost or kind made it."""
        text = hash.decode("ascii") if isinstance(hash, bytes) else hash
        return not text.startswith(f"${self._prefix}${self._rounds:02d}$")
