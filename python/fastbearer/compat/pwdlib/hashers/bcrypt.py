"""bcrypt."""

from __future__ import annotations

import os
import re
from typing import Literal

from fastbearer._core import password_setting
from fastbearer.compat.pwdlib.hashers import text_of
from fastbearer.errors import InvalidHashError, PasswordTooLongError
from fastbearer.hash_slots import password_hash, password_verify
from fastbearer.utf8 import utf8_of

__all__ = ["BcryptHasher"]

BYTES = 72
SALT_BYTES = 16
PATTERN = re.compile(r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{53}\Z")
TOO_LONG = f"password cannot be longer than {BYTES} bytes"


class BcryptHasher:
    """bcrypt.

    Args:
        rounds: The cost: 2 ** rounds steps.
        prefix: "2b" or "2a".

    Raises:
        ValueError: The cost is out of range, or the prefix another.
    """

    def __init__(self, rounds: int = 12, prefix: Literal["2a", "2b"] = "2b") -> None:
        if prefix not in ("2a", "2b", "2y"):
            raise ValueError("invalid prefix of bcrypt")
        self._prefix = prefix
        self._rounds = rounds
        self._setting()

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Tell whether it is bcrypt's."""
        return PATTERN.match(text_of(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password.

        Args:
            password: At most 72 bytes.
            salt: In bcrypt's own form, ``$2b$12$`` and 22 characters.

        Raises:
            ValueError: It is longer.
            PasswordError: It holds a NUL or a lone surrogate.
        """
        text = utf8_of(password) if isinstance(password, str) else password
        if text is not None and len(text) > BYTES:
            raise ValueError(TOO_LONG)
        try:
            return password_hash(password, self._setting() if salt is None else salt)
        except PasswordTooLongError:
            raise ValueError(TOO_LONG) from None

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash."""
        try:
            return self.identify(hash) and password_verify(password, hash)
        except InvalidHashError:
            return False

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Tell whether another cost or kind made it."""
        return not text_of(hash).startswith(f"${self._prefix}${self._rounds:02d}$")

    def _setting(self) -> str:
        salt, kind = os.urandom(SALT_BYTES), self._prefix[1]
        try:
            return password_setting("bcrypt", salt, rounds=self._rounds, kind=kind)
        except InvalidHashError:
            raise ValueError("the cost of bcrypt is 4 to 16") from None
