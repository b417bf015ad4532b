"""Argon2id."""

from __future__ import annotations

import os
import re
from typing import Any

from fastbearer._core import password_parts, password_setting
from fastbearer.compat.pwdlib.hashers import text_of
from fastbearer.errors import InvalidHashError
from fastbearer.hash_slots import password_hash, password_verify

__all__ = ["Argon2Hasher"]

PATTERN = re.compile(
    r"\$argon2(?:id|i|d)\$(?:v=[0-9]{1,9}\$)?m=[0-9]{1,9},t=[0-9]{1,9},p=[0-9]{1,9}"
    r"\$[^$]+\$[^$]+\Z"
)
LEAST_DIGEST = 16  # bytes
TOO_MUCH = "memory_cost is at least 8 * parallelism, and all is bounded"


class Argon2Hasher:
    """Argon2id.

    Args:
        time_cost: Passes over the memory.
        memory_cost: Memory in KiB.
        parallelism: Lanes.
        hash_len: Bytes of the digest.
        salt_len: Bytes of the salt.
        type: argon2-cffi's ``Type.ID``, or None.

    Raises:
        ValueError: One is out of range, or the type another (RFC 9106 4).
    """

    def __init__(
        self,
        time_cost: int = 3,
        memory_cost: int = 65536,
        parallelism: int = 4,
        hash_len: int = 32,
        salt_len: int = 16,
        type: Any = None,
    ) -> None:
        _check_type(getattr(type, "name", type))
        self._salt_size = salt_len
        self._costs: dict[str, Any] = {
            "rounds": time_cost,
            "memory_cost": memory_cost,
            "parallelism": parallelism,
            "digest_size": hash_len,
        }
        if not all(isinstance(size, int) for size in (salt_len, *self._costs.values())):
            raise TypeError("costs and sizes are integers")
        if hash_len < LEAST_DIGEST or min(salt_len, *self._costs.values()) < 0:
            raise ValueError("a cost or a size is out of range")
        self._parts = password_parts(self._setting(os.urandom(salt_len)))

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        """Tell whether it is Argon2's."""
        return PATTERN.match(text_of(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return the hash of a password."""
        salt = os.urandom(self._salt_size) if salt is None else salt
        return password_hash(password, self._setting(salt))

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        """Tell whether the password made the hash; a broken one is nobody's."""
        try:
            return self.identify(hash) and password_verify(password, hash)
        except InvalidHashError:
            return False

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Tell whether other settings made it.

        Raises:
            ValueError: It is malformed, or asks for absurd memory or time.
        """
        try:
            return password_parts(hash) != self._parts
        except InvalidHashError as error:
            raise ValueError(str(error)) from None

    def _setting(self, salt: bytes) -> str:
        try:
            return password_setting("argon2id", salt, **self._costs)
        except InvalidHashError:
            raise ValueError(TOO_MUCH) from None


def _check_type(kind: object) -> None:
    if kind is None:
        return
    if not isinstance(kind, str):
        raise TypeError("type is argon2-cffi's Type.ID, or None")
    if kind.lower() != "id":
        raise ValueError("new hashes of argon2 are of the type ID (RFC 9106 4)")
